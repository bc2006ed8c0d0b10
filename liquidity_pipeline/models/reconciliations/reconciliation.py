"""Reconciliations between independent records: the same dollars, stated by different publishers.

The query of each is the `.sql` file of its name in this folder: one row per comparison, with `day`
and `difference`. A reconciliation with nothing to compare says so instead of passing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.models.lineage import tables_read

if TYPE_CHECKING:
    import duckdb


@dataclass(frozen=True)
class Reconciliation:
    """One reconciliation. `mart` is the table whose numbers depend on it.

    `is_optional`: it may have nothing to compare, because what others publish lies outside the
    stored months, or does not describe the sandbox's data.
    """

    name: str
    mart: str
    meaning: str
    tolerance_usd_mn: float
    blocking: bool = False
    is_optional: bool = False

    @property
    def sql(self) -> str:
        """The query that gives one row per comparison: `day` and `difference`."""
        return (Path(__file__).parent / f"{self.name}.sql").read_text(encoding="utf-8")

    @property
    def reads(self) -> frozenset[str]:
        """The qualified names of the tables that the query reads, from its text."""
        return tables_read(self.sql)


@dataclass(frozen=True)
class ReconciliationResult:
    """The outcome of one reconciliation."""

    compared: int
    misses: int
    largest_usd_mn: float | None
    worst_day: str | None

    @property
    def holds(self) -> bool:
        """Something was compared and nothing missed."""
        return self.compared > 0 and self.misses == 0


def passes(reconciliation: Reconciliation, result: ReconciliationResult) -> bool:
    """Tell whether a reconciliation lets a publication go on.

    With nothing to compare there is no proof either way, so a blocking one does not stop then, and
    an optional one does not fail.
    """
    lenient = reconciliation.blocking or reconciliation.is_optional
    return result.holds or (lenient and result.compared == 0)


def figures(reconciliation: Reconciliation, result: ReconciliationResult) -> dict[str, float | str]:
    """Return the outcome as named figures; what is unknown is left out."""
    named = {
        "compared": result.compared,
        "misses": result.misses,
        "largest_difference_usd_mn": result.largest_usd_mn,
        "worst_day": result.worst_day,
        "tolerance_usd_mn": reconciliation.tolerance_usd_mn,
    }
    return {name: value for name, value in named.items() if value is not None}


def evaluate(
    reconciliation: Reconciliation, connection: duckdb.DuckDBPyConnection
) -> ReconciliationResult:
    """Run a reconciliation on a session that sees the tables in `reconciliation.reads`.

    A query with a column `tolerance_usd_mn` says per row how far off it may be. Of days that are
    equally far off, the last is the worst.
    """
    own = "tolerance_usd_mn" in connection.sql(reconciliation.sql).columns
    tolerance = "tolerance_usd_mn" if own else reconciliation.tolerance_usd_mn
    (row,) = connection.execute(
        f"""
        with differences as ({reconciliation.sql})
        select
            count(difference),
            count(difference) filter (where abs(difference) > {tolerance}),
            max(abs(difference)),
            (arg_max(day, (abs(difference), day)) filter (where difference is not null))::varchar
        from differences"""
    ).fetchall()
    return ReconciliationResult(*row)


RECONCILIATIONS: Sequence[Reconciliation] = (
    Reconciliation(
        name="tga_close_equals_h41",
        mart="tga_daily",
        meaning="The statement's close equals H.4.1's Wednesday level, to the million.",
        tolerance_usd_mn=0.5,
    ),
    Reconciliation(
        name="tga_week_average_equals_h41",
        mart="tga_daily",
        meaning=(
            "The seven-day average (Thursday to Wednesday) of closes equals H.4.1's week average."
        ),
        tolerance_usd_mn=2.0,
    ),
    Reconciliation(
        name="tga_flows_close",
        mart="tga_daily",
        meaning=(
            "Opening balance plus deposits less withdrawals equals the close, but for rounding."
        ),
        tolerance_usd_mn=2.0,
    ),
    Reconciliation(
        name="tga_lines_equal_statement",
        mart="tga_daily",
        meaning=(
            "The lines of table II add up to table I's deposits and withdrawals, but for rounding "
            "of each of some ninety lines to a million."
        ),
        tolerance_usd_mn=50.0,
    ),
    Reconciliation(
        name="soma_securities_add_up_by_week",
        mart="settlement_calendar",
        meaning="The Fed's holdings by CUSIP add up to the weekly summary, kind by kind.",
        tolerance_usd_mn=0.001,
    ),
    Reconciliation(
        name="issues_equal_table_iiia",
        mart="settlement_calendar",
        meaning=(
            "The day's issues equal the marketable issues of table IIIA, but for small corrections."
        ),
        tolerance_usd_mn=50.0,
    ),
    Reconciliation(
        name="settlements_equal_table_iiia",
        mart="settlement_calendar",
        meaning=(
            "Issues less redemptions and buybacks equal the marketable lines of table IIIA, "
            "without the accrual of inflation-protected securities. Where buybacks are not "
            "served they are the difference."
        ),
        tolerance_usd_mn=50.0,
    ),
    Reconciliation(
        name="borrowing_equals_treasury",
        mart="quarterly_borrowing",
        meaning=(
            "Privately-held net marketable borrowing per quarter equals Treasury's printed figure: "
            "within 1 bn before buybacks began, within 2 bn after."
        ),
        tolerance_usd_mn=2_000.0,
        is_optional=True,
    ),
    Reconciliation(
        name="quarter_end_cash_equals_treasury",
        mart="quarterly_borrowing",
        meaning="The account's close at a quarter's end equals the printed figure, as rounded.",
        tolerance_usd_mn=500.0,
        is_optional=True,
    ),
    Reconciliation(
        name="reserve_drain_equals_press",
        mart="reserve_drains",
        meaning="A week's fall of reserves equals the figure that the press printed, as rounded.",
        tolerance_usd_mn=500.0,
        is_optional=True,
    ),
    Reconciliation(
        name="fed_share_agrees_with_known_add_ons",
        mart="settlement_vintages",
        meaning=(
            "Where the Fed's part of the maturing is assumed, it is at least the add-ons of the "
            "day, as far as so much matures, and at most all."
        ),
        tolerance_usd_mn=0.01,
        is_optional=True,
    ),
    Reconciliation(
        name="forward_calendar_equals_outlook",
        mart="forward_calendar",
        meaning=(
            "The settlements of the forward calendar add up, by day and group, to the net that the "
            "outlook expects."
        ),
        tolerance_usd_mn=0.01,
        is_optional=True,
    ),
    Reconciliation(
        name="weekly_drains_tie_to_reserves",
        mart="weekly_drains",
        meaning=(
            "The components of a week, counted by the accounting, add up to the fall of reserves."
        ),
        tolerance_usd_mn=1.0,
        blocking=True,
    ),
)
