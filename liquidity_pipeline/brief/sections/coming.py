"""What is coming: settlements by day for four weeks, and the dates that matter."""

from __future__ import annotations

from typing import Any

from liquidity_pipeline.brief.book import Book, Record
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Message,
    Row,
    Section,
    Style,
    counted,
    fig,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.brief.terms import EVENTS, term
from liquidity_pipeline.contracts.reach import RETIRED
from liquidity_pipeline.contracts.settlements.outlook import SETTLEMENT_OUTLOOK

# The effect on the repo rate takes the newest slope, which these inputs have to reach.
_SLOPE_INPUTS = frozenset(
    f"{each.table}/{each.entity}".rstrip("/")
    for each in SETTLEMENT_OUTLOOK.rests_on
    if "funding_effect_bp" in each.columns
) | {"debt_settlements/auctions", "upcoming_settlements/auctions"}
# The columns that are not sums over the classes of a day.
_QUERIES = {
    "net": "coming_day_net",
    "effect": "coming_day_effect",
}
# What matures is not known only where it is not known what buybacks had retired of it.
_RETIRED = frozenset({RETIRED.table})
_RESTS_ON = {"effect": _SLOPE_INPUTS, "maturing": _RETIRED, "refinancing": _RETIRED}
_COLUMNS = (
    ("auctioned_usd_mn", "auctioned", N_("Issues auctioned, settling {date}")),
    ("announced_usd_mn", "announced", N_("Issues announced, settling {date}")),
    ("redeemed_usd_mn", "maturing", N_("Maturing on {date}")),
    ("refinancing_usd_mn", "refinancing", N_("Maturing on {date}, refinancing not announced")),
    ("net_public_usd_mn", "net", N_("Net paid by the public on {date}, as announced")),
    ("net_public_expected_usd_mn", "expected", N_("Net expected to be paid on {date}")),
    ("funding_effect_bp", "effect", N_("Expected effect on the overnight repo rate on {date}")),
)


def coming(book: Book) -> Section:
    """Return the calendar of settlements, its sum, and the dates ahead."""
    return {
        "id": "coming",
        "title": msg(N_("What is coming")),
        "blocks": [
            _calendar(book),
            *_total(book),
            *_assumed(book),
            *_public_share(book),
            _dates(book),
            book.chart(
                "settlements",
                msg(N_("Net settlement paid by the public by day, {unit}"), unit=msg(N_("USD bn"))),
                "usd_mn",
                "chart_settlements",
            ),
        ],
    }


def _calendar(book: Book) -> Block:
    days = book.records("coming_days")
    if not days:
        what = msg(N_("Settlements of the next four weeks"))
        return statement("calendar", book.unknown(what, "marts.settlement_outlook"), "unknown")
    columns = [
        msg(N_("Settles on")),
        msg(N_("Auctioned")),
        msg(N_("Announced")),
        msg(N_("Maturing")),
        msg(N_("To be refinanced")),
        msg(N_("Net, announced")),
        msg(N_("Net, expected")),
        msg(N_("Repo, bp")),
        msg(N_("State")),
    ]
    note = msg(
        N_(
            "What matures without an announced issue is expected to be rolled over; it is in "
            "“to be refinanced” and not in the announced net. The expected net takes regular "
            "issues at the size of their last. Buybacks are not subtracted. Repo: expected effect "
            "of coupons on the overnight rate."
        )
    )
    title = msg(
        N_("Treasury settlements from {date} to {end}, {unit}"),
        date=days[0]["settlement_date"],
        end=days[-1]["settlement_date"],
        unit=msg(N_("USD bn")),
    )
    rows = [_day(book, day) for day in days]
    return table("calendar", title, columns, rows, ["marts.settlement_outlook"], note=note)


def _day(book: Book, day: Record) -> Row:
    settles = day["settlement_date"]
    cells: list[Any] = []
    for column, suffix, name in _COLUMNS:
        figure = book.figure(
            f"coming.{settles}.{suffix}",
            msg(name, date=settles),
            "bp" if suffix == "effect" else "usd_mn",
            _QUERIES.get(suffix, "coming_day"),
            date=settles,
            rests_on=_RESTS_ON.get(suffix, frozenset()),
            column=column,
        )
        # Of a day of which nothing is announced there is no net, whatever else is not known.
        is_open = not (day["has_auctioned"] or day["has_announced"])
        awaits_issues = day["has_refinancing"] and (is_open or not book.lacking)
        if suffix == "net" and figure["value"] is None and awaits_issues:
            text = N_("of what matures on these days, not all new issues are announced yet")
            book.reason(figure, msg(text))
        if suffix == "effect" and figure["value"] is None and not book.blamed[figure["id"]]:
            book.reason(figure, msg(N_("no effect of settlements on the repo rate is estimated")))
        # An amount of nothing is left blank; a net that is not known is said to be so, and so is
        # the effect of a day that has coupons.
        is_net = suffix in ("net", "expected")
        is_told = is_net or (suffix == "effect" and day["has_coupons"])
        is_told |= suffix in ("maturing", "refinancing") and figure["value"] is None
        blank = not is_told and not figure["value"]
        style: Style = "signed" if is_net or suffix == "effect" else "plain"
        cells.append(msg("") if blank else fig(figure, style))
    return row({"date": settles.isoformat(), "style": "weekday"}, *cells, _state(day))


