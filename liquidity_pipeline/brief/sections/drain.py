"""The drain of the week in both conventions, against its season, and the commentary's sentence."""

from __future__ import annotations

from datetime import date
from typing import Any

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.inputs import RESERVES, WEEK_INPUTS
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Figure,
    Row,
    Section,
    fig,
    interval,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.brief.terms import COMPONENTS, SEASONAL, term

# With three years of weeks of each.
_SEASON_INPUTS = frozenset({RESERVES, "debt_settlements/auctions"})
_WEEK_INPUTS = frozenset(WEEK_INPUTS)
# What the market convention counts, with what makes it more exact.
_SETTLED = frozenset({"debt_settlements/auctions", "debt_settlements/buybacks"})


def drain(book: Book) -> Section:
    """Return the section; each block names its week."""
    return {
        "id": "drain",
        "title": msg(N_("Drain of the week")),
        "blocks": [
            _commentary(book),
            _accounting(book),
            _components(book),
            *_components_behind(book),
            _season(book),
            book.chart(
                "drain",
                msg(
                    N_("Weekly drain by component, reserve accounting, {unit}"),
                    unit=msg(N_("USD bn")),
                ),
                "usd_mn",
                "chart_drain",
            ),
            book.chart(
                "season",
                msg(N_("Reserve drain against its season, {unit}"), unit=msg(N_("USD bn"))),
                "usd_mn",
                "chart_season",
            ),
        ],
    }


def _components(book: Book) -> Block:
    week: date | None = book.one("newest_drain_week")
    if week is None:
        what = msg(N_("The drain of the H.4.1 week"))
        told = book.unknown(what, "marts.weekly_drains", rests_on=_WEEK_INPUTS)
        return statement("components", told, "unknown")
    records = book.records("drain_components", week=week)
    rows = [_component_row(book, week, record["component"]) for record in records]
    columns = [
        msg(N_("Component")),
        msg(N_("Amount, {unit}"), unit=msg(N_("USD bn"))),
        msg(N_("Reserve accounting")),
        msg(N_("Market convention")),
        msg(N_("Net of buybacks")),
    ]
    note = msg(
        N_(
            "Reserve accounting closes to the fall of reserve balances: settlement proceeds land "
            "in the Treasury's account and are counted there. The market convention counts "
            "settlements and bill purchases and does not close. The two are never added. Net of "
            "buybacks, settlements are less what the Treasury bought back."
        )
    )
    title = msg(N_("Drain by component, week ending {week}"), week=week)
    return table("components", title, columns, rows, ["marts.weekly_drains"], note=note)


def _components_behind(book: Book) -> list[Block]:
    """Say why the newest week of the balance sheet is not told apart by component."""
    shown, newest = (
        book.one("newest_drain_week"),
        book.one("newest_date", series="series_reserve_drain"),
    )
    if shown is None or newest is None or newest <= shown:
        return []
    what = msg(N_("The components of the week ending {week}"), week=newest)
    told = book.unknown(what, "marts.weekly_drains", rests_on=_WEEK_INPUTS)
    return [statement("components_behind", told, "unknown")]


def _component_row(book: Book, week: date, component: str) -> Row:
    """Return a component's amount and its drain in both conventions; a total has no amount."""
    label = term(COMPONENTS, component)
    cells: list[dict[str, Any]] = []
    for column, suffix, name in (
        ("amount_usd_mn", "amount", N_("{what}: amount")),
        ("drain_reserves_usd_mn", "accounting", N_("{what}: reserve accounting")),
        ("drain_headline_usd_mn", "market", N_("{what}: market convention")),
        (
            "drain_headline_net_of_buybacks_usd_mn",
            "market_net",
            N_("{what}: market convention, net of buybacks"),
        ),
    ):
        if component == "total" and suffix == "amount":
            cells.append({"text": ""})
            continue
        figure = book.figure(
            f"drain.{component}.{suffix}",
            msg(name, what=label),
            "usd_mn",
            "drain_component",
            date=week,
            rests_on=_SETTLED | set(book.lacking) if suffix.startswith("market") else frozenset(),
            week=week,
            component=component,
            column=column,
        )
        cells.append(fig(figure, "signed"))
    return row(label, *cells, total=component == "total")


def _season(book: Book) -> Block:
    newest = {record["component"]: record for record in book.records("season_weeks")}
    rows = [
        _season_row(book, component, label, newest[component]["week_ending"])
        for component, label in SEASONAL.items()
        if component in newest
    ]
    if not rows:
        what = msg(N_("The usual season"))
        text = book.unknown(what, "marts.drain_seasonality", rests_on=_SEASON_INPUTS)
        return statement("season", text, "unknown")
    columns = [
        msg(N_("Against the season")),
        msg(N_("Week ending")),
        msg(N_("Actual")),
        msg(N_("Expected")),
        msg(N_("95% band")),
        msg(N_("Std. dev.")),
    ]
    title = msg(
        N_("Against the usual season, {unit}, as of {date}"),
        unit=msg(N_("USD bn")),
        date=book.as_of,
    )
    return table("season", title, columns, rows, ["marts.drain_seasonality"])


