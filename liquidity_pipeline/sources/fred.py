"""FRED's keyless CSV: the Fed's balance sheet, market series, and index closes as a fallback.

One series per request, because FRED answers series of mixed frequency with a ZIP archive.
What other publishers serve first-hand (reference rates, repo) does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from liquidity_pipeline import calendars
from liquidity_pipeline.calendars import Release
from liquidity_pipeline.contracts.sources.federal_reserve import FED_BALANCE_SHEET, NEVER_DUE
from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES, MARKET_SERIES_IDS
from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.sources import csv_rows
from liquidity_pipeline.sources.boundary import Name, declared, nobody, report
from liquidity_pipeline.sources.csv_rows import Layout
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotServedError,
    PublisherError,
    TransientError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Collected, Fetch
from liquidity_pipeline.sources.http import Answer

if TYPE_CHECKING:
    import pyarrow as pa

_Judged = TypeVar("_Judged")

_PUBLISHER = "fred"
_PATH = "/graph/fredgraph.csv"

# Week averages were served in USD billions until 2024 and in millions since. The Wednesday level
# of the same thing has always been in millions, so the ratio tells the unit. Around tax days an
# average is a fifth, or five times, the level of a single Wednesday (2008, 2010).
_WEDNESDAY_LEVEL = {"WTREGEN": "WDTGAL", "WRESBAL": "WRBWFRBL"}
_SAME_UNIT = (0.1, 10.0)
_THOUSANDTH = (1e-4, 1e-2)

# Total assets have been between 0.7 and 9 trillion since 2002. No part of the balance sheet
# exceeds them, and the smallest (the TGA, 2004) was 0.2 %; in billions every part would be below
# 0.1 %. Swap lines are often nearly zero and mortgage securities begin in 2009.
_TOTAL_ASSETS_USD_MN = (500_000.0, 30_000_000.0)
_SHARE_OF_ASSETS = (0.001, 1.0)
# What is lent, or kept for foreign accounts, is often next to nothing.
_MAY_BE_TINY = ("SWPT", "WDFOL", "WORAL", "WLRRAOL", "WLCFLPCL", "H41RESPPALDKNWW")
_MAY_BE_ZERO = (*_MAY_BE_TINY, "WSHOMCB")

# Without a yardstick: in billions no TGA or reserves average has passed 4,300, in millions none
# has been below 2,700. Between these bounds a value says nothing about its unit.
_BILLIONS_BELOW, _MILLIONS_FROM = 2_500.0, 10_000.0

# Banks' assets passed a trillion in 1975 and their loans in 1980; in millions they are beyond this.
_PLAUSIBLE = {
    "percent": (-5.0, 30.0),
    "index points": (5.0, 150.0),
    "USD billions": (300.0, 100_000.0),
}


@dataclass(frozen=True)
class Series:
    """One series as served: `rows` has observation_date (day) and value (as published)."""

    name: str
    url: str
    rows: pa.Table

    @property
    def days(self) -> list[date]:
        """Observation days, ascending."""
        return list(self.rows["observation_date"].to_pylist())

    @property
    def values(self) -> list[float]:
        """Published values, in the order of the days."""
        return list(self.rows["value"].to_pylist())

    def within(self, low: float, high: float, name: Name = nobody) -> Series:
        """Return the series without values beyond the bounds, which are named.

        Raises UnexpectedPayloadError where they are more than half: the unit has changed.
        """
        return self.without(
            [
                (day, f"{value:g} on {day}; expected {low:g} to {high:g}. Its unit has changed.")
                for day, value in zip(self.days, self.values, strict=True)
                if not low <= value <= high
            ],
            name,
        )

    def without(self, problems: Sequence[tuple[date, str]], name: Name) -> Series:
        """Return the series without the days that have a problem, each of which is named."""
        import pyarrow as pa
        import pyarrow.compute as pc

        report([self.unexpected(problem) for _, problem in problems], self.rows.num_rows, name)
        bad = pa.array([day for day, _ in problems], pa.date32())
        kept = pc.invert(pc.is_in(self.rows["observation_date"], value_set=bad))
        return Series(self.name, self.url, self.rows.filter(kept))

    def unexpected(self, problem: str) -> UnexpectedPayloadError:
        """Return the error that names this series and its URL."""
        return UnexpectedPayloadError(f"{self.name}: {problem}", publisher=_PUBLISHER, url=self.url)

    def unclear(self, problem: str) -> _UnclearUnitError:
        """Return the error of a series that has nothing to be measured by."""
        return _UnclearUnitError(f"{self.name}: {problem}", publisher=_PUBLISHER, url=self.url)


class _UnclearUnitError(UnexpectedPayloadError):
    """The yardstick is missing, and a series' own size does not tell its unit."""


