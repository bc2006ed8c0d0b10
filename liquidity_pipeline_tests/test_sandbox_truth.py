"""The pipeline against the sandbox's answer key: drains, settlements, balances, episodes, funding.

What is expected comes from the simulated world (`GET /truth`, and the accounts behind it), never
from the pipeline. Estimates over many worlds are compared in `campaign_truth`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import pytest
import requests

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.reconciliations.reconciliation import RECONCILIATIONS, Reconciliation
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.sandbox import days, policy
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.publishers.wire import World
from liquidity_pipeline.sandbox.server import make_world, start
from liquidity_pipeline.sandbox.truth import truth
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.sources.registry import SOURCES
from liquidity_pipeline_tests.filling import build, fill

TODAY, FIRST = date(2026, 2, 6), date(2024, 1, 1)
OPTIONS = Options(today=TODAY, start=FIRST, compress=False)
WINDOW = Window.of_months(FIRST, TODAY)

# The lines of the key, which are columns of `marts.reserve_drains`.
PARTS = (
    "d_tga_usd_mn",
    "d_rrp_usd_mn",
    "d_currency_usd_mn",
    "d_other_usd_mn",
    "d_fed_assets_usd_mn",
    "drain_reserves_usd_mn",
)
# H.4.1's currency and its other liabilities are one component of `marts.weekly_drains`.
WEEKLY_PARTS = {
    ("d_tga_usd_mn",): ("tga",),
    ("d_rrp_usd_mn",): ("on_rrp", "foreign_rrp"),
    ("d_currency_usd_mn", "d_other_usd_mn"): ("other_liabilities",),
    ("d_fed_assets_usd_mn",): ("fed_bill_purchases", "fed_other_assets"),
    ("drain_reserves_usd_mn",): ("total",),
}
# SOFR less IORB below which no flag is raised, and what keeps it below: reserves above this
# scarcity's level. There the spread is -9 + 7 x 0.3, plus (1.5 + 4 x 0.3) x 2.5 on the heaviest
# settlement day, plus four standard deviations of 1.3: 5 bp (`funding` in the key).
FLOOR_BP, AMPLE = 10.0, 0.3


@dataclass(frozen=True)
class Filled:
    """A data directory filled from a sandbox, its world, and the answer key as it was served."""

    pipeline: Pipeline
    world: World
    key: dict[str, Any]

    def rows(self, mart: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.pipeline.marts.read(MART_TABLES[mart]).to_pylist()
        return found

    @cached_property
    def true_weeks(self) -> dict[date, dict[str, Any]]:
        """The true drain of each week by component; a rise of the Fed's assets is negative."""
        return {day(row["week_ending"]): row for row in self.key["weekly_drains"]}

    @cached_property
    def component_weeks(self) -> Mapping[tuple[date, str], float]:
        """`marts.weekly_drains` by the accounting, by week and component; 0 where there is none."""
        found: defaultdict[tuple[date, str], float] = defaultdict(float)
        for row in self.rows("weekly_drains"):
            found[row["week_ending"], row["component"]] = row["drain_reserves_usd_mn"]
        return found

    def by_day(self, values: np.ndarray) -> dict[date, float]:
        """Return an array on the economy's business days by date."""
        at = [days.date_of(number) for number in self.world.economy.days.tolist()]
        return dict(zip(at, values.tolist(), strict=True))


def day(text: str) -> date:
    return date.fromisoformat(text)


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """All sources of 25 months and all marts, over HTTP from a sandbox. Takes about 12 s."""
    with start(OPTIONS) as sandbox:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("truth"), endpoints=sandbox.url, as_of=TODAY
        )
        pipeline = fill(Pipeline(settings), WINDOW)
        key = requests.get(f"{sandbox.url}/truth", timeout=30).json()
    return Filled(build(pipeline), make_world(OPTIONS), key)


LONG_FIRST = date(2021, 10, 1)
FUNDING_SOURCES = ("reference_rates", "market_series", "repo_operations")


