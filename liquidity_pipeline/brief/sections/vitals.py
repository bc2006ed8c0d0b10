"""Vitals: one row per gauge with its value, its change on the week, its rank and its age."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from liquidity_pipeline.brief.book import Book
from liquidity_pipeline.brief.inputs import RESERVES
from liquidity_pipeline.brief.model import (
    N_,
    Block,
    Figure,
    Row,
    Section,
    Style,
    Unit,
    fig,
    msg,
    row,
    statement,
    table,
)
from liquidity_pipeline.contracts.reach import RETIRED
from liquidity_pipeline.models.stress.indicators import INDEX_INPUTS


@dataclass(frozen=True)
class Gauge:
    """One row: its series, unit, and inputs, and whether its date opens a week."""

    id: str
    label: str
    unit: Unit
    style: Style
    rests_on: frozenset[str]
    is_week: bool = False


_AUCTIONS, _ACCOUNT = frozenset({"debt_settlements/auctions"}), frozenset({"tga_balance"})
# What of them matures depends on what buybacks had retired.
_COUPONS = _AUCTIONS | {RETIRED.table}
_SOFR = frozenset({"reference_rates/SOFR", "market_series/IORB"})
_TGCR = frozenset({"reference_rates/TGCR", "market_series/IORB"})
_SRF, _ON_RRP = frozenset({"repo_operations/srf"}), frozenset({"repo_operations/on_rrp"})
_RESERVES = frozenset({RESERVES})

GAUGES = (
    Gauge("reserve_drain", N_("Reserve drain, H.4.1 week"), "usd_mn", "signed", _RESERVES),
    Gauge("reserves", N_("Reserve balances"), "usd_mn", "plain", _RESERVES),
    Gauge("net_bills", N_("Net settlement, bills"), "usd_mn", "signed", _AUCTIONS, True),
    Gauge("net_coupons", N_("Net settlement, coupons"), "usd_mn", "signed", _COUPONS, True),
    Gauge("net_all", N_("Net settlement, all"), "usd_mn", "signed", _COUPONS, True),
    Gauge("tga", N_("Treasury General Account"), "usd_mn", "plain", _ACCOUNT),
    Gauge("tga_gap", N_("TGA: still to rise to target"), "usd_mn", "signed", _ACCOUNT),
    Gauge("sofr_iorb", N_("SOFR over IORB"), "bp", "signed", _SOFR),
    Gauge("sofr_p99_iorb", N_("SOFR, 99th percentile over IORB"), "bp", "signed", _SOFR),
    Gauge("tgcr_iorb", N_("Tri-party repo rate over IORB"), "bp", "signed", _TGCR),
    Gauge("srf", N_("Standing repo facility, take-up"), "usd_mn", "plain", _SRF),
    Gauge("on_rrp", N_("Overnight reverse repo"), "usd_mn", "plain", _ON_RRP),
    Gauge("stress", N_("Stress index"), "index", "plain", INDEX_INPUTS),
)

# What is older than this is printed pale: it describes no present.
STALE_DAYS = 14

UNITS: dict[Unit, str] = {
    "usd_mn": N_("USD bn"),
    "bp": N_("bp"),
    "pct": N_("%"),
    "index": N_("index"),
}


def vitals(book: Book) -> Section:
    """Return the table of vitals and the sentence with SOFR's percentiles."""
    rows = [_row(book, gauge) for gauge in GAUGES]
    columns = [
        msg(N_("Gauge")),
        msg(N_("Unit")),
        msg(N_("Value")),
        msg(N_("Change on week")),
        msg(N_("Percentile")),
        msg(N_("Describes")),
        msg(N_("Age, days")),
    ]
    sources = ["marts.reserve_drains", "marts.weekly_settlements", "marts.tga_daily"]
    sources += ["marts.funding_conditions", "marts.stress_index"]
    note = msg(
        N_(
            "Percentile: share of all earlier values that lie below, ties counted half; none with "
            "fewer than 52. Settlements describe the week that begins on the day named."
        )
    )
    title = msg(N_("Vitals, as of {date}"), date=book.as_of)
    return {
        "id": "vitals",
        "title": msg(N_("Vitals")),
        "blocks": [
            table("vitals", title, columns, rows, sources, note=note),
            _percentiles(book),
            book.chart(
                "sofr", msg(N_("SOFR and its percentiles over IORB, bp")), "bp", "chart_sofr"
            ),
            book.chart(
                "tga",
                msg(N_("Treasury General Account and target, {unit}"), unit=msg(N_("USD bn"))),
                "usd_mn",
                "chart_tga",
            ),
        ],
    }


def _row(book: Book, gauge: Gauge) -> Row:
    day: date | None = book.one("newest_date", series=f"series_{gauge.id}")
    figures = gauge_figures(book, gauge, day)
    value, change, percentile, age = figures
    return row(
        msg(gauge.label),
        msg(UNITS[gauge.unit]),
        fig(value, gauge.style),
        fig(change, "signed"),
        fig(percentile),
        day or msg(N_("not known")),
        fig(age),
        tone="unknown" if not day or (age["value"] or 0) > STALE_DAYS else "",
    )


def gauge_figures(
    book: Book, gauge: Gauge, day: date | None
) -> tuple[Figure, Figure, Figure, Figure]:
    """Read value, change on the week, percentile of its history and age of one gauge."""
    name, series = msg(gauge.label), f"series_{gauge.id}"
    about = gauge.rests_on
    value = book.figure(
        gauge.id, name, gauge.unit, "value", date=day, rests_on=about, series=series
    )
    change = book.figure(
        f"{gauge.id}.change",
        msg(N_("{what}: change on the week"), what=name),
        gauge.unit,
        "change",
        date=day,
        rests_on=about,
        series=series,
    )
    percentile = book.figure(
        f"{gauge.id}.percentile",
        msg(N_("{what}: percentile among earlier values"), what=name),
        "percentile",
        "percentile_of_weeks" if gauge.is_week else "percentile",
        date=day,
        rests_on=about,
        series=series,
    )
    # A week of settlements is as old as its Friday, or was complete today, before its Friday.
    ends = min(day + timedelta(days=4), book.as_of) if day and gauge.is_week else day
    age = book.figure(
        f"{gauge.id}.age",
        msg(N_("{what}: age of the value"), what=name),
        "days",
        "age",
        date=ends,
    )
    return value, change, percentile, age


def _percentiles(book: Book) -> Block:
    day = book.one("newest_date", series="series_sofr_p99_iorb")
    if day is None:
        what = msg(N_("SOFR's percentiles over IORB"))
        text = book.unknown(what, "marts.funding_conditions", rests_on=_SOFR)
        return statement("sofr_percentiles", text, "unknown")
    places = {}
    for percent in (1, 25, 75, 99):
        figure = book.figure(
            f"sofr.p{percent}",
            msg(N_("SOFR, percentile {percent} over IORB"), percent=percent),
            "bp",
            "sofr_percentile",
            date=day,
            column=f"sofr_p{percent}_iorb_bp",
        )
        places[f"p{percent}"] = fig(figure, "signed")
    text = msg(
        N_(
            "On {date} the middle half of overnight repo volume traded between {p25} and {p75} bp "
            "over IORB, all but the outer 1% on each side between {p1} and {p99} bp."
        ),
        date=day,
        **places,
    )
    return statement("sofr_percentiles", text)
