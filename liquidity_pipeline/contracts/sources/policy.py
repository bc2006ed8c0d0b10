"""Contract of the facts of policy that are kept by hand."""

from __future__ import annotations

from liquidity_pipeline.contracts.table import KNOWN_AT, Table, day, number, text

POLICY_EVENTS = Table(
    "sources",
    "policy_events",
    "Policy facts that no service publishes as data, entered by hand in data/reference.",
    key=("event_date", "kind", "subject"),
    day="event_date",
    origin="See the column source",
    columns=(
        day("event_date", "Day on which it was announced or took place"),
        text("kind", "Kind of fact, e.g. refunding_cash_balance, fomc_decision"),
        text("subject", "Subject of the fact, e.g. the quarter or the programme"),
        number("value", "Figure, in the unit of the column unit", unit="see column unit"),
        text("unit", "Unit of the value", nullable=True),
        day("effective_date", "First day on which it applies", nullable=True),
        day("end_date", "Last day on which it applies", nullable=True),
        text("detail", "Explanation", nullable=True),
        text("source", "Source of the fact"),
        text("evidence", "How well it is documented: published, derived or remembered"),
        KNOWN_AT,
    ),
)