@pytest.fixture(scope="session")
def funded(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    """Funding alone over 52 months: a flag is ranked against the three years before it."""
    options = replace(OPTIONS, start=LONG_FIRST)
    with start(options) as sandbox:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("funded"), endpoints=sandbox.url, as_of=TODAY
        )
        pipeline = Pipeline(settings)
        for name in FUNDING_SOURCES:
            pipeline.ingest(SOURCES[name], Window.of_months(LONG_FIRST, TODAY))
        key = requests.get(f"{sandbox.url}/truth", timeout=30).json()
    pipeline.read_policy_events()
    order = engine.build_order()
    for built in pipeline.build_marts(order[: order.index("stress_flags") + 1]):
        assert not built.failure, built.failure
    return Filled(pipeline, make_world(options), key)


def test_the_served_answer_key_is_the_worlds(filled: Filled) -> None:
    assert filled.key == truth(filled.world)


def test_weekly_reserve_drains_are_the_true_ones_to_the_million(filled: Filled) -> None:
    found = {row["week_ending"]: row for row in filled.rows("reserve_drains")}
    assert len(found) == 109  # Wednesdays from 2024-01-10 to 2026-02-04
    assert set(found) == set(filled.true_weeks)
    for week, true in filled.true_weeks.items():
        # The mart has the rise of the Fed's assets, the key what it drains.
        expected = {name: true[name] for name in PARTS}
        expected["d_fed_assets_usd_mn"] = -true["d_fed_assets_usd_mn"]
        assert {name: found[week][name] for name in PARTS} == expected, week
        assert found[week]["residual_usd_mn"] == 0, week


def test_weekly_drains_by_component_are_the_true_ones(filled: Filled) -> None:
    seen = filled.component_weeks
    assert {week for week, _ in seen} == set(filled.true_weeks)
    for week, true in filled.true_weeks.items():
        for lines, parts in WEEKLY_PARTS.items():
            expected = sum(true[line] for line in lines)
            # Purchases are in dollars: millions with six decimals.
            found = sum(seen[week, part] for part in parts)
            assert found == pytest.approx(expected, abs=1e-5), (week, parts)


# Reconciliations that compare weeks; the others compare days.
WEEKLY = {
    "tga_close_equals_h41",
    "tga_week_average_equals_h41",
    "weekly_drains_tie_to_reserves",
}


@pytest.mark.parametrize(
    "reconciliation",
    RECONCILIATIONS,
    ids=lambda each: each.name,
)
def test_independent_records_of_one_world_agree(
    filled: Filled, reconciliation: Reconciliation
) -> None:
    if "meta.published_totals" in reconciliation.reads:
        pytest.skip("what others print describes the real world, not the sandbox's")
    (result,) = filled.pipeline.evaluate_all([reconciliation])
    assert result.misses == 0
    if reconciliation.is_optional:
        # The Fed's holdings are served by CUSIP: nothing is assumed of them.
        return
    # By week 109, by day the Treasury's 525 statements.
    assert result.compared >= (
        109 if "week" in reconciliation.name or "h41" in reconciliation.name else 525
    )


def test_every_close_of_the_account_is_the_true_balance(filled: Filled) -> None:
    true = filled.by_day(filled.world.economy.sheet.tga)
    found = filled.pipeline.lake.read(TGA_BALANCE).to_pylist()
    assert len(found) == 525
    for row in found:
        assert row["closing_usd_mn"] == true[row["record_date"]]


def settled(filled: Filled, *, net_known: bool) -> dict[date, dict[str, float]]:
    """Return the days' settlements so far; `net_known`: only where the Fed's share is published."""
    names = ("issued_usd_mn", "redeemed_usd_mn", "buyback_usd_mn", "net_public_usd_mn")
    found: defaultdict[date, dict[str, float]] = defaultdict(lambda: dict.fromkeys(names, 0.0))
    assumed = set()
    for row in filled.rows("settlement_calendar"):
        if row["settlement_date"] <= TODAY:
            for name in names:
                found[row["settlement_date"]][name] += row[name]
            if row["soma_basis"] == "assumed" and row["redeemed_usd_mn"]:
                assumed.add(row["settlement_date"])
    return {key: row for key, row in found.items() if not net_known or key not in assumed}


def test_issues_and_redemptions_of_each_day_are_the_true_ones(filled: Filled) -> None:
    found = settled(filled, net_known=False)
    true = {day(row["settlement_date"]): row for row in filled.key["settlements"]}
    assert set(found) == set(true)
    for settlement_date, row in true.items():
        sums = found[settlement_date]
        redeemed = sums["redeemed_usd_mn"] + sums["buyback_usd_mn"]
        assert sums["issued_usd_mn"] == pytest.approx(row["issued_usd_mn"], abs=1e-5)
        assert redeemed == pytest.approx(row["redeemed_usd_mn"], abs=1e-5)


