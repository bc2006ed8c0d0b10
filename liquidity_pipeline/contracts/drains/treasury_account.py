"""Contracts of the marts on the Treasury's account and the balances that Treasury assumes."""

from __future__ import annotations

from liquidity_pipeline.contracts.reach import Input
from liquidity_pipeline.contracts.table import MART_KNOWN_AT, Table, day, integer, text, usd

DEBT_LIMIT_STATE = text(
    "debt_limit_state", "State of the debt limit, as far as it is on record", nullable=True
)

TGA_DAILY = Table(
    "marts",
    "tga_daily",
    "The Treasury General Account by day: the flows that changed it, and its distance from "
    "the quarter-end balance that Treasury assumes.",
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
        usd(
            "other_flows_usd_mn",
            "Change of the close other than from public debt cash: taxes, spending and all else",
        ),
        usd(
            "target_usd_mn", "Quarter-end balance that Treasury's latest financing estimate assumes"
        ),
        usd(
            "gap_to_target_usd_mn",
            "Target less close: the amount by which the account still has to rise",
        ),
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
        usd("target_usd_mn", "Balance that Treasury assumes for quarter_end", nullable=False),
        day("statement_date", "Day of the refunding statement that states the assumption"),
        usd("implied_balance_usd_mn", "Balance on the path on the Wednesday", nullable=False),
        usd(
            "implied_change_usd_mn",
            "Rise along the path since the previous Wednesday (in the first week, since "
            "as_of_date): the implied drain",
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
        day("week_ending", "Wednesday for which the value was expected"),
        day("as_of_date", "First Daily Treasury Statement published after it"),
        integer("weeks_ahead", "Wednesdays ahead", low=1, unit="weeks"),
        usd("closing_usd_mn", "Balance from which the path started", nullable=False),
        usd("implied_balance_usd_mn", "Balance on the path", nullable=False),
        usd("actual_balance_usd_mn", "Actual balance on that Wednesday", nullable=False),
        usd("error_usd_mn", "Actual less implied", nullable=False),
        usd("no_change_error_usd_mn", "Actual less the starting balance", nullable=False),
        DEBT_LIMIT_STATE,
        MART_KNOWN_AT,
    ),
)