def _season_row(book: Book, component: str, label: str, week: date) -> Row:
    """Return a component's drain in a week, what the season would have, and the surprise."""
    figures: list[Figure] = []
    for column, name, unit in (
        ("actual_usd_mn", N_("{what}: actual"), "usd_mn"),
        ("expected_usd_mn", N_("{what}: seasonal expectation"), "usd_mn"),
        ("expected_low_usd_mn", N_("{what}: lower end of the band"), "usd_mn"),
        ("expected_high_usd_mn", N_("{what}: upper end of the band"), "usd_mn"),
        ("surprise_sd", N_("{what}: surprise in standard deviations"), "sd"),
    ):
        figure = book.figure(
            f"season.{component}.{column.removesuffix('_usd_mn')}",
            msg(name, what=msg(label)),
            unit,  # type: ignore[arg-type]
            "season",
            date=week,
            week=week,
            component=component,
            column=column,
        )
        figures.append(figure)
    actual, expected, low, high, surprise = figures
    for each in (low, high, surprise):
        if each["value"] is None and expected["value"] is not None:
            text = N_("a band needs 52 earlier expectations, and each three years of weeks before")
            book.reason(each, msg(text))
    cells = [fig(each, "signed") for each in (actual, expected, surprise)]
    return row(msg(label), week, *cells[:2], interval(low, high), cells[2])


def _commentary(book: Book) -> Block:
    """Return the sentence that market commentary would write about the newest settled week."""
    week: date | None = book.one("newest_settled_week")
    if week is None:
        what = msg(N_("The net settlement of bills"))
        return statement("commentary", book.unknown(what, "marts.weekly_settlements"), "unknown")
    figure = book.figure(
        "commentary.net_bills",
        msg(N_("Net settlement of regular bills in the commentary's week")),
        "usd_mn",
        "commentary_net_bills",
        date=week,
    )
    if figure["value"] is None:
        what = msg(N_("The net settlement of bills in the week of {week}"), week=week)
        return statement("commentary", book.unknown(what, "marts.weekly_settlements"), "unknown")
    if figure["value"] >= 0:
        text = N_(
            "As the commentary would put it: in the week of {week} the Treasury drained {amount} "
            "through net settlement of bills."
        )
    else:
        text = N_(
            "As the commentary would put it: in the week of {week} the Treasury released {amount} "
            "through net redemption of bills."
        )
    return statement("commentary", msg(text, week=week, amount=fig(figure, "full_size")))


# By whether reserves fell.
_RESERVES_ALONE = {
    True: N_(
        "What the accounting says: over the H.4.1 week ending {week} reserves fell by {reserves}."
    ),
    False: N_(
        "What the accounting says: over the H.4.1 week ending {week} reserves rose by {reserves}."
    ),
}
# By whether the account rose and whether reserves fell.
_ACCOUNT_AND_RESERVES = {
    (True, True): N_(
        "What the accounting says: over the H.4.1 week ending {week} the Treasury's account "
        "rose by {tga} and reserves fell by {reserves}. The proceeds of settlements are "
        "part of the first figure and are not counted again."
    ),
    (True, False): N_(
        "What the accounting says: over the H.4.1 week ending {week} the Treasury's account "
        "rose by {tga} and reserves rose by {reserves}. The proceeds of settlements are "
        "part of the first figure and are not counted again."
    ),
    (False, True): N_(
        "What the accounting says: over the H.4.1 week ending {week} the Treasury's account "
        "fell by {tga} and reserves fell by {reserves}. The Treasury paid out more than it "
        "took in, the proceeds of settlements included."
    ),
    (False, False): N_(
        "What the accounting says: over the H.4.1 week ending {week} the Treasury's account "
        "fell by {tga} and reserves rose by {reserves}. The Treasury paid out more than it "
        "took in, the proceeds of settlements included."
    ),
}


def _accounting(book: Book) -> Block:
    """State what the balance sheet shows: the same dollars, counted once."""
    week: date | None = book.one("newest_date", series="series_reserve_drain")
    if week is None:
        what = msg(N_("What the accounting says"))
        told = book.unknown(what, "marts.reserve_drains", rests_on={RESERVES})
        return statement("accounting", told, "unknown")
    reserves = book.figure(
        "accounting.reserves",
        msg(N_("Fall of reserve balances")),
        "usd_mn",
        "reserve_week",
        date=week,
        week=week,
        column="drain_reserves_usd_mn",
    )
    tga = book.figure(
        "accounting.tga",
        msg(N_("Rise of the Treasury General Account")),
        "usd_mn",
        "reserve_week",
        date=week,
        week=week,
        column="d_tga_usd_mn",
    )
    fell = (reserves["value"] or 0) >= 0
    if tga["value"] is None:
        text = _RESERVES_ALONE[fell]
        return statement("accounting", msg(text, week=week, reserves=fig(reserves, "full_size")))
    text = _ACCOUNT_AND_RESERVES[tga["value"] >= 0, fell]
    places = {"tga": fig(tga, "full_size"), "reserves": fig(reserves, "full_size")}
    return statement("accounting", msg(text, week=week, **places))
