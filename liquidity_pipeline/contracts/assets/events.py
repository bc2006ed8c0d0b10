"""Contracts of the studies of returns on settlement days, after stress and in episodes."""

from __future__ import annotations

from liquidity_pipeline.contracts.assets.columns import (
    AS_OF,
    BH,
    BONFERRONI,
    KNOWN_AT,
    MAX_T,
    corrected_p_values,
    n_tests,
    probability,
)
from liquidity_pipeline.contracts.assets.returns import ASSET, CLASS_INPUT
from liquidity_pipeline.contracts.drains.inputs import AUCTIONS, RESERVES
from liquidity_pipeline.contracts.reach import PRICES, Input
from liquidity_pipeline.contracts.table import Table, day, integer, number, text

SETTLEMENT_DAY_STUDY = Table(
    "marts",
    "settlement_day_study",
    "Returns on days of net settlement by the public, against days without of the same weekday "
    "(last and first days of a month against their like). The last nine are frozen monthly.",
    key=("as_of", "sample", "size_bucket", "asset"),
    reach="as_of",
    rests_on=(ASSET, AUCTIONS),
    columns=(
        AS_OF,
        text("sample", "Settlement days studied", allowed=("full", "since_2022", "last_9")),
        text(
            "size_bucket",
            "Net public settlement of the day",
            allowed=("all", "up_to_20bn", "20_to_50bn", "over_50bn"),
        ),
        text("asset", "Symbol"),
        integer("n_days", "Settlement days with a match", low=1, unit="sessions"),
        integer("n_control", "Other days of the same kinds", low=60, unit="sessions"),
        number(
            "n_control_effective",
            "How many of them, were all of equal weight (Kish)",
            nullable=False,
            low=60,
            unit="sessions",
        ),
        integer("n_down", "Settlement days on which it fell", low=0, unit="sessions"),
        number("mean_return_pct", "Mean on settlement days", nullable=False),
        number("control_mean_pct", "Mean on matched other days", nullable=False),
        number("difference_low_pct", "Lower end of the 95 % interval of the difference"),
        number("difference_high_pct", "Upper end; NULL where a handful of weeks decide"),
        probability("share_down", "Share of settlement days on which it fell"),
        probability("base_rate_down", "The same on matched other days"),
        probability("p_value", "Exact: as many down days or more, drawn from matched days"),
        probability(
            "p_value_binomial", "Binomial by the share of down days among all other days, unmatched"
        ),
        probability("p_value_adjusted", f"p_value corrected for n_tests: {BONFERRONI}"),
        n_tests("sizes, times all followed assets"),
        KNOWN_AT,
    ),
)

_SPREADING = tuple(
    Input(PRICES, class_entity=name)
    for name in ("crypto", "small_cap", "mid_cap", "large_cap", "high_yield")
)

_CLASS = text("asset_class", "Class, equal mean of its assets")

CONTAGION = Table(
    "marts",
    "contagion",
    "Returns over the sessions after small-cap stress against those after other days.",
    key=("as_of", "trigger", "asset_class", "horizon_sessions"),
    reach="as_of",
    rests_on=(CLASS_INPUT, Input(PRICES, class_entity="small_cap")),
    columns=(
        AS_OF,
        text(
            "trigger",
            "Small caps: a day among the worst 5 % so far; 10 % below the year's highest close",
            allowed=("worst_5pct_day", "drawdown_10pct"),
        ),
        _CLASS,
        integer("horizon_sessions", "Sessions ahead", low=1, unit="sessions"),
        integer("n_events", "Days of stress", low=20, unit="sessions"),
        integer("n_other", "Other days", low=1, unit="sessions"),
        number("mean_return_pct", "Mean return after stress", nullable=False),
        number("other_mean_pct", "Mean return after other days", nullable=False),
        number("difference_pct", "Difference", nullable=False),
        number("difference_low_pct", "Lower end of the 95 % interval", nullable=False),
        number("difference_high_pct", "Upper end of the 95 % interval", nullable=False),
        *corrected_p_values("triggers and horizons, times all classes followed", MAX_T),
        KNOWN_AT,
    ),
)

CONTAGION_SEQUENCES = Table(
    "marts",
    "contagion_sequences",
    "Bouts of bad days (a class's worst 5 % so far) after ten quiet sessions: when each class had "
    "its first within ten sessions.",
    key=("bout_start", "asset_class"),
    reach="first_bad_day",
    rests_on=_SPREADING,
    columns=(
        day("bout_start", "First bad day of any class"),
        _CLASS,
        day("first_bad_day", "First bad day of this class"),
        integer("sessions_after_start", "Sessions since the start", low=0, unit="sessions"),
        KNOWN_AT,
    ),
)

CONTAGION_ORDER = Table(
    "marts",
    "contagion_order",
    "How often one class has its bad day before another in the bouts so far.",
    key=("as_of", "first_class", "later_class"),
    reach="as_of",
    rests_on=_SPREADING,
    columns=(
        AS_OF,
        text("first_class", "Class said to be first"),
        text("later_class", "Class said to follow"),
        integer("n_bouts", "Bouts in which both had a bad day", low=1, unit="bouts"),
        integer("n_before", "First class first", low=0, unit="bouts"),
        integer("n_same_day", "Both on the same session", low=0, unit="bouts"),
        integer("n_after", "Later class first", low=0, unit="bouts"),
        probability("p_value", "Exact sign test, one-sided: first is as often first or more"),
        probability("p_value_adjusted", f"Corrected for n_tests: {BH}"),
        n_tests("pairs of this date"),
        KNOWN_AT,
    ),
)

RELATIVE_PERFORMANCE = Table(
    "marts",
    "relative_performance",
    "Weekly returns in weeks at whose end a drain episode was open, against other weeks.",
    key=("as_of", "asset", "measure"),
    reach="as_of",
    rests_on=(ASSET, Input(PRICES, class_entity="large_cap"), RESERVES),
    columns=(
        AS_OF,
        text("asset", "Symbol"),
        text("asset_class", "Class"),
        text(
            "measure",
            "Return alone, or less that of large caps",
            allowed=("return", "return_less_large_cap"),
        ),
        number("mean_in_drain_pct", "Mean per week in episodes", nullable=False),
        number("mean_outside_pct", "Mean per week outside", nullable=False),
        number("difference_pct", "Difference", nullable=False),
        number("difference_low_pct", "Lower end of the 95 % interval", nullable=False),
        number("difference_high_pct", "Upper end of the 95 % interval", nullable=False),
        *corrected_p_values("measures, times all followed assets", MAX_T),
        integer("n_weeks_in_drain", "Weeks in episodes", low=1, unit="weeks"),
        integer("n_weeks_outside", "Weeks outside", low=1, unit="weeks"),
        integer("n_episodes", "Episodes among them", low=1, unit="episodes"),
        KNOWN_AT,
    ),
)
