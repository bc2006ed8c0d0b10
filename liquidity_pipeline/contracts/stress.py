"""Contracts of the stress marts: flags, index, and how both fared against known stress.

None declares what it rests on (`rests_on`): which gauges are known is decided session by session
where they are read (`models.stress.in_force`), so that a hole ends a flag or the index for as long
as it lasts, and not for good. The property test of outages covers them like all others.
"""

from __future__ import annotations

from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Column,
    Table,
    day,
    flag,
    integer,
    number,
    text,
)

LEVELS = ("normal", "watch", "stress", "severe")
STATES = ("quiet", "raised", "held", "leaving", "calendar")
SEGMENTS = ("funding", "reserves", "drain", "equity", "crypto", "credit")
# Those that the index counts, the same on every day.
INDEX_SEGMENTS = ("funding", "reserves", "drain", "equity", "credit")

STRESS_FLAGS = Table(
    "marts",
    "stress_flags",
    "One row per indicator and observation, ranked against the three years before it; never "
    "rewritten. Absent where the lake does not hold these three years, or the indicator's whole "
    "record.",
    key=("date", "indicator"),
    columns=(
        day("date", "Day of the observation"),
        text("indicator", "Indicator"),
        text("segment", "Part of the system", allowed=SEGMENTS),
        number("value", "Value", nullable=False, unit="see column unit"),
        text("unit", "Unit of the value"),
        number(
            "rank",
            "Share of the values of the three years before that are lower, ties counted half",
            nullable=False,
            low=0,
            high=1,
            unit="share",
        ),
        number(
            "threshold",
            "Flagged above this value of its past, or from the economic floor if that is higher",
            nullable=False,
            unit="see column unit",
        ),
        integer(
            "n_history",
            "Earlier values ranked against, month-end and month-start days left out",
            low=104,
            unit="values",
        ),
        text("level", "Severity level", allowed=LEVELS),
        text(
            "state",
            "quiet: flag down; raised: up by today's value; held: up, value between the marks for "
            "raising and lowering; leaving: up for one more such observation; calendar: a month-"
            "end or month-start day, which moves no flag",
            allowed=STATES,
        ),
        flag("is_calendar_day", "Last or first bond-market day of a month, with expected spikes"),
        flag(
            "calendar_explained",
            "Would be flagged on another day of the month",
        ),
        text("reason", "Explanation"),
        text("method", "Version of the method"),
        MART_KNOWN_AT,
    ),
)

STRESS_INDEX = Table(
    "marts",
    "stress_index",
    "Severity of liquidity stress by New York session, on a scale of economic values: 1/3 funding, "
    "1/6 each of reserves, drain, equity and credit. A row has all of them or does not exist; "
    "never rewritten, and the same wherever three years are held.",
    key=("date",),
    columns=(
        day("date", "New York session"),
        number(
            "index_value",
            "Index: 0 none of its gauges above its floor, 1 all segments severe",
            nullable=False,
            low=0,
            high=1,
            unit="0 to 1",
        ),
        number(
            "rank",
            "Share of the sessions of the three years before with a lower index, ties counted half",
            nullable=False,
            low=0,
            high=1,
            unit="share",
        ),
        integer("n_history", "Earlier sessions ranked against", low=252, unit="sessions"),
        text("level", "Severity level", allowed=LEVELS),
        *(
            number(
                name,
                "Highest score of the segment's gauges: 0 at their floor, 1 at their severe floor"
                + ("" if name in INDEX_SEGMENTS else "; not counted in the index, NULL if unknown"),
                nullable=name not in INDEX_SEGMENTS,
                low=0,
                high=1,
                unit="0 to 1",
            )
            for name in SEGMENTS
        ),
        text("segments", "Segments counted in the index"),
        text("reason", "Explanation"),
        text("method", "Version of the method"),
        MART_KNOWN_AT,
    ),
)

_GAUGE = (
    text("gauge", "Indicator, segment, or stress_index"),
    text(
        "gauge_kind",
        "indicator; segment: any of its indicators that the index counts; index",
        allowed=("indicator", "segment", "index"),
    ),
)

STRESS_SCORES = Table(
    "marts",
    "stress_scores",
    "Whether each gauge led, hit or missed each known episode of stress, and whether it stayed "
    "silent at year-ends. Misses are published; a row exists only where the gauge was known "
    "throughout.",
    key=("gauge", "gauge_kind", "episode"),
    columns=(
        *_GAUGE,
        text("episode", "Episode in data/reference/stress_episodes.csv"),
        text(
            "episode_kind",
            "stress: should be seen; calendar: should not be",
            allowed=("stress", "calendar"),
        ),
        day("episode_start", "First day"),
        day("episode_end", "Last day"),
        text(
            "outcome",
            "led: in alarm within 30 days before the start; hit: during; missed; for calendar "
            "silent or raised",
            allowed=("led", "hit", "missed", "silent", "raised"),
        ),
        day("first_alarm", "First day in alarm, from 30 days before the start", nullable=True),
        number("lead_days", "Days from the first alarm to the start; negative after", unit="days"),
        text("worst_level", "Worst level in that span", nullable=True, allowed=LEVELS),
        integer("n_alarm_days", "Observations in alarm in that span", low=0, unit="values"),
        integer("n_observations", "Observations in that span", low=0, unit="values"),
        MART_KNOWN_AT,
    ),
)


def _correlation(name: str, meaning: str) -> Column:
    return number(name, meaning, low=-1, high=1, unit="-1 to 1")


def _beside(what: str, words: str) -> tuple[Column, ...]:
    return (
        _correlation(f"{what}_correlation", f"Correlation {words}; NULL under 104 weeks"),
        _correlation(f"{what}_low", "Lower end of the 95 % band for n_eff"),
        _correlation(f"{what}_high", "Upper end of the 95 % band for n_eff"),
        number(f"{what}_n_eff", "Independent pairs that these are worth", unit="weeks", low=0),
        Column(
            f"{what}_n_obs",
            "integer",
            "Pairs; NULL where the OFR's index is not known so far",
            unit="weeks",
            low=0,
        ),
    )


STRESS_GAUGES = Table(
    "marts",
    "stress_gauges",
    "Tally of each gauge at each quarter-end, by what was known then: hits, misses, false alarms, "
    "and correlation of its rank (for the index: its value) with the OFR Financial Stress Index, "
    "which is no input to it. A row exists only where the gauge was known at the quarter-end.",
    key=("as_of", "gauge", "gauge_kind"),
    columns=(
        day("as_of", "Quarter-end"),
        *_GAUGE,
        day("observed_since", "The gauge's first row here; the tally counts from it"),
        number("years_observed", "Time in which the gauge was known", nullable=False, unit="years"),
        integer("n_episodes", "Episodes that it could have seen", low=0, unit="episodes"),
        integer("n_led", "Led", low=0, unit="episodes"),
        integer("n_hit", "Hit", low=0, unit="episodes"),
        integer("n_missed", "Missed", low=0, unit="episodes"),
        integer("n_alarms", "Alarms; those less than 11 days apart are one", low=0, unit="alarms"),
        integer("n_false_alarms", "Of these without an episode", low=0, unit="alarms"),
        number("false_alarms_per_decade", "Rate", nullable=False, low=0, unit="per decade"),
        number("false_alarms_low", "Lower end, exact, 95 %", low=0, unit="per decade"),
        number("false_alarms_high", "Upper end", low=0, unit="per decade"),
        *_beside("level", "of weekly levels"),
        *_beside("change", "of weekly changes"),
        MART_KNOWN_AT,
    ),
)
