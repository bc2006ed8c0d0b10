"""Contracts of the marts on drains: reserves, the Treasury's account, season and episodes."""

from __future__ import annotations

from dataclasses import replace

from liquidity_pipeline.contracts.reach import PRICES, Input, for_rows
from liquidity_pipeline.contracts.table import (
    MART_KNOWN_AT,
    Table,
    day,
    flag,
    integer,
    number,
    text,
    usd,
)

COMPONENTS = (
    "tga",
    "on_rrp",
    "foreign_rrp",
    "other_liabilities",
    "fed_bill_purchases",
    "fed_other_assets",
    "settlement",
)


AUCTIONS = Input("debt_settlements", "auctions")
FED_OPERATIONS = Input("fed_operations")
RESERVES = Input("fed_balance_sheet", "WRBWFRBL")
# The facility opened then; before it there is nothing to know.
ON_RRP = Input("repo_operations", "on_rrp", from_day="2013-09-23")
COMPLETE = flag(
    "complete",
    "TRUE where every part of the row's H.4.1 week is known and adds up to the fall of reserves; "
    "NULL where it is not, or not yet: re-estimated each run",
    nullable=True,
)


_BOTH_CONVENTIONS = (
    usd(
        "drain_reserves_usd_mn",
        "Counted by the accounting; closes to the fall of reserves",
        nullable=False,
    ),
    usd(
        "drain_headline_usd_mn",
        "Counted as market commentary does; does not close",
        nullable=False,
    ),
)


SEASONAL_COMPONENTS = (
    "drain_reserves",
    "tga",
    "net_settlement",
    "net_settlement_calendar_week",
    "net_bills_calendar_week",
)


SETTLEMENT_SEASONS = SEASONAL_COMPONENTS[2:]


CLOSED_BY = ("cusum", "negative weeks")


DEBT_LIMIT_STATE = text(
    "debt_limit_state", "State of the debt limit, as far as it is on record", nullable=True
)


TGA_DAILY = Table(
    "marts",
    "tga_daily",
    "The Treasury's account by day: what moved it, and its distance from the assumed balance.",
    key=("record_date",),
    columns=(
        day("record_date", "Day of the statement"),
        usd("opening_usd_mn", "Opening balance"),
        usd("deposits_usd_mn", "All deposits"),
        usd("withdrawals_usd_mn", "All withdrawals"),
        usd("closing_usd_mn", "Closing balance", nullable=False),
        usd("change_1d_usd_mn", "Change of the close over one statement day"),
        usd("change_5d_usd_mn", "Change of the close over five statement days"),
        usd("net_debt_cash_usd_mn", "Public debt cash issues less redemptions (table II)"),
        usd("other_flows_usd_mn", "Change without the debt cash: taxes, spending and the rest"),
        usd("target_usd_mn", "Quarter-end balance assumed by the last financing estimate"),
        usd("gap_to_target_usd_mn", "Target less close: what is still to be drained"),
        MART_KNOWN_AT,
    ),
)


