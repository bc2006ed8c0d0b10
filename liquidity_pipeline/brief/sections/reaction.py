"""Which assets reacted: returns between the same two moments, correlations, slopes and tests."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import Any

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.inputs import DAY_INPUTS, RESERVES
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Figure,
    Row,
    Section,
    Unit,
    fig,
    interval,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.brief.terms import ASSETS, term
from liquidity_pipeline.contracts.reach import PRICE_TABLES


def reaction(book: Book) -> Section:
    """Return the table of assets, the state of the tests, and the correlations' course."""
    return {
        "id": "reaction",
        "title": msg(N_("Which assets reacted")),
        "blocks": [
            _assets(book),
            _tests(book),
            book.chart(
                "correlations",
                msg(N_("60-session correlation with the daily drain, 95% band")),
                "ratio",
                "chart_correlations",
            ),
        ],
    }


def _assets(book: Book) -> Block:
    day: date | None = book.one("reaction_day")
    if day is None:
        what = msg(N_("Returns of the followed assets"))
        return statement("assets", book.unknown(what, "marts.asset_returns"), "unknown")
    start = book.one("reaction_start", date=day)
    correlated = {r["asset"]: r["date"] for r in book.records("newest_correlations")}
    slopes = book.one("newest_slopes")
    rows = [
        _asset(book, record["asset"], day, correlated.get(record["asset"]), slopes)
        for record in book.records("assets")
    ]
    columns = [
        msg(N_("Asset")),
        msg(N_("Return, %")),
        msg(N_("Correlation")),
        msg(N_("95% band")),
        msg(N_("Slope, % per USD 100 bn")),
        msg(N_("95% interval")),
        msg(N_("Adj. p")),
        msg(N_("Weeks")),
    ]
    text = N_(
        "Correlation with the daily drain over 60 sessions through {correlated}; slope on the "
        "weekly drain of record over 156 weeks through {slopes}; p-values are corrected for "
        "all tests of that date."
    )
    if slopes is None:
        text = N_("Correlation with the daily drain over 60 sessions through {correlated}.")
    places = {"slopes": slopes} if slopes else {}
    note = msg(text, correlated=_span(correlated.values()), **places)
    title = msg(N_("Returns from the close of {start} to that of {end}"), start=start, end=day)
    sources = ["marts.asset_returns", "marts.rolling_correlations", "marts.liquidity_sensitivity"]
    return table("assets", title, columns, rows, sources, note=note)


_CORRELATION: tuple[tuple[str, str, Unit, str], ...] = (
    ("r", "correlation", "ratio", N_("{asset}: correlation with the daily drain")),
    ("r_low", "correlation_low", "ratio", N_("{asset}: correlation, lower end")),
    ("r_high", "correlation_high", "ratio", N_("{asset}: correlation, upper end")),
)
_SLOPE: tuple[tuple[str, str, Unit, str], ...] = (
    ("beta", "beta * 100", "pct_per_100bn", N_("{asset}: slope on the weekly drain")),
    ("beta_low", "beta_low * 100", "pct_per_100bn", N_("{asset}: slope, lower end")),
    ("beta_high", "beta_high * 100", "pct_per_100bn", N_("{asset}: slope, upper end")),
    ("p", "p_value_adjusted", "ratio", N_("{asset}: adjusted p-value of the slope")),
    ("n", "n_obs", "count", N_("{asset}: weeks used for the slope")),
)


def _span(days: Collection[date]) -> Any:
    """Return the day that they all are, or between which days they lie."""
    if not days:
        return msg(N_("(not known)"))
    first, last = min(days), max(days)
    if first == last:
        return last
    return msg(N_("{first} to {last}, by asset"), first=first, last=last)


_RETURN: tuple[tuple[str, str, Unit, str], ...] = (
    ("return", "return_5d_new_york_pct", "pct", N_("{asset}: return over five sessions")),
)


def _asset(book: Book, asset: str, day: date, correlated: date | None, slopes: date | None) -> Row:
    (returned,) = _read(book, asset, _RETURN, "asset_return", on=day)
    r, low, high = _read(
        book, asset, _CORRELATION, "correlation", on=correlated, rests_on=DAY_INPUTS
    )
    # The correction of the p-values counts the tests on settlements too.
    slope_inputs = frozenset({RESERVES, *book.lacking})
    slope = _read(book, asset, _SLOPE, "slope", on=slopes, rests_on=slope_inputs)
    beta, beta_low, beta_high, p, n = slope
    return row(
        term(ASSETS, asset),
        fig(returned, "signed"),
        fig(r, "signed"),
        interval(low, high),
        fig(beta, "signed"),
        interval(beta_low, beta_high),
        fig(p),
        fig(n),
    )


def _read(
    book: Book,
    asset: str,
    parts: Iterable[tuple[str, str, Unit, str]],
    query: str,
    *,
    on: date | None,
    rests_on: frozenset[str] = frozenset(),
) -> list[Figure]:
    """Read figures of an asset on a day, which rest on its prices and on other inputs."""
    prices = frozenset(f"{table}/{asset}" for table in PRICE_TABLES)
    return [
        book.figure(
            f"asset.{asset}.{suffix}",
            msg(label, asset=term(ASSETS, asset)),
            unit,
            query,
            date=on,
            rests_on=prices | rests_on,
            asset=asset,
            column=column,
        )
        for suffix, column, unit, label in parts
    ]


def _tests(book: Book) -> Block:
    day: date | None = book.one("newest_slopes")
    if day is None:
        what = msg(N_("Whether assets respond to the drain"))
        told = book.unknown(what, "marts.liquidity_sensitivity", rests_on={RESERVES})
        return statement("tests", told, "unknown")
    estimated, found, tests = (
        book.figure(f"tests.{suffix}", msg(label), "count", name, date=day)
        for suffix, name, label in (
            ("estimated", "slopes_estimated", N_("Assets with a slope on the drain")),
            ("found", "slopes_found", N_("Slopes that differ from zero at 5%, adjusted")),
            ("tests", "slope_tests", N_("Tests that the p-values are corrected for")),
        )
    )
    if found["value"] is None:
        what = msg(N_("Slopes that differ from zero at 5%, adjusted"))
        told = book.unknown(what, "marts.liquidity_sensitivity", rests_on=set(book.lacking))
        return statement("tests", told, "unknown")
    text = N_(
        "What the tests say, over the 156 weeks through {date}: once {tests} tests are corrected "
        "for, a slope on the drain that differs from zero at 5% is found for {found} of "
        "{estimated} assets. "
        "What they cannot say: a slope that is not found is not shown to be zero, for three years "
        "of weeks detect only strong effects; and none of this shows cause."
    )
    places = {"estimated": fig(estimated), "found": fig(found), "tests": fig(tests)}
    return statement("tests", msg(text, date=day, **places))
