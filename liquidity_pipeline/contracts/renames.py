"""Columns that were renamed in this version, and the names that they had in the last one.

The published file repeats the tables in the schema `previous` as views with the old names, so that
queries go on working for one version. Remove an entry with the version after.
"""

from __future__ import annotations

from collections.abc import Mapping

# Table -> new name -> old name.
RENAMED_COLUMNS: Mapping[str, Mapping[str, str]] = {
    f"marts.{name}": {"n_tests": "n_looks"}
    for name in (
        "weekly_correlations",
        "liquidity_sensitivity",
        "sensitivity_ranking",
        "lead_lag",
        "settlement_day_study",
        "contagion",
        "contagion_order",
        "relative_performance",
    )
}
