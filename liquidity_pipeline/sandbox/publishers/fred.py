"""FRED's key-less CSV: one date column, one column a series, an empty cell for a missing value.

Weekdays without a value are there as empty rows. S&P's index is cut to ten years and ICE's spreads
to three, as their licences want. Series of different frequencies come as a ZIP of CSV files.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from liquidity_pipeline.sandbox import clock, days, policy
from liquidity_pipeline.sandbox.balance_sheet import (
    REVERSE_REPO_FACILITY,
    bank_assets,
    bank_loans,
    weekly,
)
from liquidity_pipeline.sandbox.clock import Release
from liquidity_pipeline.sandbox.days import FloatArray, IntArray
from liquidity_pipeline.sandbox.economy import Economy
from liquidity_pipeline.sandbox.funding import FIRST_DAY
from liquidity_pipeline.sandbox.publishers.wire import HTML, Reply, Request, World, not_found

DAILY, WEEKLY = "daily", "weekly_ending_wednesday"
_UNKNOWN_SERIES = (
    '<!DOCTYPE html>\n<html lang="en">\n<head><title>Error - St. Louis Fed</title></head>\n'
    "<body><h1>404</h1><p>The series does not exist in FRED but may exist in other data "
    "sources.</p></body>\n</html>\n"
)
_TERM_FUNDING_SINCE = days.day(2023, 3, 15)
# IORB is published one business day ahead of its date.
_AHEAD = Release(days.is_fed, 0, 0)


@dataclass(frozen=True)
class Series:
    """One series: dates, texts, how often, how it is released, and how many years are shown."""

    dates: list[int]
    values: list[str]
    frequency: str
    release: Release
    years: int = 0


PREFIX = "fred"


def answer(world: World, request: Request) -> Reply:
    """Answer one request below `/fred`."""
    if request.path != "graph/fredgraph.csv":
        return not_found()
    given = request.parameters
    names = [name for name in given.get("id", "").split(",") if name]
    if not names or any(name not in _MAKERS for name in names):
        return Reply(404, _UNKNOWN_SERIES, HTML)
    known = {name: _series(world, name) for name in names}
    cut = (given.get("cosd", ""), given.get("coed") or "9999")
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(known[name].frequency, []).append(name)
    files = {
        frequency: _csv(world, {name: known[name] for name in members}, cut)
        for frequency, members in groups.items()
    }
    if len(files) == 1:
        return _attachment(next(iter(files.values())), "application/csv", "fredgraph.csv")
    return _attachment(_zipped(files), "application/zip", "fredgraph.zip")


def _attachment(body: str | bytes, kind: str, name: str) -> Reply:
    return Reply(200, body, kind, {"Content-Disposition": f'attachment; filename="{name}"'})


def _zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for frequency, text in files.items():
            archive.writestr(zipfile.ZipInfo(f"{frequency}.csv", (2026, 1, 1, 0, 0, 0)), text)
    return buffer.getvalue()


def _csv(world: World, columns: dict[str, Series], cut: tuple[str, str]) -> str:
    cells = {name: _visible(world, series, cut) for name, series in columns.items()}
    dates = sorted(set().union(*cells.values()))
    lines = ["observation_date," + ",".join(columns)]
    lines += [",".join([date, *(cell.get(date, "") for cell in cells.values())]) for date in dates]
    return "\n".join(lines) + "\n"


def _visible(world: World, series: Series, cut: tuple[str, str]) -> dict[str, str]:
    first = world.start
    if series.years:
        first = max(first, days.add_months(world.today, -12 * series.years))
    last = days.shift(world.today, 1) if series.release is _AHEAD else None
    last = world.last_public(series.release) if last is None else last
    return {
        date: value
        for day, value in zip(series.dates, series.values, strict=True)
        if first <= day <= last and cut[0] <= (date := days.iso(day)) <= cut[1]
    }


def _series(world: World, name: str) -> Series:
    return world.once(f"fred {name}", lambda: _MAKERS[name](world.economy))


def _weekly_level(balance: Callable[[Economy], IntArray]) -> Callable[[Economy], Series]:
    return lambda economy: _week_series(economy, balance(economy), average=False)


def _weekly_average(balance: Callable[[Economy], IntArray]) -> Callable[[Economy], Series]:
    return lambda economy: _week_series(economy, balance(economy), average=True)


def _week_series(economy: Economy, balance: IntArray, *, average: bool) -> Series:
    weeks = weekly(economy.days, balance)
    values = weeks.average if average else weeks.level
    texts = [str(value) for value in values.tolist()]
    return Series(weeks.wednesdays.tolist(), texts, WEEKLY, clock.BALANCE_SHEET)


def _bank(balance: Callable[[Economy], FloatArray]) -> Callable[[Economy], Series]:
    """Give a line of the banks' balance sheet (H.8): Wednesdays, USD bn."""

    def make(economy: Economy) -> Series:
        weeks = weekly(economy.days, np.rint(balance(economy)).astype(np.int64))
        texts = [f"{value / 1000:.1f}" for value in weeks.level.tolist()]
        return Series(weeks.wednesdays.tolist(), texts, WEEKLY, clock.BANK_BALANCE_SHEET)

    return make


