"""Evaluate the alert conditions on the published file.

A condition is a `.sql` file in `conditions/`. It returns one row per subject that could be
evaluated: `subject`, `is_active`, `level`, `date` and `detail`. A subject without a row was not
evaluated, so its alert neither begins nor ends: missing data are not a recovery.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.settings import AlertSettings
from liquidity_pipeline.storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_CONDITIONS = Path(__file__).parent / "conditions"
# Comes from Dagster's records, not from the file: the caller passes it to `check.check`.
RUN_FAILED = "run_failed"
# A condition that failed keeps no other from being evaluated; it is a finding itself.
NOT_EVALUATED = "not_evaluated"
TITLES: Mapping[str, str] = {
    "stress_flags": "Stress indicator",
    "drain_surprise": "Drain of reserves far from its season",
    "stale_sources": "Source is stale",
    "not_published": "Nothing was published",
    RUN_FAILED: "Run failed",
    NOT_EVALUATED: "Alert condition cannot be evaluated",
}


@dataclass(frozen=True)
class Finding:
    """One subject of one condition, as evaluated now.

    A change of `level` while active is a new event. `date` is the day that the finding describes.
    """

    condition: str
    subject: str
    is_active: bool
    level: str
    date: date
    detail: str

    @property
    def key(self) -> str:
        """What identifies the subject from one check to the next."""
        return f"{self.condition}/{self.subject}"


def evaluate(published: Path, settings: AlertSettings, now: datetime) -> list[Finding]:
    """Return every subject that could be evaluated; `now` is naive UTC.

    A file that is missing is a finding of `not_published`; a file that cannot be read, and a
    condition whose query fails on it, are findings of `not_evaluated`.
    """
    import duckdb

    if not published.exists():
        detail = f"{published} does not exist."
        return [Finding("not_published", "liquidity.duckdb", True, "missing", now.date(), detail)]
    try:
        with reading(published) as connection:
            findings = [evaluated(published.name, now), _publication_age(connection, settings, now)]
            for path in sorted(_CONDITIONS.glob("*.sql")):
                findings += _run(path, connection, settings, now)
    except duckdb.Error as error:
        return [evaluated(published.name, now, error)]
    return findings


def evaluated(condition: str, now: datetime, problem: duckdb.Error | None = None) -> Finding:
    """Return whether a condition could be evaluated, as a finding of its own."""
    import duckdb

    detail = f"{condition} is evaluated again."
    if problem is not None:
        detail = f"{condition}: {str(problem).splitlines()[0]}"
    if isinstance(problem, duckdb.BinderException | duckdb.CatalogException):
        detail = (
            f"The file is of another version; publish it again with `liquidity run` ({detail})."
        )
    return Finding(NOT_EVALUATED, condition, problem is not None, "failed", now.date(), detail)


def settlements_ahead(published: Path) -> dict[str, float]:
    """Return the net settlement (USD bn) of each coming day, by ISO day, as now published."""
    query = """
        select settlement_date, sum(net_usd_mn) / 1000
        from marts.settlement_calendar
        where settlement_date > (select as_of from meta.publication)
            and security_class in ('bill', 'note', 'bond', 'tips', 'frn')
        group by settlement_date
        having count(net_usd_mn) = count(*)
        order by settlement_date
    """
    with reading(published) as connection:
        return {day.isoformat(): net for day, net in connection.execute(query).fetchall()}


def _run(
    path: Path, connection: duckdb.DuckDBPyConnection, settings: AlertSettings, now: datetime
) -> list[Finding]:
    import duckdb

    sql = path.read_text(encoding="utf-8")
    parameters = {"drain_sd": settings.drain_sd} if "$drain_sd" in sql else {}
    try:
        rows = connection.execute(sql, parameters).fetchall()
    except duckdb.Error as error:
        return [evaluated(path.stem, now, error)]
    return [evaluated(path.stem, now), *(Finding(path.stem, *row) for row in rows)]


def _publication_age(
    connection: duckdb.DuckDBPyConnection, settings: AlertSettings, now: datetime
) -> Finding:
    ((built_at,),) = connection.execute("select built_at from meta.publication").fetchall()
    silent = now - built_at
    return Finding(
        "not_published",
        "liquidity.duckdb",
        silent > timedelta(hours=settings.silent_hours),
        "silent",
        built_at.date(),
        f"The last publication was built at {built_at:%Y-%m-%d %H:%M} UTC, "
        f"{silent / timedelta(hours=1):.0f} hours ago; the limit is {settings.silent_hours:g}.",
    )


def utc_now() -> datetime:
    """Return this moment as naive UTC, as the published file writes its moments."""
    return datetime.now(UTC).replace(tzinfo=None)
