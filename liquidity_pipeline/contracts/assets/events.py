"""Contracts of the studies of returns on settlement days, after stress and in episodes."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

from liquidity_pipeline.contracts.assets.columns import (
    AS_OF,
    BONFERRONI,
    KNOWN_AT,
    MAX_T,
    corrected_p_values,
    n_tests,
    probability,
)
from liquidity_pipeline.contracts.assets.drivers import FAMILY
from liquidity_pipeline.contracts.assets.returns import ASSET, CLASS_INPUT
from liquidity_pipeline.contracts.drains.inputs import PUBLIC_SETTLEMENT, RESERVES
from liquidity_pipeline.contracts.reach import PRICES, Input
from liquidity_pipeline.contracts.table import Table, day, integer, number, text

SETTLEMENT_DAY_STUDY = Table(
    "marts",
    "settlement_day_study",
    "Returns on days on which the public pays net for settlement, compared with days without "
    "it on the same weekday (last and first days of a month with other such days). The "
    "sample last_9 is recorded monthly and never revised.",
    key=("as_of", "sample", "size_bucket", "asset"),
    reach="as_of",
    rests_on=(ASSET, *PUBLIC_SETTLEMENT),
    columns=(
        AS_OF,
        text("sample", "Settlement days in the sample", allowed=("full", "since_2022", "last_9")),
        text(
            "size_bucket",
            "Net public settlement of the day",
            allowed=("all", "up_to_20bn", "20_to_50bn", "over_50bn"),
        ),
        text("asset", "Symbol"),
        integer("n_days", "Settlement days that have matched control days", low=1, unit="sessions"),
        integer("n_control", "Matched control days", low=60, unit="sessions"),
        number(
            "n_control_effective",
            "Effective number of control days: as many with equal weights would be as "
            "precise (Kish)",
            nullable=False,
            low=60,
            unit="sessions",
        ),
        integer("n_down", "Settlement days on which the asset fell", low=0, unit="sessions"),
        number("mean_return_pct", "Mean return on settlement days", nullable=False),
        number("control_mean_pct", "Mean return on matched control days", nullable=False),
        number("difference_low_pct", "Lower end of the 95 % interval of the difference"),
        number(
            "difference_high_pct",
            "Upper end of the 95 % interval of the difference; NULL where a few weeks decide the "
            "result",
        ),
        probability("share_down", "Share of settlement days on which the asset fell"),
        probability("base_rate_down", "Share of matched control days on which the asset fell"),
        probability(
            "p_value",
            "Exact probability of at least as many down days if they were drawn from the matched "
            "days",
        ),
        probability(
            "p_value_binomial",
            "Binomial p-value from the share of down days among all other days, unmatched",
        ),
        probability("p_value_adjusted", f"p_value corrected for n_tests: {BONFERRONI}"),
        n_tests("sizes, times all followed assets"),
        KNOWN_AT,
    ),
)

# Between which classes stress is said to spread, and the sets of them whose clusters of bad days
# are followed: all, and each two. A set is known as far as all of its classes.
SPREADING_CLASSES = ("crypto", "small_cap", "mid_cap", "large_cap", "high_yield")
BOUT_SETS: Mapping[str, tuple[str, ...]] = {
    ", ".join(names): names for names in (SPREADING_CLASSES, *combinations(SPREADING_CLASSES, 2))
}
_SPREADING = tuple(
    Input(
        PRICES,
        class_entity=name,
        only={"classes": tuple(label for label, names in BOUT_SETS.items() if name in names)},
    )
    for name in SPREADING_CLASSES
)

_CLASS = text("asset_class", "Asset class, as the equally weighted mean of its assets")

CONTAGION = Table(
    "marts",
    "contagion",
    "Returns over the sessions after small-cap stress compared with returns after other days.",
    key=("as_of", "trigger", "asset_class", "horizon_sessions"),
    reach="as_of",
    rests_on=(CLASS_INPUT, Input(PRICES, class_entity="small_cap")),
    columns=(
        AS_OF,
        text(
            "trigger",
            "Small-cap stress: a day among the worst 5 % so far, or a close 10 % below the highest "
            "of the past year",
            allowed=("worst_5pct_day", "drawdown_10pct"),
        ),
        _CLASS,
        integer("horizon_sessions", "Sessions ahead", low=1, unit="sessions"),
        integer("n_events", "Days of stress", low=20, unit="sessions"),
        integer("n_other", "Other days", low=1, unit="sessions"),
        number("mean_return_pct", "Mean return after stress", nullable=False),
        number("other_mean_pct", "Mean return after other days", nullable=False),
        number("difference_pct", "Difference of the two means", nullable=False),
        number("difference_low_pct", "Lower end of the 95 % interval", nullable=False),
        number("difference_high_pct", "Upper end of the 95 % interval", nullable=False),
        *corrected_p_values("triggers and horizons, times all classes followed", MAX_T),
        KNOWN_AT,
    ),
)

CONTAGION_SEQUENCES = Table(
    "marts",
    "contagion_sequences",
    "Clusters of bad days (a class's worst 5 % so far) that follow ten quiet sessions, and "
    "when each class had its first bad day within ten sessions. For all classes together, and for "
    "each two of them.",
    key=("classes", "bout_start", "asset_class"),
    reach="first_bad_day",
    rests_on=_SPREADING,
    columns=(
        text("classes", "Classes whose clusters these are", allowed=tuple(BOUT_SETS)),
        day("bout_start", "First bad day of any of them: the start of the cluster"),
        _CLASS,
        day("first_bad_day", "First bad day of this class"),
        integer("sessions_after_start", "Sessions since the start", low=0, unit="sessions"),
        KNOWN_AT,
    ),
)

CONTAGION_ORDER = Table(
    "marts",
    "contagion_order",
    "How often one class had its bad day before another in the clusters of the two so far.",
    key=("as_of", "first_class", "later_class"),
    reach="as_of",
    rests_on=(
        Input(PRICES, class_column="first_class"),
        Input(PRICES, class_column="later_class"),
    ),
    columns=(
        AS_OF,
        text("first_class", "Class that is claimed to come first"),
        text("later_class", "Class that is claimed to follow"),
        integer("n_bouts", "Clusters in which both classes had a bad day", low=1, unit="bouts"),
        integer("n_before", "Clusters in which the first class came first", low=0, unit="bouts"),
        integer(
            "n_same_day", "Clusters in which both came on the same session", low=0, unit="bouts"
        ),
        integer("n_after", "Clusters in which the later class came first", low=0, unit="bouts"),
        probability(
            "p_value", "One-sided exact sign test of whether the first class comes first more often"
        ),
        probability("p_value_adjusted", f"Corrected for n_tests: {BONFERRONI}"),
        n_tests("ordered pairs of classes"),
        KNOWN_AT,
    ),
)

RELATIVE_PERFORMANCE = Table(
    "marts",
    "relative_performance",
    "Weekly returns in weeks that ended during an open drain episode, compared with other weeks.",
    key=("as_of", "asset", "measure"),
    reach="as_of",
    rests_on=(
        ASSET,
        RESERVES,
        # The return alone takes no benchmark; only its correction counts the other measure's test.
        Input(PRICES, class_entity="large_cap", only={"measure": ("return_less_large_cap",)}),
        Input(PRICES, class_entity="large_cap", columns=FAMILY, only={"measure": ("return",)}),
    ),
    columns=(
        AS_OF,
        text("asset", "Symbol"),
        text("asset_class", "Class"),
        text(
            "measure",
            "The asset's return, or its return less that of large caps",
            allowed=("return", "return_less_large_cap"),
        ),
        number("mean_in_drain_pct", "Mean weekly return in episodes", nullable=False),
        number("mean_outside_pct", "Mean weekly return outside episodes", nullable=False),
        number("difference_pct", "Difference of the two means", nullable=False),
        number("difference_low_pct", "Lower end of the 95 % interval", nullable=False),
        number("difference_high_pct", "Upper end of the 95 % interval", nullable=False),
        *corrected_p_values("measures, times all followed assets", MAX_T, nullable=True),
        integer("n_weeks_in_drain", "Weeks in episodes", low=1, unit="weeks"),
        integer("n_weeks_outside", "Weeks outside", low=1, unit="weeks"),
        integer(
            "n_episodes", "Number of episodes that these weeks belong to", low=1, unit="episodes"
        ),
        KNOWN_AT,
    ),
)