def collect_fed_balance_sheet(fetch: Fetch) -> Collected:
    """Return {"fed_balance_sheet": rows} in USD mn; a series that cannot be had is a gap.

    So is one whose unit is unclear because its yardstick could not be had, and one whose size
    against its yardstick (the Wednesday level for week averages, total assets for the rest) says
    that its unit has changed. Raises UnexpectedPayloadError where no series is left.
    """
    releases = FED_BALANCE_SHEET.releases
    found = _comparable(fetch, _collect(fetch, FED_BALANCE_SHEET, releases))
    parts = [
        {
            "observation_date": series.days,
            "series": [name] * len(series.days),
            "value_usd_mn": [value * factor for value in series.values],
            "known_at": releases[name].known_at(series.days),
        }
        for name, factor in _factors(fetch, found).items()
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
    for name, series in _plausible(fetch, found).items():
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


def _plausible(fetch: Fetch, found: Mapping[str, Series]) -> dict[str, Series]:
    """Return the series without what cannot be; one whose unit has changed is a named gap."""
    bounds = {name: _PLAUSIBLE[MARKET_SERIES_IDS[name][1]] for name in found}
    return _each_series(
        fetch, found, lambda series: series.within(*bounds[series.name], _names(fetch, series))
    )


def _names(fetch: Fetch, series: Series) -> Name:
    return lambda problem: fetch.gap(f"fred's {series.name}: {problem}")


def _each_series(
    fetch: Fetch, found: Mapping[str, Series], judge: Callable[[Series], _Judged]
) -> dict[str, _Judged]:
    """Return `judge(series)` by name; a series that it refuses is named and costs itself only.

    Raises the last refusal where no series is left.
    """
    good: dict[str, _Judged] = {}
    refused: UnexpectedPayloadError | None = None
    for name, series in found.items():
        try:
            good[name] = judge(series)
        except UnexpectedPayloadError as error:
            refused = error
            fetch.gap(f"fred's {error.detail}")
    if refused is not None and not good:
        raise refused
    return good


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


def collect_series(fetch: Fetch, series_id: str, start: date, end: date) -> Series:
    """Return the observations of one series from start to end; missing values are left out."""
    # Without cosd some series are served for the default window of their graph only.
    params = {"id": series_id, "cosd": start.isoformat(), "coed": end.isoformat()}
    answer = fetch.get(_PUBLISHER, _PATH, params, form="csv")
    series = parse_series(answer, series_id, fetch.left_out(f"fred's {series_id}"))
    import pyarrow.compute as pc

    observed = series.rows["observation_date"]
    inside = pc.and_(pc.greater_equal(observed, start), pc.less_equal(observed, end))
    return Series(series_id, series.url, series.rows.filter(inside))


@declared("lines of a day and a number", publisher=_PUBLISHER)
def parse_series(answer: Answer, series_id: str, name: Name = nobody) -> Series:
    """Read `<date column>,<id>` lines; an empty cell, today, or a dot, formerly, is no value.

    A few lines that cannot be read, and days that come twice with two values, are left out and
    named; raises UnexpectedPayloadError where they are more than half.
    """
    header, _, body = answer.text().partition("\n")
    columns = header.strip().split(",")
    expected = f"{series_id}: a line for each ISO day and a number"
    layout = Layout(("observation_date", "value"), "%Y-%m-%d", expected, _PUBLISHER, ("", "."))
    if len(columns) != 2 or columns[1] != series_id:
        empty = Series(series_id, answer.url, csv_rows.read(b"", layout, answer.url, name))
        raise empty.unexpected(
            f"the header is '{header.strip()[:80]}'; expected a date column and '{series_id}'."
        )
    rows = csv_rows.read(body.encode(), layout, answer.url, name)
    return Series(series_id, answer.url, rows.drop_null())


def millions_factor(series: Series, found: Mapping[str, Series]) -> float:
    """Return what turns the series into USD mn: 1, or 1000 for week averages in billions.

    `found` holds all series of the same fetch. Raises UnexpectedPayloadError for any other unit.
    """
    if series.name == "WALCL":
        series.within(*_TOTAL_ASSETS_USD_MN)
        return 1.0
    yardstick = found.get(_WEDNESDAY_LEVEL.get(series.name, "WALCL"))
    ratio = _ratio(series, yardstick) if yardstick else None
    if series.name not in _WEDNESDAY_LEVEL:
        _refuse_size(series, ratio)
        return 1.0
    if ratio is None or yardstick is None:
        return _factor_by_latest(series)
    if _SAME_UNIT[0] <= ratio <= _SAME_UNIT[1]:
        return 1.0
    if _THOUSANDTH[0] <= ratio <= _THOUSANDTH[1]:
        return 1000.0
    raise series.unexpected(
        f"is {ratio:.3g} times {yardstick.name}, the Wednesday level of the same; expected about "
        f"1 (both in USD mn) or 0.001 (USD bn). The unit of one of them has changed."
    )


def _factors(fetch: Fetch, found: Mapping[str, Series]) -> dict[str, float]:
    """Return the factor of each series; one of unclear or another unit is named and left out."""
    sound: dict[str, Series] = {}

    def judge(series: Series) -> float:
        factor = millions_factor(series, sound | {series.name: series})
        sound[series.name] = series
        return factor

    # A yardstick is judged before what is measured by it.
    order = sorted(found, key=lambda name: (name != "WALCL", name in _WEDNESDAY_LEVEL))
    return _each_series(fetch, {name: found[name] for name in order}, judge)


def _comparable(fetch: Fetch, found: Mapping[str, Series]) -> dict[str, Series]:
    """Return the series without single values in another unit than those around them."""
    return _each_series(
        fetch, found, lambda series: series.without(_slips(series), _names(fetch, series))
    )


def _slips(series: Series) -> list[tuple[date, str]]:
    """Return the days whose value is a hundred times more, or less, than the weeks around it.

    The largest change on record within a week is tenfold (reserves, September 2008), and a slip of
    the unit is a thousandfold. Swap lines come from nothing and go there.
    """
    if series.name in _MAY_BE_ZERO:
        return []
    values, slips = series.values, []
    for place, (day, value) in enumerate(zip(series.days, values, strict=True)):
        around = values[max(0, place - 2) : place] + values[place + 1 : place + 3]
        usual = median(around) if len(around) > 1 else value
        if not usual / 100 <= value <= usual * 100:
            slips.append(
                (day, f"{value:g} on {day}, {usual:g} around it. It may be in another unit.")
            )
    return slips


def _refuse_size(series: Series, share: float | None) -> None:
    """Refuse a part of the balance sheet whose share of total assets cannot be."""
    low, high = _SHARE_OF_ASSETS
    if share is None:
        if series.name not in _MAY_BE_ZERO and _factor_by_latest(series) != 1.0:
            raise series.unclear(f"latest value {series.values[-1]:g} is no USD mn.")
        return
    tiny = share < low and series.name not in _MAY_BE_TINY
    if (share == 0 and series.name in _MAY_BE_ZERO) or not (tiny or share > high):
        return
    raise series.unexpected(
        f"is {share:.3g} times WALCL, total assets; expected {low:g} to {high:g}. "
        f"The unit, USD mn, has changed."
    )


def _ratios(series: Series, yardstick: Series) -> list[tuple[date, float, float]]:
    """Return (day, value, value over yardstick) on the common days."""
    other = dict(zip(yardstick.days, yardstick.values, strict=True))
    return [
        (day, value, value / other[day])
        for day, value in zip(series.days, series.values, strict=True)
        if other.get(day)
    ]


def _ratio(series: Series, yardstick: Series) -> float | None:
    """Return the median ratio of the series to the yardstick: one odd value does not move it."""
    ratios = [ratio for _, _, ratio in _ratios(series, yardstick)]
    return median(ratios) if ratios else None


def _factor_by_latest(series: Series) -> float:
    latest = series.values[-1]
    if latest >= _MILLIONS_FROM:
        return 1.0
    if latest < _BILLIONS_BELOW:
        return 1000.0
    raise series.unclear(
        f"latest value {latest:g} may be USD mn or USD bn, and there is no "
        f"{_WEDNESDAY_LEVEL.get(series.name, 'WALCL')} to compare it with."
    )


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
            f"none of {', '.join(releases)} is served", publisher=_PUBLISHER, url=_PATH
        )
    empty = [
        name
        for name, series in found.items()
        if not series.days
        and name not in NEVER_DUE
        and releases[name].due(fetch.window.start, fetch.last_day, fetch.now)
    ]
    span = f"from {fetch.window.start} to {fetch.last_day}"
    if empty and len(empty) == len(found):
        raise _failure(failed) or EmptyAnswerError(
            f"no rows of {', '.join(empty)} {span}, where rows are due for {table.name}.",
            publisher=_PUBLISHER,
            url=found[empty[0]].url,
        )
    for name in empty:
        fetch.gap(f"{name}: fred serves no rows {span}")
    return {name: series for name, series in found.items() if series.days}


