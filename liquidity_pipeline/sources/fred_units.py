"""In which unit a series of FRED is served, judged by its size.

FRED's CSV does not state the unit, and the unit of some series has changed. The size of a series
against a related one tells it; where it does not, the series is left out and named.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from statistics import median
from typing import TYPE_CHECKING, TypeVar

from liquidity_pipeline.contracts.sources.markets import MARKET_SERIES_IDS
from liquidity_pipeline.sources.boundary import Name
from liquidity_pipeline.sources.errors import (
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fred_series import Series

if TYPE_CHECKING:
    pass

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

_WEDNESDAY = 3
_Judged = TypeVar("_Judged")


def plausible(fetch: Fetch, found: Mapping[str, Series]) -> dict[str, Series]:
    """Return the series without what cannot be; one whose unit has changed is a named gap."""
    bounds = {name: _PLAUSIBLE[MARKET_SERIES_IDS[name][1]] for name in found}
    return _each_series(
        fetch, found, lambda series: series.within(*bounds[series.name], _names(fetch, series))
    )


def comparable(fetch: Fetch, found: Mapping[str, Series]) -> dict[str, Series]:
    """Return the series of H.4.1 without values of another day, or in another unit than others."""

    def judge(series: Series) -> Series:
        name = _names(fetch, series)
        series = series.without(_other_days(series), name)
        return series.without(_slips(series), name)

    return _each_series(fetch, found, judge)


def factors(fetch: Fetch, found: Mapping[str, Series]) -> dict[str, float]:
    """Return the factor of each series; one of unclear or another unit is named and left out."""
    sound: dict[str, Series] = {}

    def judge(series: Series) -> float:
        factor = _millions_factor(series, sound | {series.name: series})
        sound[series.name] = series
        return factor

    # A yardstick is judged before what is measured by it.
    order = sorted(found, key=lambda name: (name != "WALCL", name in _WEDNESDAY_LEVEL))
    return _each_series(fetch, {name: found[name] for name in order}, judge)


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


def _names(fetch: Fetch, series: Series) -> Name:
    return lambda problem: fetch.gap(f"fred's {series.name}: {problem}")


def _millions_factor(series: Series, found: Mapping[str, Series]) -> float:
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


def _other_days(series: Series) -> list[tuple[date, str]]:
    """Return the days that are no Wednesday: H.4.1 is stated for Wednesdays alone.

    A row of another day would be the end of a week in the marts.
    """
    return [
        (day, f"a value on {day}; expected Wednesdays")
        for day in series.days
        if day.isoweekday() != _WEDNESDAY
    ]


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
