"""The brief's charts: Altair specifications, drawn as SVG by vl-convert.

`specification` turns a chart block of the model into a Vega-Lite specification in one language;
`svg` draws it. Colours are those of Okabe and Ito, which colour-blind readers can tell apart. Each
is used as written here and nowhere else, so that a style sheet can replace it by night.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from liquidity_pipeline.brief import timeline
from liquidity_pipeline.brief.language import Words
from liquidity_pipeline.brief.model import N_, Block
from liquidity_pipeline.brief.terms import ASSETS, SEGMENTS, SHORT_COMPONENTS
from liquidity_pipeline.brief.timeline import Rows

WIDTH, HEIGHT = 392, 190

BLUE, SKY, GREEN, ORANGE = "#0072b2", "#56b4e9", "#009e73", "#e69f00"
VERMILLION, PURPLE, YELLOW = "#d55e00", "#cc79a7", "#f0e442"
INK, MUTED, GRID = "#1b1f24", "#5b636e", "#dfe3e8"

# By the names that the style sheet knows them under.
COLOURS = {
    "ink": INK,
    "muted": MUTED,
    "rule": GRID,
    "blue": BLUE,
    "sky": SKY,
    "green": GREEN,
    "orange": ORANGE,
    "vermillion": VERMILLION,
    "purple": PURPLE,
    "yellow": YELLOW,
}

FONT = "Inter, 'Source Sans 3', 'Segoe UI', 'Noto Sans CJK SC', sans-serif"

_COMPONENT_COLOURS = {
    "tga": BLUE,
    "on_rrp": SKY,
    "foreign_rrp": GREEN,
    "currency": YELLOW,
    "other_liabilities": PURPLE,
    "fed_bill_purchases": ORANGE,
    "fed_other_assets": VERMILLION,
    "unattributed": MUTED,
}
_TIME_LOCALES: Mapping[str, Any] = {"en": "en-US", "zh": "zh-CN"}

# A line over days without a value would say that there were values between.
_LINES = ("sofr", "tga", "drain", "season", "correlations")


def specification(block: Block, words: Words) -> dict[str, Any] | None:
    """Return a chart's Vega-Lite specification; None where it has no data.

    Amounts are stated in the language's unit. The title is left to the page, where it is text.
    """
    if not block["data"]:
        return None
    from altair.utils.schemapi import debug_mode

    rows, days = _scaled(block, words), [str(row["date"]) for row in block["data"]]
    if block["id"] in _LINES:
        rows = timeline.gaps_shown(rows)
    # Validation takes most of the time; a test validates every specification.
    with debug_mode(False):
        chart = _DRAWERS[block["id"]](rows, words)
        made: dict[str, Any] = chart.to_dict(validate=False)
    if block["id"] == "stress":
        days = [timeline.monday(day) for day in days]
    timeline.reach(made, min(days), max(*days, block.get("as_of", "")))
    return {**made, "config": CONFIG}


def svg(spec: Mapping[str, Any], language: str) -> str:
    """Draw a specification; the size comes from its view box, so that a page can scale it."""
    import re

    import vl_convert

    drawn: str = vl_convert.vegalite_to_svg(
        json.dumps(spec), time_format_locale=_TIME_LOCALES[language], allowed_base_urls=[]
    )
    return re.sub(r'^<svg ([^>]*?)width="[\d.]+" height="[\d.]+"', r"<svg \1", drawn, count=1)


def warm_up() -> None:
    """Load what draws, which takes a second: call it beside work that leaves a core idle."""
    import altair  # noqa: F401

    svg({"data": {"values": []}, "mark": "point"}, "en")


def _scaled(block: Block, words: Words) -> Rows:
    """Return the data with amounts in the language's unit."""
    if block["unit"] != "usd_mn":
        return block["data"]
    return [
        {
            name: words.amount(value) if isinstance(value, float) else value
            for name, value in row.items()
        }
        for row in block["data"]
    ]


CONFIG: dict[str, Any] = {
    "aria": False,
    "background": "transparent",
    "font": FONT,
    "view": {"stroke": "transparent"},
    "axis": {
        "labelColor": MUTED,
        "labelFontSize": 10.5,
        "titleColor": MUTED,
        "titleFontSize": 10.5,
        "titleFontWeight": "normal",
        "gridColor": GRID,
        "domain": False,
        "tickColor": GRID,
        "tickSize": 4,
        "labelFlush": True,
    },
    "legend": {
        "labelColor": MUTED,
        "labelFontSize": 10.5,
        "orient": "bottom",
        "symbolSize": 60,
        "rowPadding": 1,
        "columnPadding": 8,
        "labelLimit": 160,
        "offset": 8,
    },
    "header": {
        "labelColor": INK,
        "labelFontSize": 11,
        "labelPadding": 4,
        "labelAnchor": "start",
    },
}


