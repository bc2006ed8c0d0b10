"""The inputs on which the marts on drains rest."""

from __future__ import annotations

from liquidity_pipeline.contracts.reach import HOLDINGS, Input, public_share, refined

AUCTIONS = Input("debt_settlements", "auctions")

# What the public pays for all settlements, and for those of bills, which buybacks do not retire.
PUBLIC_SETTLEMENT = (AUCTIONS, *public_share(AUCTIONS))
PUBLIC_BILLS = (AUCTIONS, *refined(AUCTIONS, HOLDINGS))

# The programme began then; before it there is nothing to know.
BUYBACKS = Input("debt_settlements", "buybacks", from_day="2024-05-29")

FED_OPERATIONS = Input("fed_operations")

RESERVES = Input("fed_balance_sheet", "WRBWFRBL")

# The facility opened then; before it there is nothing to know.
ON_RRP = Input("repo_operations", "on_rrp", from_day="2013-09-23")
