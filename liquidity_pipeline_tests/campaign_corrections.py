"""A correction is seen: both vintages are kept, `meta.revisions` lists each value. Rerun it with

    python -m liquidity_pipeline_tests.campaign_corrections --count 360 --seed 1

Every source first reads answers of an earlier day in which one row in twenty has other amounts, and
on a later day the right ones. Each stored value that differs must be a row of the revisions with
the value before and after, the archive must hold both answers, and the tables must be those of a
directory that never saw the first print. All months are fetched again, as `backfill --force` does:
a daily run asks only for the current month, the one before, and what is missing. A snapshot whose
contract notes no revisions (`notes_revisions`) lists none.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox import faults
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.publishers.wire import Reply
from liquidity_pipeline.sandbox.server import start
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import NotServedError
from liquidity_pipeline.sources.fetch import Transport, Window
from liquidity_pipeline.sources.http import Answer, HttpClient
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.campaign_formats import memory

FIRST, EARLIER, TODAY = date(2025, 12, 1), date(2026, 1, 22), date(2026, 2, 6)
# What the revisions leave out, and say so: publishers adjust volumes for weeks.
LEFT_OUT = ("known_at", "volume")
Rows = list[dict[str, Any]]


@dataclass
class Printed:
    """A sandbox's answers, asked for once; with `spoiled_by`, first prints of them."""

    client: HttpClient
    kept: dict[str, Answer | NotServedError] = field(default_factory=dict)
    spoiled_by: int | None = None

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Return the answer to a request, or raise what the client raised."""
        asked = json.dumps([publisher, path, dict(params or {}), form], sort_keys=True)
        if asked not in self.kept:
            try:
                self.kept[asked] = self.client.get(publisher, path, params, form=form)
            except NotServedError as error:
                self.kept[asked] = error
        answer = self.kept[asked]
        if isinstance(answer, NotServedError):
            raise answer
        if self.spoiled_by is None or answer.body.startswith(b"PK"):
            return answer
        reply = Reply(200, answer.body.decode(), "")
        spoiled = faults.spoil("corrected_rows", publisher, reply, self.spoiled_by)
        return replace(answer, body=str(spoiled.body).encode())


@dataclass(frozen=True)
class Days:
    """The sandbox on two days, at one address as far as a data directory can tell."""

    url: str
    earlier: Printed
    today: Printed
    expected: dict[str, dict[str, Rows]] = field(default_factory=dict)

    def honest(self, source: Source, scratch: Path) -> dict[str, Rows]:
        """Return the rows of a directory that never saw a first print, worked out once."""
        if source.name not in self.expected:
            folder = scratch / "honest"
            ingest(self.pipeline(folder, EARLIER, self.earlier), source)
            rows = ingest(self.pipeline(folder, TODAY, self.today), source)
            self.expected[source.name] = rows
            shutil.rmtree(folder)
        return self.expected[source.name]

    def pipeline(self, folder: Path, day: date, transport: Transport) -> Pipeline:
        """Return a pipeline as of a day."""
        return Pipeline(Settings(folder, endpoints=self.url, as_of=day, http_retries=0), transport)


@contextmanager
def two_days(scratch: Path) -> Iterator[Days]:
    """Start the sandbox of both days."""
    with (
        start(Options(today=EARLIER, start=FIRST)) as earlier,
        start(Options(today=TODAY, start=FIRST)) as today,
    ):
        clients = [HttpClient(Settings(scratch, endpoints=s.url)) for s in (earlier, today)]
        yield Days(today.url, *map(Printed, clients))


def ingest(pipeline: Pipeline, source: Source) -> dict[str, Rows]:
    """Fetch all months of a source, as `backfill --force` does; return its rows by table."""
    pipeline.ingest(source, Window.of_months(FIRST, pipeline.settings.today))
    return {table.name: pipeline.lake.read(table).to_pylist() for table in source.tables}


def differences(table: Table, old: Rows, new: Rows) -> int:
    """Count the values that differ between rows with the same key."""
    after = {tuple(row[name] for name in table.key): row for row in new}
    names = [n for n in table.arrow_schema.names if n not in (*table.key, *LEFT_OUT)]
    pairs = [(row, after.get(tuple(row[name] for name in table.key))) for row in old]
    return sum(was[name] != now[name] for was, now in pairs if now for name in names)


def trial(days: Days, scratch: Path, seed: int, source: Source, found: Campaign) -> None:
    """Read a first print and then the correction; compare with what is said of it."""
    folder = scratch / "trial"
    first_print = replace(days.earlier, spoiled_by=seed)
    first = ingest(days.pipeline(folder, EARLIER, first_print), source)
    pipeline = days.pipeline(folder, TODAY, days.today)
    second = ingest(pipeline, source)
    noted = pipeline.lake.revisions().to_pylist()
    vintages = len(pipeline.archive.of(source.name))
    shutil.rmtree(folder)
    expected = days.honest(source, scratch)
    for table in source.tables:
        differ = differences(table, first[table.name], second[table.name])
        listed = [
            row for row in noted if row["table_name"] == table.name and row["change"] == "changed"
        ]
        notes = source.partitioned or table.notes_revisions
        noting = "in the revisions" if notes else "not noted, by contract"
        found.tally[f"{table.name}: values corrected, {noting}"] += differ
        who = f"seed {seed}, {table.name}"
        if len(listed) != (differ if notes else 0):
            found.fail(f"{who}: {differ} values differ, {len(listed)} are in the revisions")
        if any(row["old_value"] == row["new_value"] for row in listed):
            found.fail(f"{who}: a revision without a change")
        if differ and vintages < 2:
            found.fail(f"{who}: the archive has one vintage")
        if second[table.name] != expected[table.name]:
            found.fail(f"{who}: the corrected rows are not those of an honest directory")


def work(found: Campaign) -> None:
    """Correct rows of every source, over and over with other seeds."""
    with tempfile.TemporaryDirectory(dir=memory()) as name, two_days(Path(name)) as days:
        for number in found.numbers():
            rounds, place = divmod(number, len(SOURCES))
            source = list(SOURCES.values())[place]
            trial(days, Path(name), found.seed + rounds, source, found)
            found.reached += 1


if __name__ == "__main__":
    run_campaign("corrections", "corrected sources", 360, work)