def _term_funding_programme(economy: Economy) -> Series:
    """Give the loans of the Bank Term Funding Program, which no bank used in this simulation."""
    weeks = weekly(economy.days, np.zeros_like(economy.sheet.tga))
    on = weeks.wednesdays[weeks.wednesdays >= _TERM_FUNDING_SINCE].tolist()
    return Series(on, ["0"] * len(on), WEEKLY, clock.BALANCE_SHEET)


def _daily(on: IntArray, texts: list[str], release: Release, years: int = 0) -> Series:
    """Return a row for each weekday, empty where there is no value."""
    by_day = dict(zip(on.tolist(), texts, strict=True))
    shown = [
        day for day in range(int(on[0]), int(on[-1]) + 1) if days.is_weekday(day) or day in by_day
    ]
    return Series(shown, [by_day.get(day, "") for day in shown], DAILY, release, years)


def _reverse_repos(economy: Economy) -> Series:
    on = economy.funding.secured & (economy.days >= REVERSE_REPO_FACILITY)
    amounts = economy.sheet.on_rrp[on].tolist()
    texts = [f"{amount / 1000:.3f}" for amount in amounts]
    return _daily(economy.days[on], texts, clock.REVERSE_REPO)


def _reverse_repo_rate(economy: Economy) -> Series:
    on = economy.funding.secured & (economy.days >= REVERSE_REPO_FACILITY)
    texts = [f"{rate:.2f}" for rate in policy.reverse_repo_rate(economy.days[on]).tolist()]
    return _daily(economy.days[on], texts, clock.REVERSE_REPO)


def _rate(name: str) -> Callable[[Economy], Series]:
    def make(economy: Economy) -> Series:
        on = economy.days >= FIRST_DAY[name]
        release = clock.UNSECURED_RATES
        if name not in {"EFFR", "OBFR"}:
            on, release = on & economy.funding.secured, clock.SECURED_RATES
        texts = [f"{value:.2f}" for value in economy.funding.rate[name][on].tolist()]
        return _daily(economy.days[on], texts, release)

    return make


def _interest_on_reserves(first: int, last: int | None) -> Callable[[Economy], Series]:
    """Give IOER, and IORB after it, on every calendar day."""

    def make(economy: Economy) -> Series:
        end = int(economy.days[-1]) if last is None else last
        on = np.arange(first, end + 1)
        texts = [f"{value:.2f}" for value in policy.policy_rate(on).tolist()]
        return Series(on.tolist(), texts, DAILY, _AHEAD)

    return make


def _par_yield(column: int) -> Callable[[Economy], Series]:
    def make(economy: Economy) -> Series:
        on = np.array([days.has_par_yields(day) for day in economy.days.tolist()])
        texts = [f"{value:.2f}" for value in economy.curve.yields[on, column].tolist()]
        return _daily(economy.days[on], texts, clock.FRED_DAILY)

    return make


def _volatility(economy: Economy) -> Series:
    found = economy.indicators
    texts = [f"{value:.2f}" for value in found.vix[:, 3].tolist()]
    return _daily(found.vix_days, texts, clock.FRED_VOLATILITY)


