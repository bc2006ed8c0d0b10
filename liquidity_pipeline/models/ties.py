"""Ties between independent records: the same dollars, stated by different publishers.

Each query gives one row: what was compared, how many comparisons miss the tolerance, and the
largest difference. A tie without anything to compare says so instead of passing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb


@dataclass(frozen=True)
class Tie:
    """One reconciliation. `mart` is the table whose numbers depend on it."""

    name: str
    mart: str
    meaning: str
    tolerance_usd_mn: float
    differences: str
    reads: frozenset[str]
    blocking: bool = False


@dataclass(frozen=True)
class TieResult:
    """The outcome of one reconciliation."""

    compared: int
    misses: int
    largest_usd_mn: float | None
    worst_day: str | None

    @property
    def holds(self) -> bool:
        """Something was compared and nothing missed."""
        return self.compared > 0 and self.misses == 0


def passes(tie: Tie, result: TieResult) -> bool:
    """Tell whether a reconciliation stands in the way of nothing.

    With nothing to compare there is no proof either way: a blocking tie then does not stop.
    """
    return result.holds or (tie.blocking and result.compared == 0)


def figures(tie: Tie, result: TieResult) -> dict[str, float | str]:
    """Return the outcome as named figures; what is unknown is left out."""
    named = {
        "compared": result.compared,
        "misses": result.misses,
        "largest_difference_usd_mn": result.largest_usd_mn,
        "worst_day": result.worst_day,
        "tolerance_usd_mn": tie.tolerance_usd_mn,
    }
    return {name: value for name, value in named.items() if value is not None}


def evaluate(tie: Tie, connection: duckdb.DuckDBPyConnection) -> TieResult:
    """Run a reconciliation on a session that sees the tables in `tie.reads`."""
    (row,) = connection.execute(
        f"""
        with differences as ({tie.differences})
        select
            count(difference),
            count(difference) filter (where abs(difference) > {tie.tolerance_usd_mn}),
            max(abs(difference)),
            arg_max(day, abs(difference))::varchar
        from differences"""
    ).fetchall()
    return TieResult(*row)


_TGA = frozenset({"sources.tga_balance", "sources.fed_balance_sheet", "meta.calendar_days"})

# The account's balance on every calendar day: on a day without a statement the last one stands.
_DAILY_TGA = """
    select
        days.date,
        days.week_ending,
        last_value(balance.closing_usd_mn ignore nulls) over (order by days.date) as closing_usd_mn
    from meta.calendar_days as days
    left join sources.tga_balance as balance on balance.record_date = days.date
"""

# Table IIIA's marketable lines that settle; the increment of inflation-protected securities is a
# line of its own and moves no money.
_FACE_LINES = """
    dts_table = 'IIIA' and security_market = 'Marketable' and security_type in
        ('Bills', 'Notes', 'Bonds', 'Inflation-Protected Securities', 'Floating Rate Notes')
"""

TIES: Sequence[Tie] = (
    Tie(
        "tga_close_equals_h41",
        "tga_daily",
        "The statement's close equals H.4.1's Wednesday level, to the million.",
        0.5,
        f"""
        select h41.observation_date as day, h41.value_usd_mn - tga.closing_usd_mn as difference
        from sources.fed_balance_sheet as h41
        join ({_DAILY_TGA}) as tga on tga.date = h41.observation_date
        where h41.series = 'WDTGAL'
            and h41.observation_date <= (select max(record_date) from sources.tga_balance)""",
        _TGA,
    ),
    Tie(
        "tga_week_average_equals_h41",
        "tga_daily",
        "The seven-day average (Thursday to Wednesday) of closes equals H.4.1's week average.",
        2.0,
        f"""
        select h41.observation_date as day, h41.value_usd_mn - tga.average_usd_mn as difference
        from sources.fed_balance_sheet as h41
        join (
            select week_ending, avg(closing_usd_mn) as average_usd_mn
            from ({_DAILY_TGA})
            group by week_ending
            having count(closing_usd_mn) = 7
        ) as tga on tga.week_ending = h41.observation_date
        where h41.series = 'WTREGEN'
            and h41.observation_date <= (select max(record_date) from sources.tga_balance)""",
        _TGA,
    ),
    Tie(
        "tga_flows_close",
        "tga_daily",
        "Opening balance plus deposits less withdrawals equals the close, but for rounding.",
        2.0,
        """
        select record_date as day,
            opening_usd_mn + deposits_usd_mn - withdrawals_usd_mn - closing_usd_mn as difference
        from sources.tga_balance""",
        frozenset({"sources.tga_balance"}),
    ),
    Tie(
        "issues_equal_table_iiia",
        "settlement_calendar",
        "The day's issues equal the marketable issues of table IIIA, but for small corrections.",
        50.0,
        f"""
        select statement.record_date as day,
            statement.issued_usd_mn - coalesce(settled.issued_usd_mn, 0) as difference
        from (
            select record_date, sum(amount_usd_mn) as issued_usd_mn
            from sources.debt_transactions
            where {_FACE_LINES} and transaction_type = 'Issues'
            group by record_date
        ) as statement
        left join (
            select settlement_date, sum(par_usd_mn) as issued_usd_mn
            from sources.debt_settlements
            where leg = 'issue'
            group by settlement_date
        ) as settled on settled.settlement_date = statement.record_date""",
        frozenset({"sources.debt_transactions", "sources.debt_settlements"}),
    ),
    Tie(
        "settlements_equal_table_iiia",
        "settlement_calendar",
        "Issues less redemptions and buybacks equal the marketable lines of table IIIA, without "
        "the accrual of inflation-protected securities. Where buybacks are not served they are "
        "the difference.",
        50.0,
        f"""
        select statement.record_date as day, statement.net_usd_mn - coalesce(settled.net_usd_mn, 0)
            as difference
        from (
            select record_date, sum(case transaction_type when 'Issues' then amount_usd_mn
                else -amount_usd_mn end) as net_usd_mn
            from sources.debt_transactions
            where {_FACE_LINES}
            group by record_date
        ) as statement
        left join (
            select settlement_date, sum(case leg when 'issue' then par_usd_mn else -par_usd_mn end)
                as net_usd_mn
            from sources.debt_settlements
            group by settlement_date
        ) as settled on settled.settlement_date = statement.record_date""",
        frozenset({"sources.debt_transactions", "sources.debt_settlements"}),
    ),
    Tie(
        "weekly_drains_tie_to_reserves",
        "weekly_drains",
        "The components of a week, counted by the accounting, add up to the fall of reserves.",
        1.0,
        """
        select reserves.week_ending as day,
            reserves.drain_reserves_usd_mn - drains.drain_reserves_usd_mn as difference
        from marts.reserve_drains as reserves
        join marts.weekly_drains as drains
            on drains.week_ending = reserves.week_ending and drains.component = 'total'""",
        frozenset({"marts.reserve_drains", "marts.weekly_drains"}),
        blocking=True,
    ),
)
