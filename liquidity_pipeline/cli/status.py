"""Report whether the data are published, fresh and sound, for people or for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import click

from liquidity_pipeline.cli.console import console
from liquidity_pipeline.settings import NEW_YORK, Settings

if TYPE_CHECKING:
    from rich.table import Table

    from liquidity_pipeline.ingestion.health import SourceHealth
    from liquidity_pipeline.orchestration.run_history import RunHistory

# As many series of a table are named; `meta.freshness` has all.
_NAMED = 4
_REASON_WIDTH = 90


@dataclass(frozen=True)
class Status:
    """What is known of a data directory at `now` (UTC)."""

    now: datetime
    published_at: datetime | None
    as_of: date | None
    sources: list[SourceHealth]
    runs: RunHistory

    @property
    def well(self) -> bool:
        """Published, all fresh, and no check fails."""
        fresh = all(source.fresh for source in self.sources)
        return self.published_at is not None and fresh and not self.runs.failing_checks

    @property
    def verdict(self) -> str:
        """The state in one line."""
        fresh = sum(source.fresh for source in self.sources)
        failing = len(self.runs.failing_checks)
        published = (
            f"published {_ago(self.now, self.published_at)} ago, as of {self.as_of}"
            if self.published_at
            else "nothing published yet"
        )
        checks = f"{failing} check{'' if failing == 1 else 's'} failing"
        return f"{published}; {fresh} of {len(self.sources)} sources fresh; {checks}"


def status(settings: Settings, form: str) -> bool:
    """Print the state of a data directory; return whether all is well."""
    found = _look(settings)
    if form == "json":
        click.echo(json.dumps(_as_json(found), default=str, indent=1))
    elif form == "prometheus":
        click.echo("\n".join(_as_metrics(found)))
    else:
        _print(found, settings)
    return found.well


def _look(settings: Settings) -> Status:
    from liquidity_pipeline.ingestion.health import health, read_gaps
    from liquidity_pipeline.orchestration.run_history import run_history

    gaps = read_gaps(settings.reference_dir)
    published_at, as_of = _publication(settings)
    return Status(
        now=datetime.now(UTC),
        published_at=published_at,
        as_of=as_of,
        sources=health(_freshness(settings), gaps),
        runs=run_history(settings.data_dir),
    )


def _freshness(settings: Settings) -> list[dict[str, Any]]:
    """Return the rows of `meta.freshness` now: as noted, or worked out where anything changed."""
    from liquidity_pipeline.ingestion import status_note

    noted = status_note.freshness(settings)
    if noted is not None:
        return noted
    from liquidity_pipeline.pipeline import Pipeline

    rows: list[dict[str, Any]] = Pipeline(settings).freshness().to_pylist()
    return rows


def _publication(settings: Settings) -> tuple[datetime | None, date | None]:
    """Return when the published file was built (UTC), and the last day that it uses."""
    if not settings.published_file.exists():
        return None, None
    from liquidity_pipeline.ingestion import status_note

    noted, day = status_note.built_at(settings), status_note.as_of(settings)
    if noted and day:
        return noted, day
    from liquidity_pipeline.storage.warehouse import reading

    with reading(settings.published_file) as published:
        ((built_at, as_of),) = published.execute(
            "select built_at, as_of from meta.publication"
        ).fetchall()
    return built_at.replace(tzinfo=UTC), as_of


def _print(found: Status, settings: Settings) -> None:
    style = "bold green" if found.well else "bold yellow"
    console.print(found.verdict, style=style, soft_wrap=True)
    console.print(_table(found.sources))
    said: set[str] = set()
    for source in found.sources:
        if not source.fresh:
            # One failed fetch may leave several tables stale: its reason is said once.
            reason = _reason(source.problem) if source.problem not in said else ""
            said.add(source.problem)
            line = f"{source.table}: {_missing(source)}{reason and f' ({reason})'}"
            console.print(line, markup=False, highlight=False, soft_wrap=True)
    # Of a stale source, its check of completeness would say the same again.
    stale = {f"{source.table}: complete" for source in found.sources if not source.fresh}
    for check in found.runs.failing_checks:
        if check not in stale:
            console.print(f"check failing: {check}", markup=False, highlight=False)
    known = sum(len(source.acknowledged) for source in found.sources)
    if known:
        console.print(f"{known} known gaps are not counted (acknowledged_gaps.toml)")
    _print_times(found)
    console.print(f"file           {settings.published_file}", highlight=False, soft_wrap=True)


def _print_times(found: Status) -> None:
    runs = found.runs
    at = f", {_ago(found.now, runs.last_run_at)} ago" if runs.last_run_at else ""
    console.print(f"last run       {runs.last_run}{at}", highlight=False)
    local = runs.next_at.astimezone(NEW_YORK)
    when = f"{local:%A %H:%M} New York"
    console.print(
        f"next schedule  {when}, {runs.next_schedule} (where `liquidity ui` or the daemon runs)",
        highlight=False,
        soft_wrap=True,
    )


def _table(sources: list[SourceHealth]) -> Table:
    from rich.box import SIMPLE
    from rich.table import Table

    table = Table(box=SIMPLE, pad_edge=False)
    for name in ("source", "state", "newest", "due", "fetched (UTC)"):
        table.add_column(name, no_wrap=True)
    for source in sources:
        table.add_row(
            source.table,
            "fresh" if source.fresh else "stale",
            str(source.newest or "-"),
            str(source.due or "-"),
            f"{source.fetched_at:%Y-%m-%d %H:%M}" if source.fetched_at else "never",
            style=None if source.fresh else "yellow",
        )
    return table


def _missing(source: SourceHealth) -> str:
    """Return what a stale source lacks, in words."""
    count = source.days_missing
    days = (
        f"{count} day{'' if count == 1 else 's'} missing"
        if count
        else "not asked for since it was due, or not answered in full"
    )
    named = [name for name in source.stale if name]
    if not named:
        return days
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"{days} in {len(named)} of {source.series} series: {', '.join(named[:_NAMED])}{more}"


def _reason(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _REASON_WIDTH else f"{line[:_REASON_WIDTH]} …"


def _ago(now: datetime, moment: datetime) -> str:
    seconds = max(0, int((now - moment).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"


def _as_json(found: Status) -> dict[str, Any]:
    sources = [asdict(source) | {"fresh": source.fresh} for source in found.sources]
    return {
        "verdict": found.verdict,
        "well": found.well,
        "published_at": found.published_at,
        "as_of": found.as_of,
        "sources": sources,
        "runs": asdict(found.runs),
    }


def _as_metrics(found: Status) -> Iterator[str]:
    """Yield the state in Prometheus's text format."""
    published = found.published_at.timestamp() if found.published_at else 0
    last = found.runs.last_run_at.timestamp() if found.runs.last_run_at else 0
    yield from _metric("liquidity_well", "1 if published, fresh and checked", {"": found.well})
    yield from _metric("liquidity_published_timestamp_seconds", "Publication", {"": published})
    yield from _metric("liquidity_last_run_timestamp_seconds", "Newest run", {"": last})
    failing = len(found.runs.failing_checks)
    yield from _metric(
        "liquidity_checks_failing", "Checks whose newest result failed", {"": failing}
    )
    for name, meaning in (
        ("fresh", "1 if nothing due is missing"),
        ("days_behind", "Due days after the newest held"),
        ("days_missing", "Due days missing"),
    ):
        labelled = {f'{{table="{s.table}"}}': float(getattr(s, name)) for s in found.sources}
        yield from _metric(f"liquidity_source_{name}", meaning, labelled)


def _metric(name: str, meaning: str, values: dict[str, float]) -> Iterator[str]:
    yield f"# HELP {name} {meaning}."
    yield f"# TYPE {name} gauge"
    for label, value in values.items():
        # Twelve digits: with six, a moment would be off by more than an hour.
        yield f"{name}{label} {float(value):.12g}"