def _state(day: Record) -> Message:
    if not day["has_refinancing"]:
        return msg(N_("announced")) if day["has_announced"] else msg(N_("auctioned"))
    if day["has_announced"] or day["has_auctioned"]:
        return msg(N_("partly announced"))
    return msg(N_("roll-over expected"))


def _total(book: Book) -> list[Block]:
    if not book.holds("marts.settlement_outlook"):
        return []
    end = book.one("coming_horizon")
    net, refinancing = (
        book.figure(
            f"coming.{suffix}",
            msg(name, date=end),
            "usd_mn",
            statement_name,
            date=end,
            rests_on=_RESTS_ON.get(suffix, frozenset()),
            column=column,
        )
        for suffix, column, statement_name, name in (
            (
                "net",
                "net_public_usd_mn",
                "coming_total",
                N_("Announced net settlement through {date}"),
            ),
            (
                "refinancing",
                "refinancing_usd_mn",
                "coming_total_amount",
                N_("Still to be refinanced through {date}"),
            ),
        )
    )
    if net["value"] is None:
        what = msg(N_("Net settlement announced through {end}"), end=end)
        unknown = book.unknown(what, "marts.settlement_outlook", rests_on=set(book.lacking))
        return [statement("coming_total", unknown, "unknown")]
    text = N_(
        "Known by {as_of} for the days through {end}: net settlement of {net} paid by the public; "
        "a further {refinancing} matures with no issue announced yet."
    )
    places = {"net": fig(net, "full"), "refinancing": fig(refinancing, "full")}
    return [statement("coming_total", msg(text, as_of=book.as_of, end=end, **places))]


def _assumed(book: Book) -> list[Block]:
    """Say from which day on the Fed's part of what matures is not published."""
    first = book.one("first_assumed")
    if first is None:
        return []
    text = N_(
        "From {date} on, what the Federal Reserve holds of some maturing securities is assumed, "
        "because it is not published."
    )
    return [statement("coming_assumed", msg(text, date=first), "unknown")]


def _public_share(book: Book) -> list[Block]:
    """Say why the public's share is not known, and that face amounts do not depend on it."""
    if not book.lacking or not book.holds("marts.settlement_outlook"):
        return []
    why = book.why_unknown(["marts.settlement_outlook"], set(book.lacking), only=True)
    text = N_(
        "The public's share of settlements is not known where it depends on the Federal Reserve's "
        "holdings of the maturing securities, because {why}. Issues, maturities and settled nets "
        "at face value do not depend on it."
    )
    if RETIRED.table in book.lacking:
        text = N_(
            "The public's share of settlements, and the amount of notes and bonds still to mature, "
            "are not known where buybacks may have retired some of them, because {why}. Issues, "
            "and bills at face value, do not depend on it."
        )
    return [statement("coming_public", msg(text, why=why), "unknown")]


def _dates(book: Book) -> Block:
    """Return the dates ahead, and say of each kind that the record does not reach them."""
    end = book.one("coming_horizon")
    listed: list[tuple[Any, Message]] = [
        (event["date"], term(EVENTS, event["kind"])) for event in book.records("events_ahead")
    ]
    listed += [(tax["date"], msg(N_("Federal tax date"))) for tax in book.records("tax_dates")]
    listed += [
        (last["date"], msg(N_("Quarter-end") if last["ends_quarter"] else N_("Month-end")))
        for last in book.records("period_ends")
    ]
    rows = [
        row({"date": day.isoformat(), "style": "weekday"}, what)
        for day, what in sorted(listed, key=lambda entry: entry[0])
    ]
    for week in book.records("refunding_weeks"):
        about = msg(N_("about {date}"), date={"date": week["date"].isoformat(), "style": "weekday"})
        what = msg(N_("Quarterly refunding statement, by custom; its day is not stored"))
        rows.append(row(about, what, tone="unknown"))
    held_through = book.one("last_of_kind", kind="fomc_decision")
    if held_through is None or held_through < end:
        stored = msg(N_("no date stored"))
        if held_through is not None:
            stored = msg(N_("none stored after {date}"), date=held_through)
        rows.append(row(stored, term(EVENTS, "fomc_decision"), tone="unknown"))
    title = counted(
        "{n} date ahead, {date} to {end}",
        "{n} dates ahead, {date} to {end}",
        len(listed),
        date=book.as_of,
        end=end,
    )
    columns = [msg(N_("Date")), msg(N_("What"))]
    return table("dates", title, columns, rows, ["sources.policy_events", "meta.calendar_days"])