RESERVE_DRAINS = Table(
    "marts",
    "reserve_drains",
    "The drain of record: minus the weekly change of reserve balances, by balance-sheet line.",
    key=("week_ending",),
    columns=(
        day("week_ending", "Wednesday"),
        usd("drain_reserves_usd_mn", "Fall of reserve balances", nullable=False),
        usd("d_tga_usd_mn", "Rise of the Treasury General Account"),
        usd("d_rrp_usd_mn", "Rise of reverse repos, domestic and foreign"),
        usd("d_currency_usd_mn", "Rise of Federal Reserve notes in circulation"),
        usd(
            "d_other_usd_mn",
            "Rise of all other liabilities and capital, from the lines of H.4.1; NULL unless all "
            "of total assets, currency, reverse repos, the TGA and bank deposits are known",
        ),
        usd("d_foreign_official_usd_mn", "Rise of foreign official deposits, part of d_other"),
        usd("d_other_deposits_usd_mn", "Rise of others' deposits (GSEs, ...), part of d_other"),
        usd("d_other_liabilities_usd_mn", "Rise of what is no deposit, part of d_other"),
        usd("d_capital_usd_mn", "Rise of the Fed's capital, part of d_other"),
        usd(
            "d_currency_and_other_usd_mn",
            "What closes the week: rise of notes, other liabilities and capital together",
        ),
        usd("d_fed_assets_usd_mn", "Rise of the Fed's total assets, which adds reserves"),
        usd(
            "residual_usd_mn",
            "Drain that the lines leave: the difference between H.4.1's reserve balances and its "
            "deposits of depository institutions; NULL unless every line is known",
        ),
        text("rrp_basis", "H.4.1 total; NULL where it is not known", nullable=True),
        usd("reserves_usd_mn", "Reserve balances on the Wednesday"),
        usd("tga_usd_mn", "Treasury General Account on the Wednesday"),
        usd("rrp_usd_mn", "Reverse repos on the Wednesday"),
        usd("currency_usd_mn", "Federal Reserve notes on the Wednesday"),
        usd("fed_assets_usd_mn", "Total assets on the Wednesday"),
        MART_KNOWN_AT,
    ),
)


RESERVE_RATIOS = Table(
    "marts",
    "reserve_ratios",
    "Reserve balances over the total assets of commercial banks, as both were known on the day on "
    "which the reserves were published: H.8 of two Wednesdays before. Until 2018 bank assets are "
    "year-end figures kept by hand.",
    key=("week_ending",),
    columns=(
        day("week_ending", "Wednesday of the reserve balances"),
        usd("reserves_usd_mn", "Reserve balances", nullable=False),
        number(
            "bank_assets_usd_mn",
            "Total assets of commercial banks as last published",
            nullable=False,
            low=5_000_000,
            high=100_000_000,
        ),
        day("bank_assets_date", "Day for which they are stated; year-end for those kept by hand"),
        text(
            "bank_assets_basis",
            "H.8, or the figures in data/reference",
            allowed=("H.8", "year-end by hand"),
        ),
        number("reserves_of_bank_assets_pct", "The ratio", nullable=False, low=0, high=100),
        MART_KNOWN_AT,
    ),
)


DRAINS = Table(
    "marts",
    "drains",
    "Components of the drain by day, unsigned in their natural direction, counted both ways. "
    "Balance-sheet lines are dated on the Wednesday of H.4.1, and there only if the whole week is "
    "known; the rows marked complete add up to the fall of reserves.",
    key=("date", "component"),
    reach="date",
    rests_on=(
        *for_rows([AUCTIONS], component="settlement"),
        *for_rows([FED_OPERATIONS], component=("fed_bill_purchases", "fed_other_assets")),
        *for_rows([ON_RRP], component=("on_rrp", "foreign_rrp")),
    ),
    columns=(
        day("date", "Day of the flow"),
        text("component", "What moves", allowed=COMPONENTS),
        usd("amount_usd_mn", "Amount in its natural direction (a rise, a purchase)"),
        *_BOTH_CONVENTIONS,
        COMPLETE,
        MART_KNOWN_AT,
    ),
)


WEEKLY_DRAINS = Table(
    "marts",
    "weekly_drains",
    "Drains of each H.4.1 week by component; total in the convention of reserves ties to "
    "marts.reserve_drains. A week is there with all of its parts or not at all; without the "
    "auctions its settlement is absent and its total by market convention is NULL.",
    key=("week_ending", "component"),
    reach="week_ending",
    rests_on=(
        *for_rows([AUCTIONS], component="settlement"),
        *for_rows([replace(AUCTIONS, columns=("drain_headline_usd_mn",))], component="total"),
    ),
    columns=(
        day("week_ending", "Wednesday"),
        text("component", "What moves, or total", allowed=(*COMPONENTS, "total")),
        usd("amount_usd_mn", "Amount in its natural direction; NULL for the total"),
        _BOTH_CONVENTIONS[0],
        replace(_BOTH_CONVENTIONS[1], nullable=True),
        MART_KNOWN_AT,
    ),
)


