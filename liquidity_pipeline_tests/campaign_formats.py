"""A format change is caught. Rerun it with

    python -m liquidity_pipeline_tests.campaign_formats --count 20000 --seed 1

The sandbox's answers to every source are recorded. Then each field of each answer changes as a
publisher would change it: in every row, of every answer of the same address. It is dropped,
renamed, given another type, moved to another place, filled with a label that nobody has seen,
multiplied by 1,000 and divided by 1,000. Each change is ingested into a directory that holds the
days before it.

A change is judged at the parser first: where it raises, or gives the rows and the gaps of the
unchanged answers, a whole fetch would end as well. Only where its rows differ and it names nothing
does a whole fetch show whether what comes after the parser names it.

A change is caught when the source fails with a declared error that names publisher, address and
problem, or when a gap names what is not there. It is harmless when the tables are as without it. It
is a failure when values differ and nothing is said, when a row is invented, or when an error comes
that is none of the declared ones.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

import pyarrow as pa

from liquidity_pipeline.contracts.validation import ContractBreach
from liquidity_pipeline.ingestion.continuity import LEAST_ALIKE
from liquidity_pipeline.ingestion.ingest import _collect
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.process import run_sandbox_process
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.errors import PublisherError
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.http import Answer, HttpClient
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.sources.registry import SOURCES, Source
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.campaign import Campaign, run_campaign
from liquidity_pipeline_tests.format_changes import KINDS, NEW_LABEL, changed, is_code, names_in

TODAY, SINCE = date(2026, 2, 6), date(2025, 11, 1)
# What a run on the earlier day leaves, and the window that the run of today asks for.
EARLIER = date(2026, 1, 20)
OLD, NEW = Window.of_months(SINCE, EARLIER), Window.of_months(date(2026, 1, 1), TODAY)


@dataclass
class Altered:
    """A transport that records answers, and gives them back with one field changed.

    The change is made in all answers of one `address`: publisher, path and, where parameters
    choose the table, those parameters.
    """

    client: HttpClient
    known: dict[str, Answer] = field(default_factory=dict)
    address: str = ""
    name: str = ""
    kind: str = ""

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Answer from memory; the first time ask the sandbox."""
        asked = json.dumps([publisher, path, dict(params or {})], sort_keys=True)
        if asked not in self.known:
            self.known[asked] = self.client.get(publisher, path, params, form=form)
        answer = self.known[asked]
        if not self.address or answer.status != 200 or address_of(answer) != self.address:
            return answer
        if self.name not in names_in(answer.body):
            return answer
        return replace(answer, body=changed(answer.body, self.name, self.kind))


def address_of(answer: Answer) -> str:
    """Return publisher and path without days, numbers and symbols; FRED's with the series."""
    path = re.sub(r"/(chart|products)/[^/]+", r"/\1/SYMBOL", answer.path)
    path = re.sub(r"\d{4}-\d{2}-\d{2}|\d+", "#", path)
    series = re.search(r"[?&]id=([\w,]+)", answer.url)
    return f"{answer.publisher}{path}{' ' + series[1][:40] if series else ''}"


@dataclass
class Bench:
    """One source: settings, with a directory of earlier days, its answers, and what they give."""

    source: Source
    settings: Settings
    scratch: Path
    transport: Altered
    tables: dict[str, pa.Table]
    said: set[str]
    rows: dict[str, pa.Table] = field(default_factory=dict)
    gaps: set[str] = field(default_factory=set)

    def parse(self) -> tuple[dict[str, pa.Table], set[str]]:
        """Return the checked rows that the source's parser makes of its answers, and the gaps."""
        pipeline = Pipeline(self.settings, self.transport)
        fetch = Fetch(NEW, pipeline.now, pipeline.universe, self.transport)
        return _collect(self.source, fetch).rows, {*fetch.gaps}

    def ingest(self, folder: Path) -> tuple[dict[str, pa.Table], set[str]]:
        """Fetch the new days into a copy of the directory; return its tables and what was said."""
        shutil.copytree(self.settings.data_dir, folder)
        pipeline = Pipeline(replace(self.settings, data_dir=folder), self.transport)
        done = pipeline.ingest(self.source, NEW)
        said = {*done.gaps, *map(str, pipeline.missing(self.source, NEW))}
        return {table.name: pipeline.lake.read(table) for table in self.source.tables}, said


