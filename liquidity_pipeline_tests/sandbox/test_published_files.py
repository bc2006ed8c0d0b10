"""Files that the sandbox publishes whole: the buyback schedule, and the elasticity of reserves."""

from __future__ import annotations

import csv
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from liquidity_pipeline.sandbox import days, funding
from liquidity_pipeline.sandbox.balance_sheet import bank_assets, softplus
from liquidity_pipeline.sandbox.publishers import nyfed_research, treasury
from liquidity_pipeline.sandbox.publishers.wire import Reply, Request, World
from liquidity_pipeline_tests.sandbox.client import get, rows

SCHEDULE = "system/files/221/Tentative-Buyback-Schedule.xml"
ELASTICITY = "medialibrary/Research/Interactives/Data/elasticity/elasticity-data.xlsx"


def at(world: World, *moment: int) -> World:
    """Return the world as seen at a New York time: year, month, day, hour, minute."""
    seen = days.new_york_time(days.day(*moment[:3]), *moment[3:])
    return World(world.economy, world.start, lambda: seen, world.kept)


def schedule(world: World) -> tuple[Reply, ElementTree.Element]:
    reply = treasury.answer(world, Request(SCHEDULE, [], {}))
    return reply, ElementTree.fromstring(reply.body)  # noqa: S314 - our own sandbox wrote it


def planned(root: ElementTree.Element) -> dict[tuple[str, str], dict[str, str]]:
    found = {}
    for element in root.findall("BuybackCalendarDate"):
        row = {cell.tag: cell.text or "" for cell in element}
        found[row["OperationDate"], row["OperationStartTimeEasternUS"]] = row
    return found


def test_what_was_planned_is_what_is_held(sandbox: str, world: World) -> None:
    reply, root = schedule(world)
    plan = planned(root)
    held = rows(sandbox, "od/buybacks_operations", filter="operation_date:gte:2026-08-06")
    assert len(held) == 2  # Wednesdays 12 and 19 August
    for row in held:
        listed = plan[row["operation_date"], "13:40"]
        assert listed["MaximumPurchaseAmountDollars"] == row["max_par_amt_redeemed"]
        assert listed["SettlementDate"] == row["settlement_date"]
        assert listed["PurchaseBucketName"] == f"{row['security_type']} {row['maturity_bucket']}"
        assert listed["OperationType"] == row["operation_type"]
    assert root.findtext("BuybackCalendarName", "").startswith("August 2026 Refunding")
    # Thirteen Wednesdays until the refunding of 4 November, and a test of small value in September.
    assert len(plan) == 13 + 1
    assert get(sandbox, f"/{treasury.PREFIX}/{SCHEDULE}").text == reply.body


@pytest.mark.parametrize(
    ("moment", "name", "changed", "last"),
    [
        ((2026, 8, 5, 8, 29), "May 2026 Refunding Tentative Buyback Calendar V2",
         "2026-06-17", "3000000000"),
        ((2026, 8, 5, 8, 30), "August 2026 Refunding Tentative Buyback Calendar V1",
         "2026-08-05", ""),
        ((2026, 9, 16, 8, 30), "August 2026 Refunding Tentative Buyback Calendar V2",
         "2026-09-16", "3000000000"),
    ],
)  # fmt: skip
def test_a_schedule_comes_with_the_refunding_and_is_revised_once(
    world: World, moment: tuple[int, ...], name: str, changed: str, last: str
) -> None:
    reply, root = schedule(at(world, *moment))
    assert root.findtext("BuybackCalendarName") == name
    assert f"{parsedate_to_datetime(reply.headers['Last-Modified']):%Y-%m-%d}" == changed
    plan = planned(root)
    assert plan[max(plan)]["MaximumPurchaseAmountDollars"] == last


def test_before_the_programme_and_elsewhere_there_is_a_page(world: World) -> None:
    for seen, path in ((at(world, 2024, 4, 30, 12), SCHEDULE), (world, "system/files/other.xml")):
        reply = treasury.answer(seen, Request(path, [], {}))
        assert (reply.status, str(reply.body)[:15]) == (200, "<!DOCTYPE html>")


def test_the_elasticity_is_the_slope_of_unsecured_rates_in_reserves() -> None:
    # Reserves over bank assets in percent; scarcity is softplus of what 12.5 % exceeds them by.
    ratio, step = np.linspace(9.6, 16, 65), 1e-6
    scarcity = [softplus(12.5 - ratio + sign * step) for sign in (1, 0, -1)]
    rate = [2.0 * np.clip(each, 0, 3) for each in scarcity]
    slope = (rate[2] - rate[0]) / (2 * step)
    assert funding.demand_elasticity(scarcity[1]) == pytest.approx(slope, abs=1e-6)
    assert funding.demand_elasticity(np.array([3.5])) == 0


def test_the_file_follows_the_reserves_through_the_friday_before(world: World) -> None:
    reply = nyfed_research.answer(at(world, 2026, 8, 20, 10), Request(ELASTICITY, [], {}))
    lines = list(csv.DictReader(str(reply.body).splitlines()))
    assert lines[-1]["Date"] == "2026-08-14"
    economy = world.economy
    row = int(np.searchsorted(economy.days, days.day(2026, 8, 14)))
    sheet = economy.sheet
    ratio = 100 * (sheet.reserves - sheet.repos)[row] / bank_assets(economy.days)[row]
    expected = -2 / (1 + np.exp(ratio - 12.5))
    assert float(lines[-1]["50th percentile"]) == pytest.approx(expected, abs=2e-6)
    ranks = ("2.5th", "16th", "50th", "84th", "97.5th")
    for line in lines:
        values = [float(line[f"{rank} percentile"]) for rank in ranks]
        assert values == sorted(values)
    assert lines[0]["Date"] >= days.iso(world.start)


def test_a_file_stays_until_the_next_third_thursday(world: World) -> None:
    for seen, last in (((2026, 8, 20, 9, 59), "2026-07-10"), ((2026, 8, 20, 10), "2026-08-14")):
        reply = nyfed_research.answer(at(world, *seen), Request(ELASTICITY, [], {}))
        assert str(reply.body).splitlines()[-1].startswith(last)


def test_there_is_no_file_before_the_first_one(sandbox: str, world: World) -> None:
    seen = at(world, 2024, 10, 17, 9, 59)
    reply = nyfed_research.answer(seen, Request(ELASTICITY, [], {}))
    assert (reply.status, reply.headers["Location"]) == (302, "/nyfed_research/index.html")
    answer = get(sandbox, "/nyfed_research/elsewhere.csv")
    assert [step.status_code for step in answer.history] == [302]
    assert answer.text.startswith("<!DOCTYPE html>")