DRAIN_SEASONALITY = Table(
    "marts",
    "drain_seasonality",
    "Each week's drain against what the calendar led to expect. The expectation is estimated on "
    "earlier weeks only and never rewritten; a rise is a drain in every component.",
    key=("week_ending", "component"),
    reach="week_ending",
    rests_on=(
        *for_rows([RESERVES], component=("drain_reserves", "tga")),
        *for_rows([Input("fed_balance_sheet", "WDTGAL")], component="tga"),
        *for_rows([AUCTIONS], component=SETTLEMENT_SEASONS),
    ),
    columns=(
        day("week_start", "First day of the week"),
        day("week_ending", "Last day: Wednesday (H.4.1), Sunday for the calendar week"),
        text(
            "component",
            "drain_reserves: fall of reserve balances; tga: rise of the Treasury General Account; "
            "net_settlement: net_public_usd_mn of marts.settlement_calendar, in the H.4.1 week or "
            "from Monday to Sunday, the press's week; net_bills: bills alone, cash-management "
            "bills included. "
            "Proceeds land in the TGA: never add the two",
            allowed=SEASONAL_COMPONENTS,
        ),
        usd("actual_usd_mn", "What drained", nullable=False),
        usd("expected_usd_mn", "What the calendar led to expect", nullable=False),
        usd("expected_low_usd_mn", "Lower end of the 95 % band; NULL before 52 past errors"),
        usd("expected_high_usd_mn", "Upper end of the 95 % band; NULL before 52 past errors"),
        usd("surprise_usd_mn", "Actual less expected", nullable=False),
        number(
            "surprise_sd",
            "Surprise over the deviation of past out-of-sample errors; NULL before 52 of them",
            unit="standard deviations",
        ),
        number(
            "surprise_rank",
            "Share of past surprises that were smaller in size; NULL before 52 of them",
            low=0,
            high=1,
            unit="share",
        ),
        usd("drain_sa_usd_mn", "Actual without the season: surprise plus mean", nullable=False),
        integer("n_obs", "Earlier weeks behind the expectation", low=156, unit="weeks"),
        integer("n_errors", "Past out-of-sample errors behind the deviation", low=0, unit="weeks"),
        MART_KNOWN_AT,
    ),
)


TGA_TRAJECTORY = Table(
    "marts",
    "tga_trajectory",
    "On each day of the Daily Treasury Statement, two paths of the TGA: to the end-of-quarter "
    "balances that the last refunding statements assume, in equal steps per business day; and "
    "the balance expected from settlements, usual flows and season, for six weeks, with its band.",
    key=("as_of_date", "week_ending"),
    columns=(
        day("as_of_date", "Daily Treasury Statement from which the path starts"),
        day("week_ending", "Wednesday ahead"),
        integer("weeks_ahead", "Wednesdays ahead, the next one is 1", low=1, unit="weeks"),
        usd("closing_usd_mn", "Balance from which the path starts", nullable=False),
        day("quarter_end", "End of the quarter of week_ending"),
        usd("target_usd_mn", "Balance assumed for that day", nullable=False),
        day("statement_date", "Day of the statement that assumes it"),
        usd("implied_balance_usd_mn", "Balance on the path on the Wednesday", nullable=False),
        usd(
            "implied_change_usd_mn",
            "Rise on the path since the Wednesday before, since as_of_date in the first week: the "
            "implied drain",
            nullable=False,
        ),
        usd(
            "expected_balance_usd_mn",
            "Balance expected on the Wednesday by marts.drain_outlook; NULL beyond six weeks and "
            "where its inputs were not known",
        ),
        usd("expected_balance_low_usd_mn", "Lower end of its band of past errors, 90 %"),
        usd("expected_balance_high_usd_mn", "Upper end of its band of past errors, 90 %"),
        day("expected_as_of_date", "Friday of the outlook that expected it", nullable=True),
        DEBT_LIMIT_STATE,
        MART_KNOWN_AT,
    ),
)


