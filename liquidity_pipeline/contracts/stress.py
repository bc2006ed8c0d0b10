"""Contracts of the stress marts: flags, index, and how both fared against known stress."""

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

STRESS_FLAGS = Table(
    "marts",
    "stress_flags",
    "One row per indicator and observation, ranked against its own past; never rewritten.",
    key=("date", "indicator"),
    columns=(
        day("date", "Day of the observation"),
        text("indicator", "Which gauge"),
        text("segment", "Part of the system", allowed=SEGMENTS),
        number("value", "Value", nullable=False, unit="see column unit"),
        text("unit", "Unit of the value"),
        number(
            "rank", "Share of earlier values below", nullable=False, low=0, high=1, unit="share"
        ),
        number(
            "threshold",
            "Flagged above this value of its past, or from the economic floor if that is higher",
            nullable=False,
            unit="see column unit",
        ),
        integer(
            "n_history",
            "Earlier values ranked against, turns of a month left out",
            low=156,
            unit="values",
        ),
        text("level", "How bad", allowed=LEVELS),
        text(
            "state",
            "quiet: flag down; raised: up by today's value; held: up, value between the marks for "
            "raising and lowering; leaving: up for one more such observation; calendar: a turn of "
            "the month, which moves no flag",
            allowed=STATES,
        ),
        flag("is_calendar_day", "Turn of a month, when such values are expected"),
        flag("calendar_explained", "Would be flagged but for the turn of the month"),
        text("reason", "In words"),
        text("method", "Version of the method"),
        MART_KNOWN_AT,
    ),
)

STRESS_INDEX = Table(
    "marts",
    "stress_index",
    "Composite of the segments' ranks with their moving correlations, by New York session; never "
    "rewritten. Values compare between days with the same segments, rank and level between all.",
    key=("date",),
    columns=(
        day("date", "New York session"),
        number("index_value", "Composite", nullable=False, low=0, high=1, unit="0 to 1"),
        number(
            "rank",
            "Share of earlier days on which the composite of the same segments was lower",
            nullable=False,
            low=0,
            high=1,
            unit="share",
        ),
        integer("n_history", "Earlier days ranked against", low=252, unit="sessions"),
        text("level", "How bad", allowed=LEVELS),
        *(
            number(
                name,
                "Mean rank of the segment's indicators; NULL where none is known",
                low=0,
                high=1,
                unit="share",
            )
            for name in SEGMENTS
        ),
        text("segments", "Segments in the composite"),
        integer("n_segments", "Segments in the composite", low=3, unit="segments"),
        integer("n_flagged", "Segments with a raised flag", low=0, unit="segments"),
        text("reason", "In words"),
        text("method", "Version of the method"),
        MART_KNOWN_AT,
    ),
)

_GAUGE = (
    text("gauge", "Indicator, segment, or stress_index"),
    text(
        "gauge_kind",
        "indicator; segment: any of its indicators; index",
        allowed=("indicator", "segment", "index"),
    ),
)

STRESS_SCORES = Table(
    "marts",
    "stress_scores",
    "Whether each gauge led, hit or missed each known episode of stress, and whether it stayed "
    "silent at turns of the calendar. Misses are published.",
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
            "silent or raised; not observed: the gauge began later",
            allowed=("led", "hit", "missed", "silent", "raised", "not observed"),
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
        integer(f"{what}_n_obs", "Pairs", unit="weeks", low=0),
    )


STRESS_GAUGES = Table(
    "marts",
    "stress_gauges",
    "Tally of each gauge at each quarter-end, by what was known then: hits, misses, false alarms, "
    "and correlation of its rank with the OFR Financial Stress Index, which is no input to it.",
    key=("as_of", "gauge", "gauge_kind"),
    columns=(
        day("as_of", "Quarter-end"),
        *_GAUGE,
        number("years_observed", "Since the gauge's first row", nullable=False, unit="years"),
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
