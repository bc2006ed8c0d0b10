"""Reconciliations are run again when anything that they compare has changed, and only then."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.models.reconciliations import reconciliation
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    Reconciliation,
    ReconciliationResult,
)
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings, default_reference_dir
from liquidity_pipeline_tests.models.test_mart_inputs import CHANGES, FOR_ALL

TODAY = date(2026, 2, 6)

pytestmark = pytest.mark.slow


@pytest.fixture
def pipeline(place: tuple[str, ...], tmp_path: Path) -> Pipeline:
    """Two months of all sources and all marts, which a test may change."""
    shutil.copytree(default_reference_dir(), tmp_path / "reference")
    shutil.copytree(place[3], tmp_path / "data")
    return Pipeline(
        Settings(
            tmp_path / "data", endpoints=place[1], as_of=TODAY, reference_dir=tmp_path / "reference"
        )
    )


@pytest.fixture
def run_checks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Give the names of the reconciliations that are run from now on, as they are."""
    names: list[str] = []
    evaluate = reconciliation.evaluate

    def noted(check: Reconciliation, connection: duckdb.DuckDBPyConnection) -> ReconciliationResult:
        names.append(check.name)
        return evaluate(check, connection)

    monkeypatch.setattr(reconciliation, "evaluate", noted)
    return names


def test_reconciliations_of_the_same_inputs_are_not_run_again(
    pipeline: Pipeline, run_checks: list[str]
):
    found = Pipeline(pipeline.settings).reconcile(RECONCILIATIONS)
    run_checks.clear()
    assert Pipeline(pipeline.settings).reconcile(RECONCILIATIONS) == found
    assert run_checks == []
    assert pipeline.evaluate_all(RECONCILIATIONS) == found
    assert any(result.compared for result in found)


# What compares the changed table; all that compare anything where facts by hand may have changed.
COMPARING: dict[str, Callable[[Reconciliation], bool]] = {
    "a month of statements": lambda check: "sources.tga_balance" in check.reads,
    "a revised balance": lambda check: "sources.fed_balance_sheet" in check.reads,
    "a reference table": lambda _: True,
}


@pytest.mark.parametrize("change", COMPARING)
def test_a_change_of_what_they_compare_runs_reconciliations_again(
    change: str, pipeline: Pipeline, run_checks: list[str]
):
    before = pipeline.reconcile(RECONCILIATIONS)
    run_checks.clear()
    CHANGES[change](pipeline)
    found = Pipeline(pipeline.settings).reconcile(RECONCILIATIONS)
    assert set(run_checks) == {each.name for each in RECONCILIATIONS if COMPARING[change](each)}
    assert found == pipeline.evaluate_all(RECONCILIATIONS)
    assert (found == before) == (change in FOR_ALL), "signs are compared with nothing"


def test_reconciliations_are_run_again_when_a_mart_they_compare_is_another(
    pipeline: Pipeline, run_checks: list[str]
):
    pipeline.reconcile(RECONCILIATIONS)
    run_checks.clear()
    table = MART_TABLES["reserve_drains"]
    rows = pipeline.marts.read(table)
    pipeline.marts.store_snapshot(table, rows.slice(1), pipeline.now, checked=True)
    Pipeline(pipeline.settings).reconcile(RECONCILIATIONS)
    assert set(run_checks) == {"reserve_drain_equals_press", "weekly_drains_tie_to_reserves"}
    tomorrow = replace(pipeline.settings, as_of=TODAY + timedelta(days=1))
    run_checks.clear()
    Pipeline(tomorrow).reconcile(RECONCILIATIONS)
    assert len(run_checks) == len(RECONCILIATIONS), "what is public changes with the day"


def test_what_a_check_found_in_a_mart_before_its_turn_is_not_kept(
    pipeline: Pipeline, run_checks: list[str]
):
    check = next(one for one in RECONCILIATIONS if one.name == "weekly_drains_tie_to_reserves")
    assert check.reads == {"marts.reserve_drains", "marts.weekly_drains"}
    for order in (["weekly_drains", "reserve_drains"], ["reserve_drains", "weekly_drains"]):
        (pipeline.settings.marts_dir / "reconciled.json").unlink(missing_ok=True)
        list(pipeline.build_marts(order, [check]))
        run_checks.clear()
        Pipeline(pipeline.settings).reconcile([check])
        assert bool(run_checks) == (order[0] == check.mart)