TGA_TRAJECTORY_SCORE = Table(
    "marts",
    "tga_trajectory_score",
    "What each refunding statement implied for the TGA, and what happened. While the debt limit "
    "binds the assumption cannot be kept.",
    key=("statement_date", "week_ending"),
    reach="week_ending",
    rests_on=(Input("tga_balance"),),
    columns=(
        day("statement_date", "Day of the refunding statement"),
        day("week_ending", "Wednesday that was ahead"),
        day("as_of_date", "First Daily Treasury Statement published after it"),
        integer("weeks_ahead", "Wednesdays ahead", low=1, unit="weeks"),
        usd("closing_usd_mn", "Balance from which the path started", nullable=False),
        usd("implied_balance_usd_mn", "Balance on the path", nullable=False),
        usd("actual_balance_usd_mn", "Balance that it was", nullable=False),
        usd("error_usd_mn", "Actual less implied", nullable=False),
        usd("no_change_error_usd_mn", "Actual less the starting balance", nullable=False),
        DEBT_LIMIT_STATE,
        MART_KNOWN_AT,
    ),
)


DAILY_DRAIN_ERROR = Table(
    "marts",
    "daily_drain_error",
    "How far the daily estimate of the drain (TGA + overnight reverse repo - outright purchases "
    "by settlement date) is from the drain of record, by calendar year of H.4.1 weeks. Years of "
    "which a week is not known are absent.",
    key=("year",),
    reach="last_week",
    rests_on=(FED_OPERATIONS, RESERVES, ON_RRP, Input("tga_balance")),
    columns=(
        integer("year", "Calendar year in which the weeks end", low=2000, unit="year"),
        day("last_week", "Last Wednesday of the year"),
        integer("n_weeks", "Weeks compared: all of the year", low=52, unit="weeks"),
        usd("mean_error_usd_mn", "Mean of estimate less record", nullable=False),
        usd("mean_absolute_error_usd_mn", "Mean size of the error per week", nullable=False),
        usd("mean_absolute_drain_usd_mn", "Mean size of the drain of record", nullable=False),
        number("correlation", "Of both over the weeks", low=-1, high=1, unit="-1 to 1"),
        flag(
            "is_close",
            "The correlation is 0.9 or more; where it is not, do not read the daily estimate as a "
            "drain of reserves",
        ),
        MART_KNOWN_AT,
    ),
)


OUTLOOK_COMPONENTS = (
    "settlements",
    "other_treasury",
    "tga",
    "rest_of_balance_sheet",
    "drain_reserves",
)
_OUTLOOK_COMPONENT = text(
    "component",
    "settlements: what the public pays for Treasury debt; other_treasury: the account's other "
    "flows (taxes, spending, interest, buybacks, the Fed's run-off); tga: both, the rise of the "
    "account; rest_of_balance_sheet: all else in H.4.1; drain_reserves: tga and the rest",
    allowed=OUTLOOK_COMPONENTS,
)