def _credit_spread(*, high_yield: bool) -> Callable[[Economy], Series]:
    """Weekdays, and month-ends that fall on a weekend with the value of the Friday before."""

    def make(economy: Economy) -> Series:
        found = economy.indicators
        values = found.high_yield if high_yield else found.investment_grade
        by_day = dict(zip(found.weekdays.tolist(), values.tolist(), strict=True))
        by_day = {day: value for day, value in by_day.items() if _has_spreads(day)}
        for day in range(int(found.weekdays[0]), int(found.weekdays[-1])):
            if not days.is_weekday(day) and day == days.month_end(day):
                by_day[day] = by_day[days.on_or_before(day, _has_spreads)]
        on = np.array(sorted(by_day))
        texts = [f"{by_day[day]:.2f}" for day in on.tolist()]
        return _daily(on, texts, clock.FRED_CREDIT, years=3)

    return make


def _has_spreads(day: int) -> bool:
    """Weekdays but Christmas, New Year and a Good Friday without bond trading."""
    when = days.date_of(day)
    good_friday = day == days.easter(when.year) - 2 and not days.has_par_yields(day)
    return (
        days.is_weekday(day)
        and (when.month, when.day) not in {(12, 25), (1, 1)}
        and not good_friday
    )


def _index(symbol: str, decimals: int, years: int) -> Callable[[Economy], Series]:
    def make(economy: Economy) -> Series:
        prices = economy.markets.prices(symbol)
        narrow = prices.close.astype(np.float32).astype(float).tolist()
        texts = [f"{value:.{decimals}f}" for value in narrow]
        return _daily(prices.days, texts, clock.SESSION_CLOSE, years)

    return make


_MAKERS: dict[str, Callable[[Economy], Series]] = {
    "WALCL": _weekly_level(lambda e: e.sheet.total_assets),
    "WDTGAL": _weekly_level(lambda e: e.sheet.tga),
    "WTREGEN": _weekly_average(lambda e: e.sheet.tga),
    "WRBWFRBL": _weekly_level(lambda e: e.sheet.reserves),
    "WRESBAL": _weekly_average(lambda e: e.sheet.reserves),
    "WLFN": _weekly_level(lambda e: e.sheet.currency),
    "WLRRAL": _weekly_level(lambda e: e.sheet.on_rrp + e.sheet.foreign_rrp),
    "WLRRAFOIAL": _weekly_level(lambda e: e.sheet.foreign_rrp),
    "WLRRAOL": _weekly_level(lambda e: e.sheet.on_rrp),
    "WLODLL": _weekly_level(lambda e: e.sheet.reserves),
    "WDFOL": _weekly_level(lambda e: e.sheet.foreign_official),
    "WLDLCL": _weekly_level(lambda e: e.sheet.deposits),
    "WLTLECL": _weekly_level(lambda e: e.sheet.total_liabilities),
    "WORAL": _weekly_level(lambda e: e.sheet.repos),
    "WLCFLPCL": _weekly_level(lambda e: e.sheet.primary_credit),
    "H41RESPPALDKNWW": _term_funding_programme,
    "TREAST": _weekly_level(lambda e: e.sheet.treasuries),
    "WSHOMCB": _weekly_level(lambda e: e.sheet.mbs),
    "SWPT": _weekly_level(lambda e: e.sheet.swaps),
    "IORB": _interest_on_reserves(policy.INTEREST_ON_RESERVE_BALANCES, None),
    "IOER": _interest_on_reserves(
        policy.INTEREST_ON_EXCESS_RESERVES, policy.INTEREST_ON_RESERVE_BALANCES - 1
    ),
    "TLAACBW027SBOG": _bank(lambda e: bank_assets(e.days)),
    "TOTLL": _bank(lambda e: bank_loans(e.seed, e.days)),
    "RRPONTSYD": _reverse_repos,
    "SOFR": _rate("SOFR"),
    "EFFR": _rate("EFFR"),
    "OBFR": _rate("OBFR"),
    "RRPONTSYAWARD": _reverse_repo_rate,
    "DGS2": _par_yield(0),
    "DGS10": _par_yield(1),
    "DGS30": _par_yield(2),
    "VIXCLS": _volatility,
    "BAMLC0A0CM": _credit_spread(high_yield=False),
    "BAMLH0A0HYM2": _credit_spread(high_yield=True),
    "SP500": _index("^GSPC", 2, 10),
    "NASDAQCOM": _index("^IXIC", 3, 0),
}
SERIES = tuple(_MAKERS)