def _data(rows: Rows) -> Any:
    import altair as alt

    return alt.InlineData(values=rows)


def _measure(field: str) -> Any:
    import altair as alt

    return alt.Y(f"{field}:Q", axis=alt.Axis(title=None, tickCount=5, format=",~f"))


def _zero(colour: str = MUTED) -> Any:
    import altair as alt

    return alt.Chart(_data([{"zero": 0}])).mark_rule(color=colour, strokeWidth=1).encode(y="zero:Q")


def _sized(chart: Any, width: int = WIDTH, height: int = HEIGHT) -> Any:
    return chart.properties(
        width=width, height=height, autosize={"type": "fit", "contains": "padding"}
    )


def _named(words: Words, names: Mapping[str, str], colours: Mapping[str, str]) -> Any:
    """Return a colour scale over translated names."""
    import altair as alt

    return alt.Scale(
        domain=[words.text(names[code]) for code in colours], range=list(colours.values())
    )


def _sofr(rows: Rows, words: Words) -> Any:
    import altair as alt

    base = alt.Chart(_data(rows))
    wide = base.mark_area(color=SKY, opacity=0.35).encode(
        timeline.axis(rows, words), _measure("p1"), alt.Y2("p99:Q")
    )
    middle = base.mark_area(color=SKY, opacity=0.55).encode(
        timeline.axis(rows, words), alt.Y("p25:Q"), alt.Y2("p75:Q")
    )
    line = base.mark_line(color=INK, strokeWidth=1.2).encode(
        timeline.axis(rows, words), alt.Y("sofr:Q")
    )
    return _sized(wide + middle + line + _zero())


def _tga(rows: Rows, words: Words) -> Any:
    import altair as alt

    names = {"balance": N_("daily close"), "target": N_("target")}
    long = [
        {"date": row["date"], "name": words.text(names[key]), "value": row[key]}
        for key in names
        for row in rows
    ]
    colour = alt.Color(
        "name:N",
        scale=_named(words, names, {"balance": BLUE, "target": VERMILLION}),
        legend=alt.Legend(title=None),
    )
    measured = _measure("value").scale(zero=False)
    balance = (
        alt.Chart(_data([row for row in long if row["name"] == words.text(names["balance"])]))
        .mark_line(strokeWidth=1.4)
        .encode(timeline.axis(rows, words), measured, colour)
    )
    target = (
        alt.Chart(_data([row for row in long if row["name"] == words.text(names["target"])]))
        .mark_line(strokeWidth=1.6, interpolate="step-after")
        .encode(timeline.axis(rows, words), measured, colour)
    )
    return _sized(balance + target)


def _drain(rows: Rows, words: Words) -> Any:
    import altair as alt

    present = {row["component"] for row in rows}
    colours = {code: colour for code, colour in _COMPONENT_COLOURS.items() if code in present}
    parts = [
        {**row, "name": words.text(SHORT_COMPONENTS[row["component"]])}
        for row in rows
        if row["component"] in colours
    ]
    total = [row for row in rows if row["component"] == "total"]
    bars = (
        alt.Chart(_data(parts))
        .mark_bar(size=9)
        .encode(
            timeline.axis(rows, words),
            _measure("value"),
            alt.Color(
                "name:N",
                scale=_named(words, SHORT_COMPONENTS, colours),
                legend=alt.Legend(title=None, columns=3),
            ),
        )
    )
    line = (
        alt.Chart(_data(total))
        .mark_line(color=INK, strokeWidth=1.3, point=alt.OverlayMarkDef(color=INK, size=14))
        .encode(timeline.axis(rows, words), alt.Y("value:Q"))
    )
    return _sized(bars + _zero() + line, height=HEIGHT + 60)


def _season(rows: Rows, words: Words) -> Any:
    import altair as alt

    base = alt.Chart(_data(rows))
    fan = base.mark_area(color=SKY, opacity=0.35).encode(
        timeline.axis(rows, words), _measure("low"), alt.Y2("high:Q")
    )
    expected = base.mark_line(color=BLUE, strokeWidth=1.2, strokeDash=[4, 2]).encode(
        timeline.axis(rows, words), alt.Y("expected:Q")
    )
    actual = base.mark_line(
        color=INK, strokeWidth=1.2, point=alt.OverlayMarkDef(color=INK, size=14)
    ).encode(timeline.axis(rows, words), alt.Y("actual:Q"))
    return _sized(fan + _zero() + expected + actual)


