"""Contracts of the stress marts: flags, index, and the record of both against known episodes.

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
    moment,
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
    "One row per indicator and observation, ranked against the three years before it and "
    "never revised. A row is absent where the lake holds neither these three years nor the "
    "indicator's whole record.",
    key=("date", "indicator"),
    columns=(
        day("date", "Day of the observation"),
        text("indicator", "Indicator"),
        text("segment", "Segment of the financial system", allowed=SEGMENTS),
        number("value", "Value", nullable=False, unit="see column unit"),
        text("unit", "Unit of the value"),
        number(
            "rank",
            "Share of the values of the previous three years that are lower; ties count half",
            nullable=False,
            low=0,
            high=1,
            unit="share",
        ),
        number(
            "threshold",
            "The flag is raised above this quantile of past values, or from the economic floor if "
            "that is higher",
            nullable=False,
            unit="see column unit",
        ),
        integer(
            "n_history",
            "Earlier values that it is ranked against; month-end and month-start days are left out",
            low=104,
            unit="values",
        ),
        text("level", "Severity level", allowed=LEVELS),
        text(
            "state",
            "quiet: no flag; raised: today's value raises the flag; held: the flag stays up, "
            "with the value between the thresholds for raising and lowering; leaving: one more "
            "such observation lowers the flag; calendar: a month-end or month-start day, which "
            "changes no flag",
            allowed=STATES,
        ),
        flag(
            "is_calendar_day", "Last or first bond-market day of a month, when spikes are expected"
        ),
        flag(
            "calendar_explained",
            "The value would raise the flag on another day of the month",
        ),
        text("reason", "Explanation"),
        text("method", "Version of the method"),
        moment(
            "next_due_at",
            "When the indicator's next observation is due to be public; where that has passed and "
            "no later row is here, whether the indicator is active is not known",
        ),
        MART_KNOWN_AT,
    ),
)

STRESS_INDEX = Table(
    "marts",
    "stress_index",
    "Severity of liquidity stress by New York session, on a scale of economic values: 1/3 "
    "funding and 1/6 each of reserves, drain, equity and credit. A row is published only "
    "with all of these segments, is never revised, and is the same in every lake that "
    "holds three years.",
    key=("date",),
    columns=(
        day("date", "New York session"),
        number(
            "index_value",
            "Index: 0 where no gauge is above its floor, 1 where all segments are severe",
            nullable=False,
            low=0,
            high=1,
            unit="0 to 1",
        ),
        number(
            "rank",
            "Share of the sessions of the previous three years with a lower index; ties count half",
            nullable=False,
            low=0,
            high=1,
            unit="share",
        ),
        integer(
            "n_history", "Earlier sessions that it is ranked against", low=252, unit="sessions"
        ),
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
        text("segments", "Segments that the index counts"),
        text("reason", "Explanation"),
        text("method", "Version of the method"),
        MART_KNOWN_AT,
    ),
)

_GAUGE = (
    text("gauge", "Indicator, segment, or stress_index"),
    text(
        "gauge_kind",
        "indicator: one indicator; segment: any of its indicators that the index counts; "
        "index: the stress index",
        allowed=("indicator", "segment", "index"),
    ),
)

STRESS_SCORES = Table(
    "marts",
    "stress_scores",
    "Whether each gauge led, hit or missed each known episode of stress, and whether it "
    "stayed silent at year-ends. Misses are published too. A row exists only where the "
    "gauge was known throughout.",
    key=("gauge", "gauge_kind", "episode"),
    columns=(
        *_GAUGE,
        text("episode", "Episode in data/reference/stress_episodes.csv"),
        text(
            "episode_kind",
            "stress: the gauge should signal it; calendar: the gauge should stay silent",
            allowed=("stress", "calendar"),
        ),
        day("episode_start", "First day"),
        day("episode_end", "Last day"),
        text(
            "outcome",
            "led: an alarm within the 30 days before the start; hit: an alarm during the "
            "episode; missed: no alarm; for calendar episodes silent or raised",
            allowed=("led", "hit", "missed", "silent", "raised"),
        ),
        day("first_alarm", "First day in alarm, from 30 days before the start", nullable=True),
        number(
            "lead_days",
            "Days from the first alarm to the start; negative for an alarm after the start",
            unit="days",
        ),
        text(
            "worst_level",
            "Worst level from 30 days before the start to the end",
            nullable=True,
            allowed=LEVELS,
        ),
        integer(
            "n_alarm_days",
            "Observations in alarm from 30 days before the start to the end",
            low=0,
            unit="values",
        ),
        integer(
            "n_observations",
            "Observations from 30 days before the start to the end",
            low=0,
            unit="values",
        ),
        MART_KNOWN_AT,
    ),
)


def _correlation(name: str, meaning: str) -> Column:
    return number(name, meaning, low=-1, high=1, unit="-1 to 1")


def _beside(what: str, words: str) -> tuple[Column, ...]:
    return (
        _correlation(f"{what}_correlation", f"Correlation {words}; NULL under 104 weeks"),
        _correlation(
            f"{what}_low", "Lower end of the 95 % band, for the effective number of pairs"
        ),
        _correlation(
            f"{what}_high", "Upper end of the 95 % band, for the effective number of pairs"
        ),
        number(
            f"{what}_n_eff",
            "Effective number of pairs: as many independent pairs would be as informative",
            unit="weeks",
            low=0,
        ),
        Column(
            f"{what}_n_obs",
            "integer",
            "Pairs; NULL where the OFR's index is not known up to the quarter-end",
            unit="weeks",
            low=0,
        ),
    )


STRESS_GAUGES = Table(
    "marts",
    "stress_gauges",
    "Record of each gauge at each quarter-end, from what was known then: hits, misses, "
    "false alarms, and the correlation of its rank (for the index: its value) with the OFR "
    "Financial Stress Index, which is not an input of it. A row exists only where the "
    "gauge was known at the quarter-end.",
    key=("as_of", "gauge", "gauge_kind"),
    columns=(
        day("as_of", "Quarter-end"),
        *_GAUGE,
        day("observed_since", "Day of the gauge's first row here, from which the record counts"),
        number("years_observed", "Time in which the gauge was known", nullable=False, unit="years"),
        integer("n_episodes", "Episodes that the gauge could have seen", low=0, unit="episodes"),
        integer("n_led", "Episodes that it led", low=0, unit="episodes"),
        integer("n_hit", "Episodes that it hit", low=0, unit="episodes"),
        integer("n_missed", "Episodes that it missed", low=0, unit="episodes"),
        integer(
            "n_alarms", "Alarms; those less than 11 days apart count as one", low=0, unit="alarms"
        ),
        integer("n_false_alarms", "Alarms without an episode", low=0, unit="alarms"),
        number(
            "false_alarms_per_decade",
            "False alarms per decade",
            nullable=False,
            low=0,
            unit="per decade",
        ),
        number(
            "false_alarms_low", "Lower end of the exact 95 % interval", low=0, unit="per decade"
        ),
        number(
            "false_alarms_high", "Upper end of the exact 95 % interval", low=0, unit="per decade"
        ),
        *_beside("level", "of weekly levels"),
        *_beside("change", "of weekly changes"),
        MART_KNOWN_AT,
    ),
)