def bench(source: Source, url: str, folder: Path) -> Bench:
    """Fill a directory with a source's earlier days and record its answers."""
    settings = Settings(folder / "base", endpoints=url, as_of=TODAY, http_retries=0)
    transport = Altered(HttpClient(settings))
    made = Bench(source, settings, folder, transport, {}, set())
    Pipeline(replace(settings, as_of=EARLIER), transport).ingest(source, OLD)
    transport.known.clear()
    made.tables, made.said = made.ingest(folder / "good")
    made.rows, made.gaps = made.parse()
    return made


def judge(campaign: Campaign, here: Bench, what: str) -> str:
    """Ingest one change and return what came of it; note failures."""
    folder = here.scratch / "trial"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        rows, gaps = here.parse()
        if all(rows[name].equals(good) for name, good in here.rows.items()):
            return "harmless: same rows"
        if gaps - here.gaps:
            return "caught: named gap"
        tables, said = here.ingest(folder)
    except (PublisherError, ContractBreach) as error:
        names_where = isinstance(error, ContractBreach) or (error.publisher and error.problem)
        if not names_where:
            campaign.fail(f"{what}: the error names no publisher: {error}")
        return "caught: declared error"
    except Exception as error:  # noqa: BLE001 - any other class is what is looked for
        campaign.fail(f"{what}: {type(error).__name__}: {error}")
        return "undeclared error"
    return compare(here, tables, said)


def compare(here: Bench, tables: dict[str, pa.Table], said: set[str]) -> str:
    """Return how the tables of a changed answer, and what was said, differ from the good ones."""
    if all(tables[name].equals(rows) for name, rows in here.tables.items()):
        return "harmless: same rows"
    if said - here.said:
        return "caught: named gap"
    if here.transport.kind == "label":
        for kept, why in KEPT.items():
            if kept(here, tables):
                return f"kept: {why}"
    if here.transport.kind.startswith("units") and cannot_be_caught(here, tables):
        return "cannot be caught: volume, or fewer than two known values"
    return "silent"


def is_quoted(here: Bench, bad: dict[str, pa.Table]) -> bool:
    """Tell whether only columns of free text differ, and hold the new label word for word.

    A row with such a word may be known later than without it: any word in the place of the New
    York Fed's indicator says that a rate was revised in the afternoon.
    """
    for table in here.source.tables:
        good, found = here.tables[table.name], bad[table.name]
        if good.num_rows != found.num_rows:
            return False
        for column in table.stored_columns:
            is_free = column.kind == "text" and not column.allowed and column.name not in table.key
            pairs = zip(good[column.name].to_pylist(), found[column.name].to_pylist(), strict=True)
            changed = [(was, now) for was, now in pairs if was != now]
            if column.name == "known_at":
                quoted = all(now > was for was, now in changed)
            else:
                quoted = not changed or (is_free and {now for _, now in changed} == {NEW_LABEL})
            if not quoted:
                return False
    return True


def is_renamed(here: Bench, bad: dict[str, pa.Table]) -> bool:
    """Tell whether the rows are the same but for the new words in their identifiers."""
    for table in here.source.tables:
        free = [c.name for c in table.stored_columns if c.kind == "text" and c.name in table.key]
        good, found = here.tables[table.name], bad[table.name]
        rest, moved = (sorted(map(repr, t.drop_columns(free).to_pylist())) for t in (good, found))
        known = set(map(repr, good.select(free).to_pylist()))
        keys = [text for text in map(repr, found.select(free).to_pylist()) if text not in known]
        if rest != moved or any(NEW_LABEL not in text for text in keys):
            return False
    return True


