"""What fetching cost and how publishers behaved: `meta.runs`, from the records of the archive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

import pyarrow as pa

from liquidity_pipeline.contracts.meta import RUNS
from liquidity_pipeline.storage.archive import Archive
from liquidity_pipeline.storage.fetch_record import FetchRecord

# A year of daily runs would be some ten thousand rows of little use; two months show a trend.
KEPT = timedelta(days=60)


def runs(archive: Archive, now: datetime) -> pa.Table:
    """Return `meta.runs`: one row per fetch and publisher of the last 60 days before `now`.

    A record that cannot be read is left out: `liquidity rebuild --check` names it.
    """
    rows = (row for record in _recent(archive, now) for row in of_record(record))
    return pa.Table.from_pylist(list(rows), schema=RUNS.arrow_schema)


def of_record(record: FetchRecord) -> Iterator[dict[str, Any]]:
    """Yield a row per publisher that one fetch asked, in the order in which it asked them."""
    by_publisher: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for answer in record.answers:
        by_publisher[answer["publisher"]].append(answer)
    for publisher, answers in by_publisher.items():
        began = min(datetime.fromisoformat(answer["fetched_at"]) for answer in answers)
        yield {
            "fetch_id": record.path.stem if record.path else "",
            "source": record.source,
            "publisher": publisher,
            "began_at": began,
            "ended_at": record.kept_at,
            "months_from": record.window.start,
            "months_through": record.window.end,
            "requests": len(answers),
            "bytes": sum(answer["bytes"] for answer in answers),
            "failed": sum(answer["failure"] is not None for answer in answers),
            "refused": sum(
                answer["failure"] is None and answer["status"] != HTTPStatus.OK
                for answer in answers
            ),
            "not_understood": sum(bool(answer.get("unread")) for answer in answers),
            "gaps": len(record.gaps),
            "error": record.error,
        }


def summary(records: Sequence[FetchRecord]) -> dict[str, int]:
    """Return requests, bytes, and requests without a usable answer, of some fetches together."""
    rows = [row for record in records for row in of_record(record)]
    return {
        "requests": sum(row["requests"] for row in rows),
        "bytes_received": sum(row["bytes"] for row in rows),
        "requests_failed": sum(row["failed"] + row["refused"] for row in rows),
    }


def _recent(archive: Archive, now: datetime) -> Iterator[FetchRecord]:
    """Yield the records of the last 60 days."""
    for path in archive.record_files(since=now - KEPT):
        try:
            record = FetchRecord.load(path)
        except ValueError:
            continue
        if record.kept_at <= now or record.is_as_of:
            yield record