DRAIN_OUTLOOK = Table(
    "marts",
    "drain_outlook",
    "On each Friday, what is expected to drain until each of the six Wednesdays ahead, cumulated "
    "from the last Wednesday of H.4.1, by component.",
    key=("as_of_date", "weeks_ahead", "component"),
    reach="as_of_date",
    rests_on=(
        replace(AUCTIONS, by="week_ending", looks_ahead=True),
        Input(
            "upcoming_settlements", "auctions", is_current=True, only_ahead=True, by="week_ending"
        ),
        Input("tga_balance", looks_ahead=True),
        replace(RESERVES, looks_ahead=True),
    ),
    columns=(
        day("as_of_date", "Friday at whose end it was expected"),
        integer("weeks_ahead", "Wednesdays after start_date", low=1, unit="weeks"),
        _OUTLOOK_COMPONENT,
        day("start_date", "Last Wednesday of H.4.1 then known: sums begin after it"),
        day("week_ending", "Wednesday ahead"),
        usd("expected_usd_mn", "Expected sum of the component; a rise drains", nullable=False),
        usd(
            "expected_low_usd_mn",
            "Lower end of the 90 % band of past errors; for tga and drain_reserves, NULL before 52",
        ),
        usd("expected_high_usd_mn", "Upper end of the band"),
        usd("start_level_usd_mn", "TGA, or reserve balances, on start_date; NULL for parts"),
        usd("expected_level_usd_mn", "The same on week_ending, as expected"),
        MART_KNOWN_AT,
    ),
)


DRAIN_OUTLOOK_SCORE = Table(
    "marts",
    "drain_outlook_score",
    "What past Fridays expected of the TGA and of reserves, against what happened; beside it "
    "expecting no change, and the path that Treasury's assumption implied.",
    key=("as_of_date", "weeks_ahead", "component"),
    columns=(
        day("as_of_date", "Friday at whose end it was expected"),
        integer("weeks_ahead", "Wednesdays after the start", low=1, unit="weeks"),
        text(
            "component",
            "tga: rise of the account; drain_reserves: fall of reserve balances",
            allowed=("tga", "drain_reserves"),
        ),
        day("week_ending", "Wednesday that was ahead"),
        usd("expected_usd_mn", "Expected sum", nullable=False),
        usd("actual_usd_mn", "Actual sum", nullable=False),
        usd("error_usd_mn", "Actual less expected", nullable=False),
        usd("no_change_error_usd_mn", "Error of expecting no change: the actual", nullable=False),
        usd(
            "implied_error_usd_mn",
            "Actual less the path to Treasury's assumed balance; NULL for reserves, and where no "
            "statement reaches so far",
        ),
        flag("is_in_band", "The actual lay within the band; NULL without one", nullable=True),
        MART_KNOWN_AT,
    ),
)


_BEYOND = "Bought in the window beyond agency reinvestment, reinvestment counted first"


FED_BILL_PURCHASES = Table(
    "marts",
    "fed_bill_purchases",
    "The Fed's outright bill purchases less sales by settlement date, cumulated over the monthly "
    "window of the Desk's schedule, in both sign conventions.",
    key=("settlement_date", "operation_date"),
    reach="operation_date",
    rests_on=(replace(FED_OPERATIONS, since="window_start"),),
    columns=(
        day("settlement_date", "Day on which reserves move"),
        day("operation_date", "Day of the operations"),
        day("window_start", "Ninth business day of a month, when the month's amount is announced"),
        day("window_end", "Day before the next window"),
        usd("net_purchases_usd_mn", "Par bought less par sold", nullable=False),
        usd("cumulative_usd_mn", "The same since the window's first operation", nullable=False),
        usd("reinvestment_low_usd_mn", "Agency reinvestment of the window, published or at least"),
        usd("reinvestment_high_usd_mn", "Agency reinvestment of the window, published or at most"),
        usd("beyond_reinvestment_low_usd_mn", f"{_BEYOND}: at least"),
        usd("beyond_reinvestment_high_usd_mn", f"{_BEYOND}: at most"),
        flag("is_estimate", "The reinvestment is an estimate, not published for the window"),
        usd("drain_reserves_usd_mn", "Counted by the accounting", nullable=False),
        usd("drain_headline_usd_mn", "Counted as market commentary does", nullable=False),
        MART_KNOWN_AT,
    ),
)


