"""The campaign of corrections in short: one source of each kind, one seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline_tests.campaign import Campaign
from liquidity_pipeline_tests.campaign_corrections import trial, two_days


@pytest.mark.slow
def test_each_corrected_value_is_a_revision_and_the_tables_are_those_of_an_honest_directory(
    tmp_path: Path,
) -> None:
    found = Campaign("corrections", "corrected sources", asked=3, seed=1, seconds=600)
    with two_days(tmp_path / "clients") as days:
        for name in ("tga_balance", "reference_rates", "fed_balance_sheet"):
            trial(days, tmp_path, 1, SOURCES[name], found)
    assert found.failures == []
    corrected = [times for what, times in found.tally.items() if "in the revisions" in what]
    assert len(corrected) == 3
    assert all(corrected)