def is_marked(here: Bench, bad: dict[str, pa.Table]) -> bool:
    """Tell whether every row that came in place of others has FALSE in `is_known_line`."""
    (table,) = here.source.tables[:1]
    if "is_known_line" not in bad[table.name].column_names or len(here.source.tables) > 1:
        return False
    good = {tuple(row.values()) for row in here.tables[table.name].to_pylist()}
    rows = bad[table.name].to_pylist()
    return not any(row["is_known_line"] for row in rows if tuple(row.values()) not in good)


KEPT = {
    is_quoted: "a column that quotes the publisher holds the new words",
    is_renamed: "an identifier that quotes the publisher holds the new words",
    is_marked: "each row says that its line is not a known one",
}


def cannot_be_caught(here: Bench, bad: dict[str, pa.Table]) -> bool:
    """Tell whether only volumes differ, or values of which fewer than two were known before.

    Volumes are not compared, because publishers touch them up. One known value that is not
    zero proves no change of unit.
    """
    lake = Lake(here.settings.lake_dir)
    for table in here.source.tables:
        known = lake.read(table).join(
            bad[table.name], list(table.key), right_suffix=" bad", join_type="inner"
        )
        jumped: Counter[tuple[object, str]] = Counter()
        names = [c.name for c in table.stored_columns if c.kind == "number"]
        for row in known.to_pylist():
            for column in (name for name in names if name not in (*table.key, "volume")):
                if row[column] and row[column] != row[f"{column} bad"]:
                    jumped[row[table.entity] if table.entity else "", column] += 1
        if any(times >= LEAST_ALIKE for times in jumped.values()):
            return False
    return True


def work(campaign: Campaign) -> None:
    """Change every field of every answer of every source in every way."""
    silent: dict[str, list[str]] = defaultdict(list)
    options = Options(today=TODAY, start=SINCE, compress=False)
    with (
        tempfile.TemporaryDirectory(dir=memory()) as name,
        run_sandbox_process(options) as url,
    ):
        trials = []
        for source in SOURCES.values():
            here = bench(source, url, Path(name) / source.name)
            by_address: dict[str, set[str]] = defaultdict(set)
            for answer in here.transport.known.values():
                by_address[address_of(answer)] |= {*names_in(answer.body)}
            trials += [
                (here, address, field_name, kind)
                for address, names in by_address.items()
                for field_name in sorted(names)
                if not re.search(r"/\d+", field_name)
                for kind in KINDS
                if not (kind.startswith("units") and is_code(field_name))
            ]
        campaign.dice("order").shuffle(trials)
        campaign.asked = min(campaign.asked, len(trials))
        for number in campaign.numbers():
            here, address, field_name, kind = trials[number]
            what = f"{here.source.name}: {kind} {field_name} of {address}"
            here.transport.address, here.transport.name = address, field_name
            here.transport.kind = kind
            outcome = judge(campaign, here, what)
            campaign.reached += 1
            campaign.tally[f"{kind}: {outcome}"] += 1
            if outcome == "silent":
                silent[kind].append(f"{here.source.name} {field_name} ({address})")
                print(f"SILENT {what}", flush=True)  # noqa: T201
    tell(campaign, silent)


def tell(campaign: Campaign, silent: dict[str, list[str]]) -> None:
    """Note what changed values without a word."""
    for kind, places in sorted(silent.items()):
        counted = Counter(place.split(" ")[0] for place in places)
        listed = ", ".join(f"{source} {times}" for source, times in sorted(counted.items()))
        campaign.notes.append(f"- {kind}, values differ and nothing is said: {listed}")
        for place in places:
            campaign.fail(f"{kind} without a word: {place}")


def memory() -> str | None:
    """Return a folder in memory, where there is one: thousands of small files are written."""
    return "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108


if __name__ == "__main__":
    run_campaign("formats", "changes", 20_000, work)