REFERENCE_LEVELS = Table(
    "marts",
    "reference_levels",
    "Levels that policy or commentary names, beside what they are compared with, and each day on "
    "which they were crossed. A row is known once value and level are: naming came later.",
    key=("observation_date", "subject", "named_on"),
    columns=(
        day("observation_date", "Wednesday for reserves, statement day for the TGA"),
        text("subject", "Name of the level"),
        day("named_on", "Day on which it was named"),
        text("measure", "What is compared", allowed=("tga", "reserves", "reserves / bank assets")),
        text("unit", "Unit of value, level and distance", allowed=("USD mn", "percent")),
        number("value", "Value of the day", nullable=False, low=0, unit="see column unit"),
        number("level", "The level", nullable=False, low=0, unit="see column unit"),
        number("distance", "Value less level", nullable=False, unit="see column unit"),
        text(
            "crossed",
            "up: at or above for the first time again; down: below; NULL: not crossed",
            nullable=True,
            allowed=("up", "down"),
        ),
        day("last_crossed_on", "Newest crossing up to the row", nullable=True),
        MART_KNOWN_AT,
    ),
)


_SHARE_NOTE = "to the trough; the four parts add up to depth; NULL where a week of it is unknown"


DRAIN_EPISODES = Table(
    "marts",
    "drain_episodes",
    "Spells in which reserve balances fell faster than usual, found by a one-sided CUSUM on the "
    "weekly drain. Many are ordinary seasons: those with is_alarm took a tenth of all reserves. "
    "Closed episodes are never rewritten; the open one changes each week, and is absent while a "
    "week that is due has not come.",
    key=("episode_id",),
    reach="trough_date",
    rests_on=(RESERVES, replace(RESERVES, is_current=True, only={"is_open": ("true",)})),
    columns=(
        text("episode_id", "drain- and the start date"),
        day("start_date", "Wednesday from whose level reserves fell"),
        day("flagged_date", "Wednesday at whose end the CUSUM passed its threshold"),
        day("end_date", "Wednesday at whose end it closed; NULL while open", nullable=True),
        flag("is_open", "Not closed yet: every other column may still change"),
        text("closed_by", "What closed it", nullable=True, allowed=CLOSED_BY),
        flag("is_alarm", "Reserves fell by 10 % or more of what they were at the start"),
        day("alarm_date", "Wednesday at whose end they had; NULL without alarm", nullable=True),
        integer("duration_days", "Days from start to end, or to the newest week", low=7),
        day("trough_date", "Wednesday with the lowest reserves of the episode"),
        usd("depth_usd_mn", "Fall of reserves from start to trough", nullable=False),
        number("depth_pct", "Depth over reserves at the start", nullable=False, high=100),
        usd("tga_usd_mn", f"Rise of the TGA {_SHARE_NOTE}"),
        usd("on_rrp_usd_mn", f"Rise of reverse repos {_SHARE_NOTE}"),
        usd("fed_assets_usd_mn", f"Fall of the Fed's assets {_SHARE_NOTE}"),
        usd("other_usd_mn", f"Currency and other liabilities {_SHARE_NOTE}"),
        number("tga_share_pct", "TGA over depth"),
        number("on_rrp_share_pct", "Reverse repos over depth"),
        number("fed_assets_share_pct", "Fed's assets over depth"),
        number("other_share_pct", "The rest over depth"),
        usd("reserves_start_usd_mn", "Reserve balances at the start", nullable=False),
        number("reserves_of_fed_assets_pct", "The same over the Fed's assets", low=0, high=100),
        number(
            "reserves_of_bank_assets_pct",
            "The same over bank assets as last known at the start; NULL where none was",
            low=0,
            high=100,
        ),
        MART_KNOWN_AT,
    ),
)


