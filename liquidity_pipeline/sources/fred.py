"""FRED's keyless CSV: the Fed's balance sheet, market series, and index closes as a fallback.

What other publishers serve first-hand (reference rates, repo) does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.sources.federal_reserve import (
    BALANCE_SHEET_SERIES,
    FED_BALANCE_SHEET,
    NEVER_DUE,
)
from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES, MARKET_SERIES_IDS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotRecordedError,
    NotServedError,
    PublisherError,
    most_hopeful,
)
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.fred_series import PATH, PUBLISHER, Series, collect_series
from liquidity_pipeline.sources.fred_units import comparable, factors, plausible

if TYPE_CHECKING:
    import pyarrow as pa


def collect_fed_balance_sheet(fetch: Fetch) -> Collected:
    """Return {"fed_balance_sheet": rows} in USD mn; a series that cannot be had is a gap.

    So is one whose unit is unclear because its yardstick could not be had, and one whose size
    against its yardstick (the Wednesday level for week averages, total assets for the rest) says
    that its unit has changed. Raises UnexpectedPayloadError where no series is left.
    """
    # Those that are never due are asked for as well: they come while their programme lasts.
    releases = dict.fromkeys(BALANCE_SHEET_SERIES, calendars.H41)
    found = comparable(fetch, _collect(fetch, FED_BALANCE_SHEET, releases))
    parts = [
        {
            "observation_date": series.days,
            "series": [name] * len(series.days),
            "value_usd_mn": [value * factor for value in series.values],
            "known_at": releases[name].known_at(series.days),
        }
        for name, factor in factors(fetch, found).items()
        for series in (found[name],)
    ]
    return {"fed_balance_sheet": _table(FED_BALANCE_SHEET, parts)}


def collect_market_series(fetch: Fetch) -> Collected:
    """Return {"market_series": rows}, each in the unit that its contract names.

    Kept are the days of each series' own calendar, so that a change is one from market day to
    market day. Left out are credit spreads of month-end weekends and bond holidays, VIX of
    holidays, and par yields of Good Fridays on which bonds traded until noon. The administered
    rate is served ahead: what is announced by now is kept up to the window's end.
    """
    releases = {
        name: release for name, (_, _, release) in MARKET_SERIES_IDS.items() if _exists(name, fetch)
    }
    found = _collect(fetch, MARKET_SERIES, releases)
    parts = []
    for name, series in plausible(fetch, found).items():
        unit, release = MARKET_SERIES_IDS[name][1], releases[name]
        kept = _expected(series, release, fetch)
        parts.append(
            {
                "observation_date": [day for day, _ in kept],
                "series": [name] * len(kept),
                "value": [value for _, value in kept],
                "unit": [unit] * len(kept),
                "known_at": release.known_at([day for day, _ in kept]),
            }
        )
    return {"market_series": _table(MARKET_SERIES, parts)}


def close_prices(fetch: Fetch, series_id: str, start: date, end: date) -> list[tuple[date, float]]:
    """Return (session, close) of an index for the NYSE sessions from start to end, ascending.

    Raises NotServedError for an unknown series. FRED serves S&P 500 for the last ten years only.
    """
    series = collect_series(fetch, series_id, start, end)
    sessions = set(calendars.days("nyse", start, end))
    return [
        (day, value)
        for day, value in zip(series.days, series.values, strict=True)
        if day in sessions
    ]


def _exists(name: str, fetch: Fetch) -> bool:
    """Tell whether the series can have days in the window: IOER ended when IORB began."""
    release = MARKET_SERIES_IDS[name][2]
    replaced = MARKET_SERIES_IDS["IORB"][2].since if name == "IOER" else None
    begun = release.since is None or fetch.window.end >= release.since
    return begun and (replaced is None or fetch.window.start < replaced)


def _expected(series: Series, release: Release, fetch: Fetch) -> list[tuple[date, float]]:
    """Return the observations on days of the release's calendar that are public by now."""
    own_days = set(calendars.days(release.calendar, fetch.window.start, fetch.window.end))
    known_at = release.known_at(series.days)
    return [
        (day, value)
        for day, value, known in zip(series.days, series.values, known_at, strict=True)
        if day in own_days and known <= fetch.now
    ]


def _collect(fetch: Fetch, table: Table, releases: Mapping[str, Release]) -> dict[str, Series]:
    """Return the series that have rows; name those that failed, or have none though due.

    Rolling windows (ICE spreads: three years) answer an old range with no rows.
    """
    answers = fetch.each(list(releases), _reader(fetch, releases))
    found = {series.name: series for series in answers if isinstance(series, Series)}
    failed = {
        name: answer
        for name, answer in zip(releases, answers, strict=True)
        if isinstance(answer, PublisherError)
    }
    _name_failures(fetch, failed)
    if releases and not found:
        raise _failure(failed) or NotServedError(
            f"none of {', '.join(releases)} is served", publisher=PUBLISHER, url=PATH
        )
    empty = [
        name
        for name, series in found.items()
        if not series.days
        and name not in NEVER_DUE
        and releases[name].due(fetch.window.start, fetch.last_day, fetch.now)
    ]
    span = f"from {fetch.window.start} to {fetch.last_day}"
    if empty and not any(series.days for series in found.values()):
        raise _failure(failed) or EmptyAnswerError(
            f"no rows of {', '.join(empty)} {span}, where rows are due for {table.name}.",
            publisher=PUBLISHER,
            url=found[empty[0]].url,
        )
    for name in empty:
        fetch.gap(f"{name}: fred serves no rows {span}")
    return {name: series for name, series in found.items() if series.days}


def _reader(
    fetch: Fetch, releases: Mapping[str, Release]
) -> Callable[[str], Series | PublisherError | None]:
    """Return what reads one series, or says why not: one that fails does not stop the others."""

    def read(name: str) -> Series | PublisherError | None:
        # A negative lag is a rate announced ahead: its days after today are known already.
        end = fetch.window.end if releases[name].lag < 0 else fetch.last_day
        try:
            return fetch.understood(
                f"the series {name}", lambda: collect_series(fetch, name, fetch.window.start, end)
            )
        except PublisherError as error:
            return error
        except NotRecordedError:
            # Fetches of earlier versions, which archives hold, did not ask for these.
            if name not in NEVER_DUE:
                raise
            return None

    return read


def _name_failures(fetch: Fetch, failed: Mapping[str, PublisherError]) -> None:
    """Name each series that could not be had.

    Only a gap that begins with the series' name counts as known to the next run, which then leaves
    its history alone: that is for what is not served, while a failure may pass by itself. A line
    that is never due is missed by nobody where it is not served.
    """
    for name, error in failed.items():
        if isinstance(error, NotServedError):
            if name in NEVER_DUE:
                continue
            fetch.gap(f"{name}: not served by fred")
        else:
            problem = error.as_gap.removeprefix(f"{name}: ")
            fetch.gap(f"fred did not give {name}: {problem}")


def _failure(failed: Mapping[str, PublisherError]) -> PublisherError | None:
    """Return the failure to report where no series came, first of all one worth a retry."""
    others = [error for error in failed.values() if not isinstance(error, NotServedError)]
    return most_hopeful(others) if others else None


def _table(table: Table, parts: Iterable[Mapping[str, object]]) -> pa.Table:
    import pyarrow as pa

    schema = table.arrow_schema
    return pa.concat_tables(
        [schema.empty_table(), *(pa.table(dict(part), schema=schema) for part in parts)]
    )
