"""The archive: each body once, damage is named, and a fetch can be run again without a network."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.sources.answers import KeptBody
from liquidity_pipeline.sources.errors import NotServedError, TransientError
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.fetch_record import FetchRecord
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned

NOW = datetime.fromisoformat("2026-03-02 14:00")
WINDOW = Window(date(2026, 1, 1), date(2026, 2, 28))
SYMBOL = {
    "symbol": "BTC",
    "name": "Bitcoin",
    "asset_class": "crypto",
    "since": date(2015, 7, 20),
    "providers": ["coinbase:BTC-USD"],
}
UNIVERSE = Universe.from_dict({"crypto": [SYMBOL]})


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path / "archive")


def asked(replies: dict[str, Any], *requests: tuple[str, dict[str, Any]]) -> Fetch:
    """Return a fetch that has asked FRED for the paths, whatever the answers were."""
    fetch = Fetch(WINDOW, NOW, UNIVERSE, Canned(replies))
    for path, params in requests:
        try:
            fetch.get("fred", path, params)
        except (NotServedError, TransientError):
            continue
    return fetch


def files(archive: Archive, tmp_path: Path, pattern: str) -> list[Path]:
    return sorted(path for path in (tmp_path / "archive").rglob(pattern) if path.is_file())


def test_each_body_is_kept_once_whoever_asked_for_it(archive: Archive, tmp_path: Path):
    replies = {"fred/a": "same bytes", "fred/b": "same bytes", "fred/c": "other bytes"}
    fetch = asked(replies, ("/a", {}), ("/b", {}), ("/c", {}))
    archive.keep("one", fetch, None)
    archive.keep("two", fetch, None)
    hashes = {hashlib.sha256(body).hexdigest() for body in (b"same bytes", b"other bytes")}
    assert {path.name for path in files(archive, tmp_path, "*.gz")} == {f"{h}.gz" for h in hashes}
    assert {archive.body(name) for name in hashes} == {b"same bytes", b"other bytes"}
    assert len(files(archive, tmp_path, "*.json")) == 2


def test_a_body_is_archived_when_it_comes_and_not_held(archive: Archive, tmp_path: Path):
    fetch = Fetch(WINDOW, NOW, UNIVERSE, Canned({"fred/a": "bytes"}), keep_body=archive.keep_body)
    assert fetch.get("fred", "/a").body == b"bytes"
    fetch.left_out("a")("a row that cannot be read")
    assert [answer.body for _, _, answer in fetch.answers] == [b""]
    sha256 = hashlib.sha256(b"bytes").hexdigest()
    assert archive.body(sha256) == b"bytes"
    (answer,) = archive.keep("one", fetch, None).answers
    assert (answer["sha256"], answer["bytes"], answer["unread"]) == (sha256, 5, True)


def test_a_body_that_cannot_be_archived_yet_is_held_until_the_record(archive: Archive):
    def full(_: bytes) -> KeptBody:
        raise OSError(28, "No space left on device")

    fetch = Fetch(WINDOW, NOW, UNIVERSE, Canned({"fred/a": "bytes"}), keep_body=full)
    assert fetch.get("fred", "/a").body == b"bytes"
    (answer,) = archive.keep("one", fetch, None).answers
    assert archive.body(answer["sha256"]) == b"bytes"


def test_a_record_says_what_was_asked_when_and_what_came(archive: Archive):
    fetch = asked({"fred/a": {"rows": 1}}, ("/a", {"id": "IORB", "page": 2}), ("/gone", {}))
    fetch.gap("gone is not served")
    before = datetime.utcnow()  # noqa: DTZ003 - the archive's times are naive UTC
    archive.keep("market_series", fetch, None)
    record = archive.last("market_series")
    assert record is not None
    first, second = record.answers
    body = b'{"rows": 1}'
    assert (first["url"], first["params"]) == ("http://test/fred/a", {"id": "IORB", "page": 2})
    assert (first["status"], first["bytes"], first["form"]) == (200, len(body), "json")
    assert first["sha256"] == hashlib.sha256(body).hexdigest()
    assert (second["path"], second["status"]) == ("/gone", 404)
    assert (record.window, record.now, record.error) == (WINDOW, NOW, None)
    assert record.gaps == ["gone is not served"]
    assert Universe.from_dict(record.universe) == UNIVERSE
    assert abs((record.kept_at - before).total_seconds()) < 5


def test_a_fetch_is_answered_again_as_it_was(archive: Archive):
    answers = iter(["first", "second"])
    replies = {"fred/a": lambda _: next(answers), "fred/b": DOWN}
    fetch = asked(replies, ("/a", {"page": 1}), ("/a", {"page": 1}), ("/gone", {}), ("/b", {}))
    again = archive.replay(archive.keep("example", fetch, None))
    assert (again.window, again.now, again.universe) == (WINDOW, NOW, UNIVERSE)
    assert [again.get("fred", "/a", {"page": 1}).text() for _ in range(2)] == ["first", "second"]
    with pytest.raises(NotServedError, match="404"):
        again.get("fred", "/gone")
    with pytest.raises(TransientError, match="no answer in time, after 5 attempts"):
        again.get("fred", "/b")


def test_a_replayed_answer_is_the_answer_in_every_field(archive: Archive):
    fetch = asked({"fred/a": "x"}, ("/a", {}))
    record = FetchRecord.load(_path(archive, archive.keep("example", fetch, None)))
    assert archive.replay(record).get("fred", "/a") == fetch.answers[0][2]


@pytest.mark.parametrize(
    ("publisher", "path", "params"),
    [
        ("fred", "/a", {"page": 2}),
        ("fred", "/other", {"page": 1}),
        ("nyfed", "/a", {"page": 1}),
        ("fred", "/a", {}),
    ],
)
def test_a_source_that_asks_differently_is_refused(
    archive: Archive, publisher: str, path: str, params: dict[str, Any]
):
    record = archive.keep("example", asked({"fred/a": "x"}, ("/a", {"page": 1})), None)
    with pytest.raises(ValueError, match=r"the archive has no json answer.*asks differently"):
        archive.replay(record).get(publisher, path, params)


def test_a_source_that_asks_once_too_often_is_refused(archive: Archive):
    again = archive.replay(archive.keep("example", asked({"fred/a": "x"}, ("/a", {})), None))
    again.get("fred", "/a")
    with pytest.raises(ValueError, match="asks differently"):
        again.get("fred", "/a")


def _only_blob(archive: Archive, tmp_path: Path) -> tuple[str, Path]:
    record = archive.keep("example", asked({"fred/a": "a body of bytes"}, ("/a", {})), None)
    (blob,) = files(archive, tmp_path, "*.gz")
    return record.answers[0]["sha256"], blob


def _path(archive: Archive, record: FetchRecord) -> Path:
    last = archive.last(record.source)
    assert last is not None
    assert last.path is not None
    return last.path


@pytest.mark.parametrize("damage", ["cut", "flipped", "not gzip", "empty", "other", "gone"])
def test_a_damaged_body_is_an_error_that_names_the_file(
    archive: Archive, tmp_path: Path, damage: str
):
    sha256, blob = _only_blob(archive, tmp_path)
    good = blob.read_bytes()
    middle = len(good) // 2
    damaged = {
        "cut": good[:-4],
        "flipped": good[:12] + bytes([good[12] ^ 0xFF]) + good[13:middle] + b"\xff" + good[middle:],
        "not gzip": b"hello",
        "empty": b"",
        "other": gzip.compress(b"another body"),
    }
    if damage == "gone":
        blob.unlink()
    else:
        blob.write_bytes(damaged[damage])
    with pytest.raises(ValueError, match=re.escape(str(blob))):
        archive.body(sha256)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{", "null", '{"source": "x"}', "\udcff"],
    ids=["empty", "list", "cut", "null", "bare", "bytes"],
)
def test_a_damaged_record_is_an_error_that_names_the_file(archive: Archive, content: str):
    path = _path(archive, archive.keep("example", asked({}), None))
    assert len(archive.of("example")) == 1
    path.write_bytes(content.encode(errors="surrogateescape"))
    for read in (lambda: archive.last("example"), lambda: list(archive.records())):
        with pytest.raises(ValueError, match=f"{re.escape(str(path))} is not a fetch record"):
            read()


def test_records_come_in_the_order_of_the_fetches_even_under_as_of(archive: Archive):
    """A run as of an earlier day stands at an earlier moment, and still comes after."""
    for month in (3, 1, 2, 2, 2):
        fetch = asked({"fred/a": "x"}, ("/a", {}))
        fetch.now = datetime.fromisoformat(f"2026-0{month}-02 14:00")
        archive.keep(f"source_{month % 2}", fetch, None)
    assert [record.now.month for record in archive.records()] == [3, 1, 2, 2, 2]


def test_the_last_fetch_and_the_last_good_one(archive: Archive):
    assert archive.last("example") is None
    archive.keep("example", asked({}), None)
    archive.keep("example", asked({}), "unknown label")
    last, good = archive.last("example"), archive.last("example", successful=True)
    assert last is not None
    assert good is not None
    assert (last.error, good.error) == ("unknown label", None)
    assert last.kept_at > good.kept_at


def test_a_record_is_readable_by_people(archive: Archive):
    path = _path(archive, archive.keep("example", asked({"fred/a": "x"}, ("/a", {})), None))
    content = json.loads(path.read_text())
    assert content["window"] == ["2026-01-01", "2026-02-28"]
    assert content["answers"][0]["url"] == "http://test/fred/a"
