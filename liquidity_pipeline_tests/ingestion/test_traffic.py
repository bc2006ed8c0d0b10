"""meta.runs: what each fetch asked of each publisher, and what came of it."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.ingestion import traffic
from liquidity_pipeline.storage.archive import Archive

NOW = datetime(2026, 2, 6, 22)  # noqa: DTZ001 - naive UTC, as everywhere in storage


def answer(publisher: str, size: int, **more: Any) -> dict[str, Any]:
    return {
        "publisher": publisher, "path": "/x", "params": {}, "form": "json", "url": "",
        "status": 200, "headers": {}, "failure": None, "unread": False, "sha256": "", "bytes": size,
        "fetched_at": "2026-02-06T21:00:00",
    } | more  # fmt: skip


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    return Archive(tmp_path)


def keep(root: Path, kept_at: datetime, answers: list[dict[str, Any]], **more: Any) -> None:
    folder = root / "fetches" / "index_prices"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "source": "index_prices", "window": ["2026-01-01", "2026-02-28"],
        "now": kept_at.isoformat(), "kept_at": kept_at.isoformat(), "universe": {},
        "answers": answers, "gaps": [], "error": None,
    }  # fmt: skip
    path = folder / f"{kept_at:%Y%m%dT%H%M%S%f}-abc.json"
    path.write_text(json.dumps(content | more))


def test_each_publisher_of_a_fetch_has_a_row_with_what_came(
    archive: Archive, tmp_path: Path
) -> None:
    keep(
        tmp_path,
        NOW - timedelta(minutes=1),
        [
            answer("yahoo", 100, fetched_at="2026-02-06T20:59:00"),
            answer("yahoo", 50, unread=True),
            answer("yahoo", 0, status=0, failure="no answer in time"),
            answer("cboe", 7, status=403),
        ],
        gaps=["MID: nobody serves it"],
    )
    yahoo, cboe = traffic.runs(archive, NOW).to_pylist()
    assert yahoo["publisher"] == "yahoo"
    assert yahoo["began_at"] == datetime(2026, 2, 6, 20, 59)  # noqa: DTZ001 - naive UTC
    assert (yahoo["requests"], yahoo["bytes"]) == (3, 150)
    assert (yahoo["failed"], yahoo["refused"], yahoo["not_understood"]) == (1, 0, 1)
    assert (cboe["requests"], cboe["failed"], cboe["refused"]) == (1, 0, 1)
    assert yahoo["gaps"] == cboe["gaps"] == 1


def test_a_fetch_that_was_given_up_keeps_its_error(archive: Archive, tmp_path: Path) -> None:
    keep(tmp_path, NOW - timedelta(days=1), [answer("yahoo", 1)], error="HTTP 500")
    (row,) = traffic.runs(archive, NOW).to_pylist()
    assert row["error"] == "HTTP 500"


def test_two_months_are_kept_and_nothing_from_after_the_moment(
    archive: Archive, tmp_path: Path
) -> None:
    for days in (61, 59, -1):
        keep(tmp_path, NOW - timedelta(days=days), [answer("yahoo", days + 2)])
    assert traffic.runs(archive, NOW)["bytes"].to_pylist() == [61]


def test_a_damaged_record_hides_no_other(archive: Archive, tmp_path: Path) -> None:
    keep(tmp_path, NOW - timedelta(days=2), [answer("yahoo", 5)])
    damaged = tmp_path / "fetches" / "index_prices" / f"{NOW:%Y%m%dT%H%M%S%f}-bad.json"
    damaged.write_text("{")
    assert traffic.runs(archive, NOW)["bytes"].to_pylist() == [5]
