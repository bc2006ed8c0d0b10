"""A lake in an object store: moto's real server behind a proxy that injects faults.

The proxy handles one write at a time, as a store does that decides conditional writes.
"""

from __future__ import annotations

import http.client
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path
from random import Random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from liquidity_pipeline.cli import doctor
from liquidity_pipeline.contracts.sources.federal_reserve import FED_BALANCE_SHEET
from liquidity_pipeline.settings import COPY_NOTES, Settings, SettingsError
from liquidity_pipeline.storage import object_store, shared_lake
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline.storage.object_store import ConflictError, ObjectStore, StoreError
from liquidity_pipeline.storage.shared_lake import SharedArchive, SharedLake
from liquidity_pipeline_tests.cli.commands import liquidity

MONTH, SEEN_AT = date(2026, 1, 1), datetime(2026, 3, 5, 22)  # noqa: DTZ001 - naive UTC
PREFIX = "liquidity/x"
ROOT = Path(__file__).parents[2]


class Proxy(ThreadingHTTPServer):
    """Hands requests on to the store; `fault(method, path)` names what goes wrong, if anything."""

    def __init__(self, store: tuple[str, int]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.store, self.turn = store, threading.Lock()
        self.fault = lambda method, path: ""
        self.seen: list[str] = []


class Handler(BaseHTTPRequestHandler):
    """A status (`500`, `403 AccessDenied`) and `hang` come before the store has done anything.

    `lost` comes after it has.
    """

    protocol_version = "HTTP/1.1"
    server: Proxy

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.fault(self.command, self.path)
        self.server.seen.append(f"{self.command} {self.path.split('?')[0]} {fault}".strip())
        status, _, code = fault.partition(" ")
        if status.isdecimal():
            error = f"<Error><Code>{code}</Code><Message>No.</Message></Error>" if code else ""
            self.reply(int(status), {}, error.encode())
        elif fault == "hang":
            self.close_connection = True
            threading.Event().wait(1.5)
        else:
            with self.server.turn:
                status, headers, answer = self.hand_on(body)
            if fault == "lost":
                self.close_connection = True
            else:
                self.reply(status, headers, answer)

    do_GET = do_PUT = do_POST = do_HEAD = answer  # noqa: N815 - names of the base class

    def hand_on(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection(*self.server.store, timeout=30)
        headers = {k: v for k, v in self.headers.items() if k.lower() != "expect"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        return answer.status, dict(answer.getheaders()), content

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        if "content-length" not in {name.lower() for name in headers}:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def moto() -> Iterator[tuple[str, int]]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield server.get_host_and_port()
    server.stop()


@pytest.fixture
def proxy(moto: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with Proxy(moto) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{running.server_port}")
        import boto3

        bucket = boto3.resource("s3").Bucket("liquidity")
        bucket.create()
        bucket.objects.all().delete()
        running.seen.clear()
        yield running
        running.shutdown()


def store(endpoints: str = "sandbox", timeout: float = 30) -> ObjectStore:
    return ObjectStore(f"s3://{PREFIX}", endpoints, timeout)


def rows(*values: tuple[int, str, float]) -> pa.Table:
    found = [
        {
            "observation_date": MONTH.replace(day=day),
            "series": series,
            "value_usd_mn": value,
            "known_at": SEEN_AT,
        }
        for day, series, value in values
    ]
    return pa.Table.from_pylist(found, schema=FED_BALANCE_SHEET.arrow_schema)


def keep(
    lake: Lake, table: pa.Table, keep_after: date | None = None, seen_at: datetime = SEEN_AT
) -> None:
    lake.store(FED_BALANCE_SHEET, table, [MONTH], seen_at, keep_after=keep_after)


def held(lake: Lake) -> list[tuple[str, float]]:
    found = lake.read(FED_BALANCE_SHEET, ["series", "value_usd_mn"]).to_pylist()
    return sorted((row["series"], row["value_usd_mn"]) for row in found)


def in_store() -> pa.Table:
    objects = store().list("lake/fed_balance_sheet")
    (key,) = objects
    return pq.read_table(BytesIO(store().get(key)[0]))


def test_what_one_machine_stores_another_reads_byte_by_byte(proxy: Proxy, tmp_path: Path):
    ours, theirs = (SharedLake(tmp_path / name, store()) for name in "ab")
    alone = Lake(tmp_path / "alone")
    for lake in (ours, alone):
        keep(lake, rows((7, "WALCL", 1.0)))
        keep(lake, rows((7, "WALCL", 2.0)))
    theirs.refresh()
    assert held(theirs) == [("WALCL", 2.0)]
    assert theirs.revisions() == ours.revisions() == alone.revisions()
    assert theirs.revisions().num_rows == 1
    files = [p.relative_to(alone.root) for p in alone.root.rglob("*.parquet")]
    for name in files:
        for lake in (ours, theirs):
            assert (lake.root / name).read_bytes() == (alone.root / name).read_bytes()

    proxy.seen.clear()
    theirs.refresh()
    # Nothing is new: one question, and no object is read.
    assert proxy.seen == ["GET /liquidity"]


def test_a_lake_of_this_machine_is_taken_over_by_a_new_store(proxy: Proxy, tmp_path: Path):
    keep(Lake(tmp_path / "a"), rows((7, "WALCL", 1.0)))
    SharedLake(tmp_path / "a", store()).refresh()
    other = SharedLake(tmp_path / "b", store())
    other.refresh()
    assert held(other) == [("WALCL", 1.0)]


def test_a_writer_that_was_overtaken_merges_into_what_the_other_stored(
    proxy: Proxy, tmp_path: Path
):
    """The other's PUT comes between our reading of the month and our writing of it."""
    ours, theirs = (SharedLake(tmp_path / name, store()) for name in "ab")
    keep(ours, rows((7, "WALCL", 1.0)))
    raced = threading.Event()

    def overtake(method: str, path: str) -> str:
        if method == "PUT" and "fed_balance_sheet/month" in path and not raced.is_set():
            raced.set()
            keep(theirs, rows((7, "WALCL", 1.0), (14, "TREAST", 5.0)))
        return ""

    proxy.fault = overtake
    # An answer without the days after the 10th keeps them, and so must keep the other's row.
    keep(ours, rows((7, "WALCL", 2.0)), keep_after=date(2026, 1, 10))
    assert raced.is_set()
    assert held(ours) == [("TREAST", 5.0), ("WALCL", 2.0)]
    assert sorted(in_store()["value_usd_mn"].to_pylist()) == [2.0, 5.0]
    ours.refresh()
    assert ours.revisions().num_rows == 1


def test_of_writers_at_once_one_wins_whole(proxy: Proxy, tmp_path: Path):
    """A writer gives a month one value in all rows; no state that is ever seen has two."""
    (series,) = [c.allowed for c in FED_BALANCE_SHEET.columns if c.name == "series"]
    lakes = [SharedLake(tmp_path / str(n), store()) for n in range(4)]
    ended, seen = threading.Event(), []

    def write(number: int) -> None:
        for turn in range(4):
            value = float(10 * number + turn)
            table = rows(*((day, name, value) for day in range(1, 11) for name in series))
            keep(lakes[number], table)

    def watch() -> None:
        while not ended.is_set():
            if store().list("lake/fed_balance_sheet"):
                seen.append(in_store())

    with ThreadPoolExecutor(5) as pool:
        watching = pool.submit(watch)
        writing = [pool.submit(write, number) for number in range(4)]
        try:
            for future in writing:
                future.result()
        finally:
            ended.set()
        watching.result()
    seen.append(in_store())
    assert len(seen) > 1
    for table in seen:
        assert table.num_rows == 10 * len(series)
        assert len(set(table["value_usd_mn"].to_pylist())) == 1
    for lake in lakes:
        lake.refresh()
    assert len({tuple(held(lake)) for lake in lakes}) == 1


@pytest.mark.parametrize("seed", range(3))
def test_faults_neither_tear_nor_lose_nor_double(proxy: Proxy, tmp_path: Path, seed: int):
    """A third of all requests fail before or after the store has acted on them."""
    chance = Random(seed)  # noqa: S311 - a repeatable draw
    lake, alone = SharedLake(tmp_path / "a", store(timeout=1)), Lake(tmp_path / "alone")
    done = []

    def fault(method: str, path: str) -> str:
        return chance.choice(["500", "lost", "lost", "", "", "", "", "", ""])

    proxy.fault = fault
    for value in range(1, 6):
        try:
            keep(lake, rows((7, "WALCL", float(value))))
        except StoreError:
            continue
        done.append(value)
        keep(alone, rows((7, "WALCL", float(value))))
    proxy.fault = lambda method, path: ""
    assert done
    other = SharedLake(tmp_path / "b", store())
    other.refresh()
    # What failed may have been stored, but whole; what was said to be stored is not lost.
    assert other.read(FED_BALANCE_SHEET).num_rows == 1
    assert held(other)[0][1] >= done[-1]
    keep(lake, rows((7, "WALCL", 99.0)))
    other.refresh()
    assert held(other) == held(lake) == [("WALCL", 99.0)]


def test_a_lost_answer_is_no_conflict(proxy: Proxy):
    lost = iter(["lost"])
    proxy.fault = lambda method, path: next(lost, "") if path.endswith("key") else ""
    etag = store().put("key", b"content", replaces=None)
    assert store().get("key") == (b"content", etag)
    assert [line for line in proxy.seen if line.startswith("PUT") and "key" in line] == [
        f"PUT /{PREFIX}/key lost",
        f"PUT /{PREFIX}/key",
    ]
    with pytest.raises(ConflictError):
        store().put("key", b"other", replaces=None)
    with pytest.raises(ConflictError):
        store().put("key", b"other", replaces='"0123"')
    assert store().get("key") == (b"content", etag)


def test_a_store_that_is_down_leaves_the_copy_as_it_was(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("liquidity_pipeline.storage.object_store._ATTEMPTS", 2)
    lake = SharedLake(tmp_path / "a", store(timeout=1))
    keep(lake, rows((7, "WALCL", 1.0)))
    for what in ("500", "hang"):
        proxy.fault = lambda method, path, what=what: what
        with pytest.raises(StoreError, match="s3://liquidity/x"):
            keep(lake, rows((7, "WALCL", 2.0)))
        assert held(lake) == [("WALCL", 1.0)]
    proxy.fault = lambda method, path: "500" if method == "PUT" else ""
    with pytest.raises(StoreError):
        keep(lake, rows((7, "WALCL", 2.0)))
    assert held(lake) == [("WALCL", 1.0)]
    proxy.fault = lambda method, path: ""
    keep(lake, rows((7, "WALCL", 3.0)))
    # What could not be stored was never there, so one value was revised, to 3.
    assert lake.revisions()["new_value"].to_pylist() == ["3.0"]


REVISED_PUTS = ["/lake/revisions/", "/lake/fed_balance_sheet/month"]


def revised(lake: Lake) -> list[tuple[str, str]]:
    found = lake.revisions().to_pylist()
    return [(row["old_value"], row["new_value"]) for row in found]


@pytest.mark.parametrize("part", REVISED_PUTS)
def test_a_revision_is_noted_once_whichever_of_its_two_writes_failed(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, part: str
):
    monkeypatch.setattr("liquidity_pipeline.storage.object_store._ATTEMPTS", 1)
    lake = SharedLake(tmp_path / "a", store())
    keep(lake, rows((7, "WALCL", 1.0)))
    proxy.fault = lambda method, path: "500" if method == "PUT" and part in path else ""
    with pytest.raises(StoreError):
        keep(lake, rows((7, "WALCL", 2.0)))
    assert held(lake) == [("WALCL", 1.0)]
    proxy.fault = lambda method, path: ""
    keep(lake, rows((7, "WALCL", 2.0)), seen_at=SEEN_AT.replace(hour=23))
    other = SharedLake(tmp_path / "b", store())
    other.refresh()
    for each in (lake, other):
        assert (held(each), revised(each)) == ([("WALCL", 2.0)], [("1.0", "2.0")])


@pytest.mark.parametrize("part", REVISED_PUTS)
def test_a_revision_is_noted_once_when_its_writer_was_killed_between_the_two(
    proxy: Proxy, tmp_path: Path, part: str
):
    keep(SharedLake(tmp_path / "a", store()), rows((7, "WALCL", 1.0)))
    writing = threading.Event()

    def fault(method: str, path: str) -> str:
        if method == "PUT" and part in path:
            writing.set()
            return "hang"
        return ""

    proxy.fault = fault
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from liquidity_pipeline_tests.storage.test_shared_lake import *\n"
        "keep(SharedLake(Path(sys.argv[1]), store()), rows((7, 'WALCL', 2.0)))"
    )
    folder = str(tmp_path / "a")
    with subprocess.Popen([sys.executable, "-c", program, folder], cwd=ROOT) as writer:
        assert writing.wait(30)
        writer.kill()
    proxy.fault = lambda method, path: ""
    lake = SharedLake(tmp_path / "a", store())
    keep(lake, rows((7, "WALCL", 2.0)), seen_at=SEEN_AT.replace(hour=23))
    assert (held(lake), revised(lake)) == ([("WALCL", 2.0)], [("1.0", "2.0")])


def test_the_archive_is_shared(proxy: Proxy, tmp_path: Path, make_fetch):
    class Nobody:
        def get(self, *_: object, **__: object) -> None: ...

    ours, theirs = (SharedArchive(tmp_path / name, store()) for name in "ab")
    record = ours.keep("tga_balance", make_fetch(Nobody(), MONTH, MONTH), None)
    theirs.refresh("tga_balance")
    assert [kept.to_json() for kept in theirs.of("tga_balance")] == [record.to_json()]


def test_the_pointer_names_a_whole_file_and_never_goes_back(proxy: Proxy, tmp_path: Path):
    file = tmp_path / "liquidity.duckdb"
    for name, hour, newest in (("a", 10, True), ("c", 12, True), ("b", 11, False)):
        file.write_bytes(name.encode() * 1000)
        publication = {"publication_id": name, "built_at": f"2026-02-06T{hour}:00:00"}
        assert shared_lake.publish(store(), file, publication) is newest
    pointer = store().get("latest.json")[0]
    assert b"publications/c.duckdb" in pointer
    assert store().get("publications/c.duckdb")[0] == b"c" * 1000


def test_data_of_other_origin_are_refused(proxy: Proxy, tmp_path: Path):
    keep(SharedLake(tmp_path / "a", store()), rows((7, "WALCL", 1.0)))
    with pytest.raises(SettingsError, match="holds data from 'sandbox'"):
        keep(SharedLake(tmp_path / "b", store("live")), rows((7, "WALCL", 2.0)))
    assert in_store()["value_usd_mn"].to_pylist() == [1.0]


# --- what a user may have wrong -------------------------------------------------------------------


def refused(tmp_path: Path, url: str = f"s3://{PREFIX}", **environment: str) -> str:
    """Return the one line with which `status` and a run end."""
    said = []
    for words in (("status",), ("run", "--since", "2026-01", "--as-of", "2026-02-06")):
        options = ("--data-dir", str(tmp_path), "--endpoints", "http://127.0.0.1:1")
        result = liquidity(*words, *options, LIQUIDITY_LAKE=url, **environment)
        assert result.exit_code in (2, 3)
        assert "Traceback" not in result.output
        said.append(" ".join(result.output.split()).partition(": ")[2])
    assert said[0] == said[1]
    return said[0]


@pytest.mark.parametrize("bucket", ["absent", "_not.a..bucket"])
def test_a_bucket_that_is_not_there_is_named_with_what_to_do(
    proxy: Proxy, tmp_path: Path, bucket: str
):
    said = refused(tmp_path, f"s3://{bucket}/x")
    assert f"s3://{bucket}/x" in said
    assert "bucket does not exist" in said
    assert "Create the bucket, or name another one in LIQUIDITY_LAKE" in said


def test_a_profile_that_is_not_there_is_wrong_usage(proxy: Proxy, tmp_path: Path):
    said = refused(tmp_path, AWS_PROFILE="nobody")
    assert "The config profile (nobody) could not be found" in said
    assert "AWS_PROFILE must name a profile" in said


def test_without_credentials_the_variables_are_named(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    said = refused(tmp_path)
    assert "Unable to locate credentials" in said
    assert "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in said


@pytest.mark.parametrize(
    ("fault", "remedy"),
    [
        ("403 InvalidAccessKeyId", "AWS_SECRET_ACCESS_KEY"),
        ("403 SignatureDoesNotMatch", "AWS_SECRET_ACCESS_KEY"),
        ("403 AccessDenied", "s3:PutObject"),
        ("400 ExpiredToken", "AWS_SESSION_TOKEN"),
        ("503 SlowDown", "try again later"),
        ("404 WhatNobodyKnows", "AWS_ENDPOINT_URL"),
    ],
)
def test_what_a_store_refuses_is_explained(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, fault: str, remedy: str
):
    """The answer of Amazon S3, in the form that it documents."""
    monkeypatch.setattr("liquidity_pipeline.storage.object_store._ATTEMPTS", 1)
    proxy.fault = lambda method, path: fault
    code = fault.partition(" ")[2]
    with pytest.raises(StoreError, match=f"{PREFIX}/endpoints.json: .*{code}.*{remedy}"):
        store().list("lake")


def test_a_server_that_is_no_store_is_not_taken_for_another_writer(proxy: Proxy, tmp_path: Path):
    proxy.fault = lambda method, path: "404"
    assert "AWS_ENDPOINT_URL must be the address of a store" in refused(tmp_path)


def test_a_store_that_never_answers_is_given_up_within_a_minute(
    proxy: Proxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Each attempt waits one second here; what they wait in earnest is added up."""
    earnest = object_store._READ_SECONDS
    monkeypatch.setattr(object_store, "_READ_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0), backlog=50) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{silent.getsockname()[1]}")
        began = time.monotonic()
        with pytest.raises(StoreError, match="Is the store running"):
            store().list("lake")
    took = time.monotonic() - began
    assert took >= object_store._ATTEMPTS
    assert took + object_store._ATTEMPTS * (earnest - 1) < 60


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"{}", b"null"])
def test_a_damaged_pointer_or_mark_is_named_with_what_to_do(
    proxy: Proxy, tmp_path: Path, content: bytes
):
    file = tmp_path / "liquidity.duckdb"
    file.write_bytes(b"content")
    store().put("latest.json", content, replaces=None)
    publication = {"publication_id": "a", "built_at": "2026-02-06T10:00:00"}
    with pytest.raises(StoreError, match=r"latest.json is damaged.*delete it"):
        shared_lake.publish(store(), file, publication)
    _, etag = store().get("endpoints.json")
    store()._put("endpoints.json", content, etag)
    with pytest.raises(StoreError, match=r"endpoints.json is damaged"):
        store().list("lake")


def test_the_doctor_asks_the_store(proxy: Proxy, tmp_path: Path):
    def finding(bucket: str = "liquidity") -> doctor.Finding:
        settings = Settings(tmp_path, endpoints="live", lake_url=f"s3://{bucket}/x")
        (found,) = [f for f in doctor._files(settings) if f.what == "lake in the object store"]
        return found

    assert finding().good
    assert "is empty" in finding().detail
    assert not [line for line in proxy.seen if line.startswith("PUT")]
    assert not finding("absent").good
    assert "Create the bucket" in finding("absent").detail
    store("sandbox").list("lake")
    assert not finding().good
    assert "holds data from 'sandbox'" in finding().detail


def test_a_run_that_forgets_the_store_is_refused(proxy: Proxy, tmp_path: Path):
    """It would leave a copy that differs from the store, which no later run could notice."""
    folder = tmp_path / "data"
    lake = SharedLake(folder / "lake", store("http://127.0.0.1:1"))
    keep(lake, rows((7, "WALCL", 2.0)))
    options = ("--data-dir", str(folder), "--endpoints", "http://127.0.0.1:1")
    for command in (("run", "--since", "2026-01"), ("rebuild",)):
        result = liquidity(*command, *options)
        assert result.exit_code == 2
        assert "Set LIQUIDITY_LAKE, or delete" in " ".join(result.output.split())
    assert held(lake) == [("WALCL", 2.0)]
    # A file that is damaged or missing in the copy is copied again.
    lake.path(FED_BALANCE_SHEET, MONTH).unlink()
    lake.refresh()
    assert held(lake) == [("WALCL", 2.0)]
    # So is one that something has changed without the store, such as an earlier version.
    keep(Lake(folder / "lake"), rows((7, "WALCL", 5.0)))
    assert held(lake) == [("WALCL", 5.0)]
    lake.refresh()
    assert held(lake) == [("WALCL", 2.0)]
    # With the notes deleted it is a lake of this machine, in which nothing is missing.
    shutil.rmtree(folder / "lake" / COPY_NOTES)
    Settings(folder, endpoints="http://127.0.0.1:1").claim_data_dir()


def test_a_lake_of_this_machine_alone_loads_nothing_of_this(tmp_path: Path):
    program = (
        "import sys\nfrom pathlib import Path\n"
        "from liquidity_pipeline.pipeline import Pipeline\n"
        "from liquidity_pipeline.settings import Settings\n"
        "pipeline = Pipeline(Settings(Path(sys.argv[1])))\n"
        "pipeline.lake.refresh(); pipeline.archive.refresh()\n"
        "assert not {'boto3', 'botocore', 'fsspec'} & set(sys.modules)\n"
        "assert not any(name.endswith(('shared_lake', 'object_store')) for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=True)