def _name_failures(fetch: Fetch, failed: Mapping[str, PublisherError]) -> None:
    """Name each series that could not be had.

    Only a gap that begins with the series' name counts as known to the next run, which then leaves
    its history alone: that is for what is not served, while a failure may pass by itself.
    """
    for name, error in failed.items():
        if isinstance(error, NotServedError):
            fetch.gap(f"{name}: not served by fred")
        else:
            problem = error.detail if error.payload else error.problem
            fetch.gap(f"fred did not give {name}: {problem.removeprefix(f'{name}: ')}")


def _failure(failed: Mapping[str, PublisherError]) -> PublisherError | None:
    """Return the failure to report where no series came, first of all one worth a retry."""
    others = [error for error in failed.values() if not isinstance(error, NotServedError)]
    transient = [error for error in others if isinstance(error, TransientError)]
    return next(iter([*transient, *others]), None)


def _reader(
    fetch: Fetch, releases: Mapping[str, Release]
) -> Callable[[str], Series | PublisherError]:
    """Return what reads one series, or says why not: one that fails does not stop the others."""

    def read(name: str) -> Series | PublisherError:
        # A negative lag is a rate announced ahead: its days after today are known already.
        end = fetch.window.end if releases[name].lag < 0 else fetch.last_day
        try:
            return fetch.understood(
                f"the series {name}", lambda: collect_series(fetch, name, fetch.window.start, end)
            )
        except PublisherError as error:
            return error

    return read


def _table(table: Table, parts: Iterable[Mapping[str, object]]) -> pa.Table:
    import pyarrow as pa

    schema = table.arrow_schema
    return pa.concat_tables(
        [schema.empty_table(), *(pa.table(dict(part), schema=schema) for part in parts)]
    )
