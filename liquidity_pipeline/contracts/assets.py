"""Contracts of the marts on assets: returns, and how they respond to liquidity."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import combinations

from liquidity_pipeline.contracts.drains import ON_RRP, RESERVES
from liquidity_pipeline.contracts.reach import PRICES, Input, for_rows
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

ASSET_RETURNS = Table(
    "marts",
    "asset_returns",
    "Returns by asset and session, dividends included. Assets compare with each other in the "
    "columns new_york: all between the same two New York sessions, shares from close to close at "
    "16:00 there, coins at the UTC close of the same date, 3 to 4 hours later (19:00 or 20:00).",
    key=("date", "asset"),
    columns=(
        day("date", "Session or UTC day"),
        text("asset", "Symbol in the universe file"),
        text("asset_class", "Class in the universe file"),
        text(
            "session_kind",
            "What a session of the asset is: New York session, closing at 16:00 there; UTC day, "
            "closing at 00:00 UTC of the next day",
            allowed=("New York session", "UTC day"),
        ),
        number("close", "Closing price or level", nullable=False, low=0, unit="price"),
        number("return_1d_pct", "Over one session of its own", low=-100),
        number("return_5d_pct", "Over five sessions of its own: t against t-5", low=-100),
        number(
            "return_5_sessions_pct",
            "First to last close of five sessions of its own: t against t-4",
            low=-100,
        ),
        number("return_20d_pct", "Over twenty sessions of its own", low=-100),
        *(
            number(f"return_{span}_new_york_pct", f"{words}; NULL on other days", low=-100)
            for span, words in (
                ("1d", "Over one New York session"),
                ("5d", "Over five New York sessions: t against t-5"),
                ("5_sessions", "First to last close of five New York sessions: t against t-4"),
                ("20d", "Over twenty New York sessions"),
            )
        ),
        day(
            "new_york_5d_from",
            "New York session from whose close return_5d_new_york_pct counts",
            nullable=True,
        ),
        number(
            "drawdown_pct",
            "Below the highest close since drawdown_since, without dividends",
            low=-100,
            high=0,
        ),
        number(
            "drawdown_with_dividends_pct",
            "Below the highest value since drawdown_since with dividends reinvested",
            low=-100,
            high=0,
        ),
        day("drawdown_since", "First close held here"),
        number("vol_20d_pct", "Annualised deviation of 20 daily returns", low=0),
        MART_KNOWN_AT,
    ),
)


DRIVERS = (
    "tga_change",
    "net_settlement",
    "reserve_drain",
    "reserve_drain_estimate",
    "fed_bill_purchases",
    "sofr_iorb_change",
)

_OPERATIONS, _AUCTIONS = Input("fed_operations"), Input("debt_settlements", "auctions")
_SOFR = Input("reference_rates", "SOFR")
_IORB = Input("market_series", "IORB", from_day="2021-07-29")
_DAILY = {
    "tga_change": (Input("tga_balance"),),
    "net_settlement": (_AUCTIONS,),
    "reserve_drain_estimate": (Input("tga_balance"), ON_RRP, _OPERATIONS),
    "fed_bill_purchases": (_OPERATIONS,),
    "sofr_iorb_change": (_SOFR, _IORB),
}
_WEEKLY = {
    "tga_change": (RESERVES, Input("fed_balance_sheet", "WDTGAL")),
    "net_settlement": (_AUCTIONS,),
    "reserve_drain": (RESERVES,),
    "fed_bill_purchases": (_OPERATIONS,),
    "sofr_iorb_change": (_SOFR, _IORB),
}

WEEKLY_DRIVERS = tuple(_WEEKLY)
_BESIDE_RECORD = tuple(name for name in _WEEKLY if name != "reserve_drain")


def _of_drivers(drivers: Mapping[str, tuple[Input, ...]], **only: str) -> tuple[Input, ...]:
    """Return what each driver rests on, for rows of that driver (and of `only`)."""
    return tuple(
        each for name, inputs in drivers.items() for each in for_rows(inputs, driver=name, **only)
    )


DRIVER_INPUTS = (
    *_of_drivers(_DAILY, frequency="daily"),
    *_of_drivers(_WEEKLY, frequency="weekly"),
)
_ASSET = Input(PRICES, entity_column="asset")
_CLASS_INPUT = Input(PRICES, class_column="asset_class")
# Between which classes stress is said to spread, and the sets of them whose bouts are followed:
# all, and each two. A set is known as far as all of its classes.
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


_KNOWN_AT = moment("known_at", "When the last record behind the row was public")


_AS_OF = day("as_of", "Wednesday up to which data are used")


_DRIVER = text("driver", "What liquidity did", allowed=DRIVERS)


_PER_DRIVER = "percent per USD bn; percent per bp for sofr_iorb_change"


_CORRELATION = "-1 to 1"


def _probability(name: str, meaning: str, *, nullable: bool = False) -> Column:
    return number(name, meaning, nullable=nullable, low=0, high=1, unit="0 to 1")


def _tests(family: str, method: str, *, nullable: bool = False) -> tuple[Column, ...]:
    return (
        _probability("p_value", "Of this row alone, two-sided"),
        _probability("p_value_adjusted", f"Corrected for n_tests: {method}", nullable=nullable),
        _n_tests(family, nullable=nullable),
    )


def _n_tests(family: str, *, nullable: bool = False) -> Column:
    return Column(
        "n_tests", "integer", f"Tests corrected for: {family}", nullable, low=1, unit="tests"
    )


# Of what is followed, not of what could be observed: an outage makes no result more significant.
_MAX_T = "largest t of its own by random signs of blocks; between the followed, Bonferroni"


_BONFERRONI = "Bonferroni, for all that are planned"
# Where a driver is unknown, the tests of an asset are not all there.
_FAMILY = ("p_value_adjusted", "n_tests")


def _whole_family(
    *drivers: Mapping[str, tuple[Input, ...]], columns: tuple[str, ...] = _FAMILY
) -> tuple[Input, ...]:
    """Return what a correction over all drivers rests on."""
    every = [each for of in drivers for inputs in of.values() for each in inputs]
    inputs = {
        (each.table, each.entity): replace(each, columns=columns, from_start=True) for each in every
    }
    return tuple(inputs.values())


def _slope(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        number(name, meaning, nullable=False, unit=_PER_DRIVER),
        number(f"{name}_low", "Lower end of the 95 % interval", nullable=False, unit=_PER_DRIVER),
        number(f"{name}_high", "Upper end of the 95 % interval", nullable=False, unit=_PER_DRIVER),
    )


SAMPLED_RETURNS = Table(
    "marts",
    "sampled_returns",
    "Returns on the dates of liquidity: by New York session, and by H.4.1 week (Thursday to "
    "Wednesday, not overlapping), all assets between the same two sessions. Coins are sampled at "
    "the UTC close, 3 to 4 hours after stocks.",
    key=("frequency", "date", "asset"),
    reach="date",
    rests_on=(_ASSET,),
    columns=(
        text("frequency", "Sampling", allowed=("daily", "weekly")),
        day("date", "Session, or the Wednesday that ends the week"),
        text("asset", "Symbol"),
        text("asset_class", "Class in the universe file"),
        number("return_pct", "Return, dividends included", nullable=False, low=-100),
        _KNOWN_AT,
    ),
)


DRIVER_CHANGES = Table(
    "marts",
    "driver_changes",
    "Changes of liquidity by New York session and by H.4.1 week. A rise drains, but for "
    "fed_bill_purchases, which add reserves. reserve_drain is the drain of record, weekly only; "
    "reserve_drain_estimate is daily (TGA + overnight reverse repo - all outright operations by "
    "settlement date), see marts.daily_drain_error for how far it is off.",
    key=("frequency", "date", "driver"),
    reach="date",
    rests_on=DRIVER_INPUTS,
    columns=(
        text("frequency", "Sampling", allowed=("daily", "weekly")),
        day("date", "Session, or the Wednesday that ends the week"),
        _DRIVER,
        number("value", "Change", nullable=False, unit="see column unit"),
        text("unit", "Unit of the value", allowed=("USD bn", "bp")),
        _KNOWN_AT,
    ),
)


RANK_CORRELATIONS = Table(
    "marts",
    "rank_correlations",
    "Spearman's correlation over rolling windows, for display beside Pearson's.",
    key=("date", "asset", "driver", "window_days"),
    reach="date",
    rests_on=(_ASSET, *_of_drivers(_DAILY)),
    columns=(
        day("date", "Last session of the window"),
        text("asset", "Symbol"),
        _DRIVER,
        integer("window_days", "Sessions in the window, all of them known", low=2, unit="sessions"),
        number("spearman", "Rank correlation", nullable=False, low=-1, high=1, unit=_CORRELATION),
        _KNOWN_AT,
    ),
)


ROLLING_CORRELATIONS = Table(
    "marts",
    "rolling_correlations",
    "Rolling correlation and beta of daily returns with daily changes of liquidity, for display: "
    "windows overlap from day to day. Tests are in marts.weekly_correlations.",
    key=("date", "asset", "driver", "window_days"),
    reach="date",
    rests_on=(_ASSET, *_of_drivers(_DAILY)),
    columns=(
        day("date", "Last session of the window"),
        text("asset", "Symbol"),
        _DRIVER,
        integer("window_days", "Sessions in the window", low=2, unit="sessions"),
        number("correlation", "Pearson's", low=-1, high=1, unit=_CORRELATION),
        number("correlation_low", "Lower end of the 95 % band", low=-1, high=1, unit=_CORRELATION),
        number("correlation_high", "Upper end of the 95 % band", low=-1, high=1, unit=_CORRELATION),
        number(
            "spearman",
            "Rank correlation; NULL unless the window is complete",
            low=-1,
            high=1,
            unit=_CORRELATION,
        ),
        number("beta", "Slope", unit=_PER_DRIVER),
        integer("n_obs", "Pairs in the window", low=0, unit="sessions"),
        _KNOWN_AT,
    ),
)


WEEKLY_CORRELATIONS = Table(
    "marts",
    "weekly_correlations",
    "Correlation and beta over the last 104 and 156 H.4.1 weeks, which do not overlap.",
    key=("week_ending", "asset", "driver", "window_weeks"),
    reach="week_ending",
    rests_on=(_ASSET, *_of_drivers(_WEEKLY)),
    columns=(
        day("week_ending", "Last Wednesday of the window"),
        text("asset", "Symbol"),
        _DRIVER,
        integer("window_weeks", "Weeks in the window", low=2, unit="weeks"),
        number("correlation", "Pearson's", nullable=False, low=-1, high=1, unit=_CORRELATION),
        number("correlation_low", "Lower end of the 95 % band", low=-1, high=1, unit=_CORRELATION),
        number("correlation_high", "Upper end of the 95 % band", low=-1, high=1, unit=_CORRELATION),
        number("spearman", "Rank correlation", low=-1, high=1, unit=_CORRELATION),
        number("beta", "Slope", nullable=False, unit=_PER_DRIVER),
        *_tests("followed assets and weekly drivers", _BONFERRONI),
        integer("n_obs", "Pairs in the window", low=60, unit="weeks"),
        _KNOWN_AT,
    ),
)


_WINDOW = text(
    "window_name", "Weeks used: the last 156, or all so far", allowed=("trailing_156w", "expanding")
)


LIQUIDITY_SENSITIVITY = Table(
    "marts",
    "liquidity_sensitivity",
    "Weekly beta of each asset and asset class on each change of liquidity.",
    key=("as_of", "window_name", "driver", "scope", "asset"),
    reach="as_of",
    rests_on=(
        *for_rows([_ASSET], scope="asset"),
        *for_rows([_CLASS_INPUT], scope="asset_class"),
        *_of_drivers(_WEEKLY),
        *_whole_family(_WEEKLY),
    ),
    columns=(
        _AS_OF,
        _WINDOW,
        _DRIVER,
        text("scope", "One asset, or its class's equal mean", allowed=("asset", "asset_class")),
        text("asset", "Symbol, or the class"),
        text("asset_class", "Class"),
        *_slope("beta", "Return per unit of the driver in the same week"),
        number("std_error", "Standard error by blocks of weeks", nullable=False, unit=_PER_DRIVER),
        number("t_stat", "beta over std_error", nullable=False, unit="standard errors"),
        *_tests("drivers, times all followed assets and classes", _MAX_T, nullable=True),
        flag("passes_t_bar", "Absolute t above 3, the bar for a new claim"),
        number("correlation", "Pearson's", nullable=False, low=-1, high=1, unit=_CORRELATION),
        _probability("r_squared", "Share of the return's variance"),
        integer("n_obs", "Weeks", low=60, unit="weeks"),
        _KNOWN_AT,
    ),
)


# Who is said to react more than whom, step by step, and the whole order.
CLAIM_STEPS = (("crypto", "small_cap"), ("small_cap", "large_cap"))
CLAIM_CLASSES: Mapping[str, tuple[str, ...]] = {
    **{" > ".join(step): step for step in CLAIM_STEPS},
    " > ".join(order := (CLAIM_STEPS[0][0], *(less for _, less in CLAIM_STEPS))): order,
}


def _of_claims() -> Iterator[Input]:
    """Yield what each claim rests on: its own classes, and its correction on all of them."""
    for name in dict.fromkeys(name for names in CLAIM_CLASSES.values() for name in names):
        own = tuple(claim for claim, names in CLAIM_CLASSES.items() if name in names)
        others = tuple(claim for claim in CLAIM_CLASSES if claim not in own)
        yield Input(PRICES, class_entity=name, only={"claim": own})
        if others:
            yield Input(
                PRICES,
                class_entity=name,
                columns=(*_FAMILY, "is_supported"),
                only={"claim": others},
            )


SENSITIVITY_RANKING = Table(
    "marts",
    "sensitivity_ranking",
    "Whether crypto falls more than small caps, and they more than large caps, per unit of drain "
    "(bill purchases count as its opposite).",
    key=("as_of", "window_name", "driver", "claim"),
    reach="as_of",
    rests_on=(
        *_of_claims(),
        RESERVES,
        *_of_drivers(_WEEKLY),
        *for_rows(
            _whole_family(_WEEKLY, columns=(*_FAMILY, "is_supported")),
            driver=_BESIDE_RECORD,
        ),
    ),
    columns=(
        _AS_OF,
        _WINDOW,
        _DRIVER,
        text("claim", "Who falls more than whom", allowed=tuple(CLAIM_CLASSES)),
        number("excess_fall", "How much more; NULL for the whole order", unit=_PER_DRIVER),
        number("excess_fall_low", "Lower end of the 95 % interval", unit=_PER_DRIVER),
        number("excess_fall_high", "Upper end of the 95 % interval", unit=_PER_DRIVER),
        _probability("probability", "Share of bootstrap draws in which the claim holds"),
        integer("n_draws", "Bootstrap draws", low=1, unit="draws"),
        _probability("p_value", "One-sided, against the contrary of the claim, of this row alone"),
        _probability(
            "p_value_adjusted",
            "Corrected for n_tests: largest t, the signs of blocks drawn at random",
            nullable=True,
        ),
        _n_tests(
            "steps on the drain of record; for another driver the steps on all others",
            nullable=True,
        ),
        flag(
            "is_supported",
            "p_value_adjusted below 5 %, and for another driver the same on the drain of record",
            nullable=True,
        ),
        integer("n_obs", "Weeks", low=60, unit="weeks"),
        _KNOWN_AT,
    ),
)


LEAD_LAG = Table(
    "marts",
    "lead_lag",
    "Slope of returns on liquidity 0, 1 and 5 sessions and one week before, on all data up to "
    "as_of. Lags were fixed beforehand; an association in time, not a cause.",
    key=("asset", "driver", "lag_days", "as_of"),
    reach="as_of",
    rests_on=(
        _ASSET,
        *_of_drivers(_DAILY, sampling="session"),
        *_of_drivers(_DAILY, sampling="5 sessions"),
        *_of_drivers(_WEEKLY, sampling="week"),
        *_whole_family(_DAILY, _WEEKLY),
    ),
    columns=(
        text("asset", "Symbol"),
        _DRIVER,
        integer("lag_days", "Days by which the return comes later: 0, 1, 5 (sessions) or 7"),
        text(
            "sampling",
            "Length of the windows set side by side, which do not overlap",
            allowed=("session", "5 sessions", "week"),
        ),
        *_slope("estimate", "Return per unit of the driver"),
        number("t_stat", "Estimate over its standard error", nullable=False, unit="std. errors"),
        *_tests("drivers and lags, times all followed assets", _MAX_T, nullable=True),
        flag("passes_t_bar", "Absolute t above 3, the bar for a new claim"),
        number("correlation", "Pearson's", nullable=False, low=-1, high=1, unit=_CORRELATION),
        integer("n_obs", "Pairs", low=60, unit="pairs"),
        _AS_OF,
        _KNOWN_AT,
    ),
)


SETTLEMENT_DAY_STUDY = Table(
    "marts",
    "settlement_day_study",
    "Returns on days of net settlement by the public, against days without of the same weekday "
    "(last and first days of a month against their like). The last nine are frozen monthly.",
    key=("as_of", "sample", "size_bucket", "asset"),
    reach="as_of",
    rests_on=(_ASSET, _AUCTIONS),
    columns=(
        _AS_OF,
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
        _probability("share_down", "Share of settlement days on which it fell"),
        _probability("base_rate_down", "The same on matched other days"),
        _probability("p_value", "Exact: as many down days or more, drawn from matched days"),
        _probability(
            "p_value_binomial", "Binomial by the share of down days among all other days, unmatched"
        ),
        _probability("p_value_adjusted", f"p_value corrected for n_tests: {_BONFERRONI}"),
        _n_tests("sizes, times all followed assets"),
        _KNOWN_AT,
    ),
)


_CLASS = text("asset_class", "Class, equal mean of its assets")


CONTAGION = Table(
    "marts",
    "contagion",
    "Returns over the sessions after small-cap stress against those after other days.",
    key=("as_of", "trigger", "asset_class", "horizon_sessions"),
    reach="as_of",
    rests_on=(_CLASS_INPUT, Input(PRICES, class_entity="small_cap")),
    columns=(
        _AS_OF,
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
        *_tests("triggers and horizons, times all classes followed", _MAX_T),
        _KNOWN_AT,
    ),
)


CONTAGION_SEQUENCES = Table(
    "marts",
    "contagion_sequences",
    "Bouts of bad days (a class's worst 5 % so far) after ten quiet sessions: when each class had "
    "its first within ten sessions. For all classes together, and for each two of them.",
    key=("classes", "bout_start", "asset_class"),
    reach="first_bad_day",
    rests_on=_SPREADING,
    columns=(
        text("classes", "Classes whose bouts these are", allowed=tuple(BOUT_SETS)),
        day("bout_start", "First bad day of any of them"),
        _CLASS,
        day("first_bad_day", "First bad day of this class"),
        integer("sessions_after_start", "Sessions since the start", low=0, unit="sessions"),
        _KNOWN_AT,
    ),
)


CONTAGION_ORDER = Table(
    "marts",
    "contagion_order",
    "How often one class has its bad day before another in the bouts of the two so far.",
    key=("as_of", "first_class", "later_class"),
    reach="as_of",
    rests_on=(
        Input(PRICES, class_column="first_class"),
        Input(PRICES, class_column="later_class"),
    ),
    columns=(
        _AS_OF,
        text("first_class", "Class said to be first"),
        text("later_class", "Class said to follow"),
        integer("n_bouts", "Bouts in which both had a bad day", low=1, unit="bouts"),
        integer("n_before", "First class first", low=0, unit="bouts"),
        integer("n_same_day", "Both on the same session", low=0, unit="bouts"),
        integer("n_after", "Later class first", low=0, unit="bouts"),
        _probability("p_value", "Exact sign test, one-sided: first is as often first or more"),
        _probability("p_value_adjusted", f"Corrected for n_tests: {_BONFERRONI}"),
        _n_tests("ordered pairs of classes"),
        _KNOWN_AT,
    ),
)


RELATIVE_PERFORMANCE = Table(
    "marts",
    "relative_performance",
    "Weekly returns in weeks at whose end a drain episode was open, against other weeks.",
    key=("as_of", "asset", "measure"),
    reach="as_of",
    rests_on=(_ASSET, Input(PRICES, class_entity="large_cap"), RESERVES),
    columns=(
        _AS_OF,
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
        *_tests("measures, times all followed assets", _MAX_T),
        integer("n_weeks_in_drain", "Weeks in episodes", low=1, unit="weeks"),
        integer("n_weeks_outside", "Weeks outside", low=1, unit="weeks"),
        integer("n_episodes", "Episodes among them", low=1, unit="episodes"),
        _KNOWN_AT,
    ),
)


SCENARIOS = Table(
    "marts",
    "scenarios",
    "What four more weeks of drain would mean for each asset by its beta of the last 156 weeks: "
    "continue (as the last four, perhaps an inflow), worsen (95th percentile so far), reverse.",
    key=("as_of", "scenario", "asset"),
    reach="as_of",
    rests_on=(_ASSET, RESERVES),
    columns=(
        _AS_OF,
        text("scenario", "Course of the drain", allowed=("continue", "worsen", "reverse")),
        text("asset", "Symbol"),
        text("asset_class", "Class"),
        number("drain_usd_bn", "Drain over four weeks", nullable=False),
        number("beta", "Weekly beta", nullable=False, unit="percent per USD bn"),
        number("impact_pct", "beta x drain", nullable=False),
        number("impact_low_pct", "Lower end by the beta's 95 % interval", nullable=False),
        number("impact_high_pct", "Upper end by the beta's 95 % interval", nullable=False),
        integer("n_obs", "Weeks behind the beta", low=60, unit="weeks"),
        _KNOWN_AT,
    ),
)