def _settlements(rows: Rows, words: Words) -> Any:
    import altair as alt

    names = {"bills": N_("bills"), "coupons": N_("coupons")}
    shown = [{**row, "name": words.text(names[row["class"]])} for row in rows]
    bars = (
        alt.Chart(_data(shown))
        .mark_bar(size=4)
        .encode(
            timeline.axis(rows, words),
            _measure("value"),
            alt.Color(
                "name:N",
                scale=_named(words, names, {"bills": BLUE, "coupons": ORANGE}),
                legend=alt.Legend(title=None),
            ),
            alt.Opacity(
                "state:N",
                scale=alt.Scale(domain=["settled", "coming"], range=[1, 0.5]),
                legend=None,
            ),
        )
    )
    coming = [row["date"] for row in rows if row["state"] == "coming"]
    layers = bars + _zero()
    if coming:
        first = alt.Chart(_data([{"date": min(coming)}]))
        layers += first.mark_rule(color=MUTED, strokeDash=[3, 3], xOffset=-5).encode(
            timeline.axis(rows, words)
        )
    return _sized(layers)


def _correlations(rows: Rows, words: Words) -> Any:
    import altair as alt

    shown = [{**row, "name": words.text(ASSETS[row["asset"]]), "zero": 0} for row in rows]
    base = alt.Chart()
    measured = _measure("low").scale(domain=[-1, 1])
    time = timeline.axis(rows, words, ticks=2)
    band = base.mark_area(color=SKY, opacity=0.35).encode(time, measured, alt.Y2("high:Q"))
    line = base.mark_line(color=BLUE, strokeWidth=1.4).encode(time, alt.Y("value:Q"))
    zero = base.mark_rule(color=MUTED).encode(alt.Y("zero:Q", aggregate="max"))
    layered = alt.layer(band, zero, line).properties(width=106, height=HEIGHT - 50)
    order = [words.text(ASSETS[code]) for code in ("BTC", "RUT", "SPX")]
    return layered.facet(
        data=_data(shown), column=alt.Column("name:N", sort=order, title=None), spacing=14
    )


def _stress(rows: Rows, words: Words) -> Any:
    import altair as alt

    bins = ((0.001, 0.06), (0.25, 0.3), (0.5, 0.6), (1.01, 1.0))
    labels = ["0", "< 0.25", "< 0.5", "≥ 0.5"]

    def shade(rank: float) -> str:
        return labels[next(place for place, (top, _) in enumerate(bins) if rank < top)]

    shown = [
        {**row, "name": words.text(SEGMENTS[row["segment"]]), "band": shade(row["value"])}
        for row in rows
    ]
    monday = [{**row, "date": timeline.monday(row["date"])} for row in shown]
    return _sized(
        alt.Chart(_data(monday))
        .mark_bar(color=VERMILLION, size=6.4)
        .encode(
            timeline.axis(rows, words),
            alt.Y(
                "name:N",
                sort=[words.text(name) for name in SEGMENTS.values()],
                axis=alt.Axis(title=None, grid=False, ticks=False),
                scale=alt.Scale(paddingInner=0.12),
            ),
            alt.Opacity(
                "band:N",
                scale=alt.Scale(
                    type="ordinal", domain=labels, range=[opacity for _, opacity in bins]
                ),
                legend=alt.Legend(
                    title=None,
                    symbolFillColor=VERMILLION,
                    symbolType="square",
                    symbolStrokeWidth=0,
                ),
            ),
        )
    )


_DRAWERS: Mapping[str, Callable[[Rows, Words], Any]] = {
    "sofr": _sofr,
    "tga": _tga,
    "drain": _drain,
    "season": _season,
    "settlements": _settlements,
    "correlations": _correlations,
    "stress": _stress,
}
# What the marks mean, where a legend would not say it; shown below the title.
CAPTIONS = {
    "sofr": N_("Line: volume-weighted SOFR. Bands: 25th to 75th and 1st to 99th percentile."),
    "tga": N_("The target is the balance that the last refunding statement assumes."),
    "drain": N_("Above zero drains reserves; the line is the total, the fall of reserve balances."),
    "season": N_("Line with dots: actual. Dashed: expected. Band: 95% of past errors."),
    "settlements": N_("Pale bars right of the dashed line: announced or auctioned, not settled."),
    "correlations": N_(
        "Band: 95%. Correlation rises with volatility alone; read it together with the slope."
    ),
    "stress": N_(
        "Highest score of each week: 0 at the floor of its gauges, 1 severe; blank: not known."
    ),
}