DRAIN_EPISODE_WEEKS = Table(
    "marts",
    "drain_episode_weeks",
    "State of the CUSUM behind marts.drain_episodes at the end of each week; never rewritten.",
    key=("week_ending",),
    reach="week_ending",
    rests_on=(RESERVES,),
    columns=(
        day("week_ending", "Wednesday"),
        usd("drain_reserves_usd_mn", "Fall of reserve balances", nullable=False),
        usd("allowance_usd_mn", "Usual drain: median of all earlier weeks", nullable=False),
        usd("threshold_usd_mn", "90th percentile of earlier 4-week drains", nullable=False),
        number("cusum_usd_mn", "Drain cumulated beyond the usual", nullable=False, low=0, high=1e7),
        text("episode_id", "Episode open in this week; NULL in none", nullable=True),
        flag("is_open_at_end", "An episode is open, and this week has not closed it"),
        integer("n_history", "Earlier weeks behind both", low=156, unit="weeks"),
        MART_KNOWN_AT,
    ),
)


NET_LIQUIDITY = Table(
    "marts",
    "net_liquidity",
    "The Fed's assets less the TGA and reverse repos, Wednesday levels: an accounting shortcut for "
    "comparison with others' charts, not a measure of reserves.",
    key=("week_ending",),
    columns=(
        day("week_ending", "Wednesday"),
        usd("fed_assets_usd_mn", "Total assets", nullable=False),
        usd("tga_usd_mn", "Treasury General Account", nullable=False),
        usd("rrp_usd_mn", "Reverse repos; see rrp_basis", nullable=False),
        text("rrp_basis", "H.4.1 total, or overnight facility", nullable=True),
        usd("net_liquidity_usd_mn", "Assets less both", nullable=False),
        usd("change_usd_mn", "Change since the Wednesday before; NULL where the basis changes"),
        usd("reserves_usd_mn", "Reserve balances, which it is not"),
        MART_KNOWN_AT,
    ),
)


NET_LIQUIDITY_FIT = Table(
    "marts",
    "net_liquidity_fit",
    "How much of the S&P 500 net_liquidity explains at each year-end: by weekly changes, and by "
    "two ways of counting that overstate it.",
    key=("as_of", "sample", "measure"),
    reach="as_of",
    rests_on=(
        RESERVES,
        Input("fed_balance_sheet", "WALCL"),
        Input("fed_balance_sheet", "WDTGAL"),
        ON_RRP,
        Input(PRICES, "SPX"),
    ),
    columns=(
        day("as_of", "Last Wednesday of a year"),
        text("sample", "Weeks used", allowed=("all weeks", "since June 2022")),
        text(
            "measure",
            "weekly changes is the honest one: changes that overlap and levels that trend agree by "
            "construction",
            allowed=("weekly changes", "52-week changes, overlapping", "levels"),
        ),
        number("r_squared_pct", "Share of the variance explained", low=0, high=100.000001),
        integer("n_obs", "Weeks", low=52, unit="weeks"),
        day("first_week", "First of them"),
        MART_KNOWN_AT,
    ),
)


BANK_CREDIT = Table(
    "marts",
    "bank_credit",
    "Weekly change of banks' loans and leases (H.8) per USD 100 billion of reserves drained, with "
    "loans before, with and after the drain. An association in time, not a cause.",
    key=("as_of", "lag_weeks"),
    reach="as_of",
    rests_on=(
        replace(RESERVES, looks_ahead=True),
        # H.8 comes nine days after its Wednesday.
        Input("market_series", "TOTLL", looks_ahead=True),
    ),
    columns=(
        day("as_of", "Last Wednesday of a year"),
        number("lag_weeks", "Weeks by which loans follow the drain", nullable=False, unit="weeks"),
        number("estimate_usd_bn", "Change of loans per USD 100 bn drained", nullable=False),
        number("low_usd_bn", "Lower end of its 95 % interval", nullable=False),
        number("high_usd_bn", "Upper end of its 95 % interval", nullable=False),
        number("p_value", "Chance of an estimate so far from zero", low=0, high=1, unit="share"),
        number(
            "p_value_adjusted",
            "The same for all lags together",
            low=0,
            high=1,
            unit="share",
        ),
        integer("n_obs", "Weeks", low=104, unit="weeks"),
        MART_KNOWN_AT,
    ),
)