def test_the_public_pays_what_is_true_where_the_feds_share_is_published(filled: Filled) -> None:
    found = settled(filled, net_known=True)
    true = {day(row["settlement_date"]): row for row in filled.key["settlements"]}
    # Not published where something matures and nothing of its group is issued.
    assert len(found) > 0.9 * len(true)
    for settlement_date, sums in found.items():
        net = sums["net_public_usd_mn"] - sums["buyback_usd_mn"]
        expected = true[settlement_date]["net_public_usd_mn"]
        assert net == pytest.approx(expected, abs=1e-5), settlement_date


@pytest.mark.parametrize(
    ("cause", "component"), [("foreign_repo", "foreign_rrp"), ("tga_rebuild", "tga")]
)
def test_a_planted_episode_shows_in_its_weeks_and_by_its_cause(
    filled: Filled, cause: str, component: str
) -> None:
    (episode,) = [e for e in filled.key["episodes"] if e["cause"] == cause]
    first, last = day(episode["start_date"]), day(episode["end_date"])
    # Planted from a Thursday to a Wednesday: whole weeks of H.4.1.
    assert (first.weekday(), last.weekday()) == (3, 2)
    weeks = [week for week in filled.true_weeks if first <= week <= last]
    assert len(weeks) == (last - first).days // 7 + 1
    drained = sum(filled.component_weeks[week, "total"] for week in weeks)
    assert drained == pytest.approx(episode["drained_usd_mn"], abs=1e-4)
    # What is planted works on one account, beside what moves it in the same world without.
    calm = make_world(replace(OPTIONS, episodes=False)).economy
    account = {"foreign_rrp": calm.sheet.foreign_rrp, "tga": calm.sheet.tga}[component]
    before, at_end = np.searchsorted(calm.days, [days.number(first), days.number(last) + 1]) - 1
    by_cause = sum(filled.component_weeks[week, component] for week in weeks)
    usual = account[at_end] - account[before]
    # Treasury's cash desk follows its target with a delay of days.
    assert by_cause - usual >= 0.8 * episode["planned_usd_mn"]


def test_the_spread_of_overnight_money_is_the_true_one(filled: Filled) -> None:
    economy = filled.world.economy
    spread = (economy.funding.rate["SOFR"] - policy.policy_rate(economy.days)) * 100
    true = filled.by_day(spread)
    found = {
        row["date"]: row["sofr_iorb_bp"]
        for row in filled.rows("funding_conditions")
        if row["sofr_iorb_bp"] is not None
    }
    assert len(found) > 500
    assert found == pytest.approx({key: true[key] for key in found}, abs=1e-9)


def spread_flags(filled: Filled) -> list[dict[str, Any]]:
    return [row for row in filled.rows("stress_flags") if row["indicator"] == "sofr_iorb_bp"]


def test_funding_is_quiet_while_reserves_are_ample(funded: Filled) -> None:
    scarcity = funded.by_day(funded.world.economy.funding.scarcity)
    ample = [row for row in spread_flags(funded) if scarcity[row["date"]] < AMPLE]
    assert len(ample) >= 50
    assert [row["date"] for row in ample if row["level"] in ("stress", "severe")] == []


def test_funding_is_flagged_when_scarce_reserves_lift_the_spread_to_a_record(
    funded: Filled,
) -> None:
    economy = funded.world.economy
    spread = (economy.funding.rate["SOFR"] - policy.policy_rate(economy.days)) * 100
    shown = economy.days >= days.number(LONG_FIRST)
    so_far = np.maximum.accumulate(np.where(shown, spread, -np.inf))
    record = np.append(False, spread[1:] > so_far[:-1] + 1e-6)
    scarce = economy.funding.scarcity > AMPLE
    raised = funded.by_day(record & scarce & (spread >= FLOOR_BP - 1e-6) & shown)
    flags = [row for row in spread_flags(funded) if raised[row["date"]]]
    assert flags
    for row in flags:
        # A month-end or month-start day moves no flag and says so.
        assert row["level"] in ("stress", "severe") or row["is_calendar_day"], row["date"]
    assert any(row["level"] in ("stress", "severe") for row in flags)
