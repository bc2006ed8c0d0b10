"""A chart shows where its record ends and where it has a hole."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Any

from liquidity_pipeline.brief import charts
from liquidity_pipeline.brief.language import words
from liquidity_pipeline.brief.model import Block
from liquidity_pipeline.brief.timeline import gaps_shown

JUNE = date(2026, 6, 1)


def sofr(*offsets: int) -> list[dict[str, Any]]:
    numbers = {"p1": -7.0, "p25": -5.0, "sofr": -2.0, "p75": 3.0, "p99": 6.0}
    return [{"date": (JUNE + timedelta(days=each)).isoformat(), **numbers} for each in offsets]


def drawn(rows: list[dict[str, Any]], as_of: str) -> str:
    block: Block = {"kind": "chart", "id": "sofr", "unit": "bp", "data": rows, "as_of": as_of}
    spec = charts.specification(block, words("en"))
    assert spec is not None
    return charts.svg(spec, "en")


def line_of(page: str) -> str:
    """Return the path of the line, which alone is drawn in ink."""
    (path,) = re.findall(rf'<path [^>]*?d="([^"]*)"[^>]*?stroke="{charts.INK}"', page)
    return path


def test_a_hole_of_three_weeks_is_not_crossed_by_a_line() -> None:
    whole, broken = sofr(*range(30)), sofr(*range(5), *range(26, 30))
    assert line_of(drawn(whole, "2026-06-30")).count("M") == 1
    assert line_of(drawn(broken, "2026-06-30")).count("M") == 2


def test_no_two_ticks_of_an_axis_say_the_same() -> None:
    for days in (3, 20, 90, 269, 271, 900):
        page = drawn(sofr(0, days // 2, days), f"{JUNE + timedelta(days=days)}")
        ticks = [text for text in re.findall(r"<text[^>]*>([^<]+)</text>", page) if " " in text]
        assert len(ticks) > 1
        assert len(ticks) == len(set(ticks)), ticks


def test_a_weekend_a_holiday_and_weekly_values_are_no_holes() -> None:
    days = sofr(0, 1, 2, 3, 4, 7, 8, 9, 10, 15, 16)
    assert gaps_shown(days) == days
    weeks = sofr(*range(0, 70, 7))
    assert gaps_shown(weeks) == weeks
    # One week of weekly values is missing: an empty row follows the value before it.
    lacking = [week for week in weeks if week["date"] != "2026-06-22"]
    (empty,) = [row for row in gaps_shown(lacking) if row["sofr"] is None]
    assert empty["date"] == "2026-06-16"


def test_a_record_that_ended_leaves_the_rest_of_the_axis_empty() -> None:
    """Thirty days of values, of which the axis shows ninety: the line ends after a third."""

    def last_x(page: str) -> float:
        return float(re.findall(r"[ML](-?[\d.]+),", line_of(page))[-1])

    full = last_x(drawn(sofr(*range(30)), "2026-06-30"))
    ended = last_x(drawn(sofr(*range(30)), "2026-08-27"))
    assert abs(ended / full - 29 / 87) < 0.02
