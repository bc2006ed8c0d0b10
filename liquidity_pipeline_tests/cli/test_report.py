"""The terminal's sentences: dated, and never calm about what was not evaluated."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from rich.console import Console

from liquidity_pipeline.cli.reasons import brief_reason
from liquidity_pipeline.cli.report import _moved, show
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.contracts.table import DUCKDB_TYPES

AS_OF = date(2026, 11, 25)
Report = Callable[..., str]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Give `report(**rows by bare table name)`: what is printed of a file with these rows only."""

    def print_file(**tables: list[Mapping[str, Any]]) -> str:
        path = tmp_path / f"published-{len(list(tmp_path.iterdir()))}.duckdb"
        given = {
            "publication": [
                {"as_of": AS_OF, "endpoints": "live", "is_synthetic": False, "built_at": NOW}
            ],
            "clock": [{"now": NOW, "today": AS_OF}],
            "universe": [{"asset": "SPX", "asset_class": "large_cap"}],
            **tables,
        }
        with duckdb.connect(str(path)) as file:
            file.execute("create schema sources; create schema marts; create schema meta")
            for table in PUBLISHED.values():
                typed = ", ".join(f"{c.name} {DUCKDB_TYPES[c.kind]}" for c in table.columns)
                file.execute(f"create table {table.qualified_name} ({typed})")
                for row in given.get(table.name, []):
                    marks = ", ".join("?" for _ in row)
                    file.execute(
                        f"insert into {table.qualified_name} ({', '.join(row)}) values ({marks})",
                        list(row.values()),
                    )
        printed = io.StringIO()
        show(path, Console(file=printed, width=200))
        return printed.getvalue()

    return print_file


NOW = datetime.fromisoformat("2026-11-25 12:00")


def ended(table: str, entity: str = "", *, through: date | None, reason: str) -> dict[str, Any]:
    return {
        "table_name": table,
        "entity": entity,
        "known_from": date(2005, 10, 3),
        "known_through": through,
        "expected_through": AS_OF,
        "basis": "rows",
        "reason": reason,
    }


def flag(indicator: str, day: date, level: str = "normal") -> dict[str, Any]:
    return {
        "indicator": indicator,
        "date": day,
        "level": level,
        "reason": "1.0 above 0.9",
        "next_due_at": datetime.combine(day + timedelta(days=8), time(21)),
    }


def test_with_nothing_known_no_sentence_is_calm(report: Report) -> None:
    reason = "no row is held: fetch failed on 2026-11-25: HTTP 500"
    text = report(coverage=[ended("fed_balance_sheet", "WRBWFRBL", through=None, reason=reason)])
    why = "fetch failed on 2026-11-25: HTTP 500"
    assert f"Drain of reserves: not known: fed_balance_sheet: {why}" in text
    said = " ".join(text.split())
    assert "not known: sofr_iorb_bp, tgcr_iorb_bp" in said
    assert "srf_usd_mn, large_cap_vol_pct" in said
    assert ": each needs three years of its inputs" in said
    assert f"tga_rise_20d_pct: fed_balance_sheet: {why}" in said
    assert "Stress index: not known" in text
    assert "Net settlement of Treasury debt: not known" in text
    assert "Overnight funding: not known" in text
    assert "Drain episodes: not known" in text
    assert "is active" not in text
    assert f"fed_balance_sheet WRBWFRBL: not known; {why}" in text


def test_calm_says_what_was_evaluated_and_when(report: Report) -> None:
    newest, old = date(2026, 11, 24), date(2026, 8, 20)
    text = report(
        stress_flags=[flag("a", newest), flag("b", date(2026, 11, 18)), flag("sofr_iorb_bp", old)]
    )
    assert "no stress indicator is active: 2 evaluated between 2026-11-18 and 2026-11-24" in text
    assert "sofr_iorb_bp (normal on 2026-08-20)" in text


def test_flags_that_are_all_old_are_not_calm(report: Report) -> None:
    text = report(stress_flags=[flag("sofr_iorb_bp", date(2026, 8, 20))])
    assert "sofr_iorb_bp (normal on 2026-08-20)" in text
    assert "is active" not in text


def test_an_active_indicator_is_named_with_its_day(report: Report) -> None:
    text = report(stress_flags=[flag("a", date(2026, 11, 24), "stress")])
    assert "stress a on 2026-11-24: 1.0 above 0.9" in text
    assert "is active" not in text


def test_an_assumed_share_of_the_fed_is_said_to_be_assumed(report: Report) -> None:
    day = date(2026, 11, 26)
    week = {
        "week_start": date(2026, 11, 23),
        "security_class": "all",
        "net_usd_mn": 5000.0,
        "refinancing_usd_mn": 0.0,
        "is_settled": False,
    }
    held = {"settlement_date": day, "security_class": "bill", "redeemed_usd_mn": 9000.0}
    said = "that mature is assumed, not published, for 2026-11-26."
    for basis in ("assumed", "holdings"):
        text = report(
            weekly_settlements=[week], settlement_calendar=[{**held, "soma_basis": basis}]
        )
        assert (said in text) == (basis == "assumed")


def test_an_open_episode_is_dated(report: Report) -> None:
    text = report(
        drain_episodes=[
            {
                "start_date": date(2026, 7, 8),
                "depth_usd_mn": 120_000,
                "depth_pct": 4.0,
                "is_alarm": False,
                "is_open": True,
            }
        ],
        drain_episode_weeks=[{"week_ending": date(2026, 8, 19)}],
    )
    assert "as of 2026-08-19 reserves had been draining since 2026-07-08" in text
    assert "have been" not in text


def test_after_h41_ended_no_episode_is_not_none_open(report: Report) -> None:
    text = report(
        drain_episode_weeks=[{"week_ending": date(2026, 8, 19)}],
        coverage=[
            ended("fed_balance_sheet", "WRBWFRBL", through=date(2026, 8, 25), reason="ends there")
        ],
    )
    assert "Drain episodes: not known after 2026-08-19: fed_balance_sheet: ends there" in text


def test_each_gauge_of_funding_has_its_own_day(report: Report) -> None:
    text = report(
        funding_conditions=[
            {"date": date(2026, 11, 20), "sofr_pct": 3.66},
            {"date": date(2026, 11, 24), "on_rrp_usd_mn": 5_000.0},
        ],
    )
    sofr, on_rrp = (
        next(row for row in text.splitlines() if name in row)
        for name in ("SOFR, %", "overnight reverse")
    )
    assert "2026-11-20" in sofr
    assert "2026-11-24" in on_rrp


def test_a_later_week_of_h41_is_shown_beside_the_last_complete_one(report: Report) -> None:
    text = report(
        weekly_drains=[
            {
                "week_ending": date(2026, 8, 19),
                "component": "total",
                "drain_reserves_usd_mn": 7_000,
                "drain_headline_usd_mn": 48_000,
            }
        ],
        reserve_drains=[
            {
                "week_ending": date(2026, 11, 18),
                "drain_reserves_usd_mn": 9_000,
                "d_tga_usd_mn": 2_000,
            }
        ],
        coverage=[ended("tga_balance", through=date(2026, 8, 20), reason="HTTP 500")],
    )
    assert "Drain of the week ending Wednesday 2026-08-19" in text
    assert "Week ending Wednesday 2026-11-18: reserves fell by 9.00 USD bn" in text
    assert "tga_balance: HTTP 500" in text


def test_the_market_convention_is_told_net_of_buybacks_or_why_not(report: Report) -> None:
    def weekly(component: str, net: float | None) -> dict[str, object]:
        return {
            "week_ending": date(2026, 11, 18),
            "component": component,
            "drain_headline_usd_mn": 48_000,
            "drain_headline_net_of_buybacks_usd_mn": net,
        }

    known = report(weekly_drains=[weekly("settlement", 35_000), weekly("total", 43_000)])
    assert (
        "Net of what Treasury bought back in the week ending 2026-11-18, settlement is +35.00 "
        "and the total +43.00." in known
    )
    unknown = report(
        weekly_drains=[weekly("settlement", None), weekly("total", None)],
        coverage=[
            ended("debt_settlements", entity="buybacks", through=None, reason="HTTP 404"),
            ended("debt_settlements", entity="auctions", through=None, reason="HTTP 500"),
        ],
    )
    assert "week ending 2026-11-18: not known: debt_settlements: HTTP 404" in unknown


def settlements(securities: str, net: float | None, **others: Any) -> dict[str, Any]:
    return {
        "week_start": date(2026, 11, 23),
        "security_class": securities,
        "issued_usd_mn": 300_000,
        "redeemed_usd_mn": 260_000,
        "net_usd_mn": net,
        "net_public_usd_mn": None,
        "refinancing_usd_mn": 0,
        "is_settled": False,
        **others,
    }


def test_face_values_are_told_where_the_publics_part_is_not_known_and_why(report: Report) -> None:
    """A net at face value is in the table; of one that awaits add-ons, issues and maturities."""
    text = report(
        weekly_settlements=[settlements("bills", 40_000), settlements("coupons", None)],
        coverage=[ended("soma_securities", through=date(2026, 11, 17), reason="HTTP 404")],
    )
    assert "+40.00" in text
    assert (
        "What the public pays is not known for the weeks of 2026-11-23: soma_securities: HTTP 404"
    ) in text
    assert "face value, 2026-11-23, coupons: 300.00 issued, 260.00 mature" in text


def test_maturities_that_buybacks_may_have_retired_are_not_told(report: Report) -> None:
    unknown = {"redeemed_usd_mn": None, "refinancing_usd_mn": None}
    text = report(
        weekly_settlements=[settlements("coupons", None, **unknown)],
        coverage=[
            ended("buyback_securities", through=None, reason="HTTP 404"),
            ended("debt_settlements", "buybacks", through=AS_OF, reason="known as far as is due"),
        ],
    )
    assert "What the public pays is not known for the weeks of 2026-11-23: buyback_" in text
    assert "coupons: 300.00 issued, what matures is not known" in text
    assert "refinancing not known" in text


def test_what_was_never_served_is_no_reason_where_a_coarser_basis_stands(report: Report) -> None:
    text = report(
        weekly_settlements=[settlements("bills", None)],
        coverage=[ended("soma_securities", through=None, reason="HTTP 404")],
    )
    assert "What the public pays" not in text


@pytest.mark.parametrize(("change", "said"), [(1_234.5, "rose by 1,234.50"), (-2, "fell by 2.00")])
def test_a_fall_is_no_negative_rise(change: float, said: str):
    assert _moved(change) == f"{said} USD bn"


def test_a_reason_says_what_came_of_the_last_request_and_leaves_out_which_it_was():
    reason = (
        "fetch failed on 2026-11-25: nyfed: not asked: it was down a moment ago "
        "(expected JSON, got no connection (ConnectionError), after 1 attempt(s)) "
        "(asked: http://127.0.0.1:9/api/rates/all/search.json?startDate=2025-06-01)"
    )
    said = (
        "fetch failed on 2026-11-25: nyfed: expected JSON, got no connection (ConnectionError), "
        "after 1 attempt(s)"
    )
    assert brief_reason(reason) == said
    assert brief_reason("HTTP 404 (Not Found)") == "HTTP 404 (Not Found)"
    later = (
        "the fetch of 2026-11-24 lacked it: Treasury buybacks: not asked: "
        "/od/buybacks_operations failed 3 times in a row, first: expected JSON, got HTTP 503, "
        "after 5 attempt(s), at http://127.0.0.1:9/od/buybacks_operations; the next run asks again"
    )
    assert brief_reason(later) == (
        "the fetch of 2026-11-24 lacked it: buybacks: expected JSON, got HTTP 503, "
        "after 5 attempt(s)"
    )


def test_tables_of_one_publisher_that_is_down_share_their_reason(report: Report) -> None:
    first = "nyfed: expected JSON, got no connection (ConnectionError), after 1 attempt(s)"
    later = f"nyfed: not asked: it was down a moment ago ({first.removeprefix('nyfed: ')})"
    failed = "fetch failed on 2026-11-25"
    text = report(
        coverage=[
            ended("fed_operations", through=None, reason=f"never answered: {failed}: {first}"),
            ended("repo_operations", entity="on_rrp", through=None,
                  reason=f"never answered: {failed}: {later}"),
        ]
    )  # fmt: skip
    assert f"not known: fed_operations, repo_operations: {failed}: {first}\n" in text
    assert "not asked" not in text


def test_series_that_end_alike_for_one_reason_share_a_line(report: Report) -> None:
    text = report(
        coverage=[
            ended("reference_rates", entity=name, through=date(2026, 8, 20), reason="HTTP 500")
            for name in ("EFFR", "SOFR")
        ]
    )
    assert "reference_rates EFFR, SOFR: known through 2026-08-20; HTTP 500" in text


def test_a_table_of_older_values_says_why_there_are_none_later(report: Report) -> None:
    """Rates and the balance sheet ended in August; the tables of August say so in November."""
    down = "ends on 2026-08-07: fetch failed on 2026-11-25: nyfed: HTTP 500"
    gone = "ends on 2026-08-19: nothing newer was served on 2026-11-25"
    text = report(
        weekly_drains=[
            {"week_ending": date(2026, 8, 19), "component": "total", "drain_reserves_usd_mn": 1.0}
        ],
        funding_conditions=[{"date": date(2026, 8, 7), "sofr_iorb_bp": -3.0}],
        coverage=[
            ended("reference_rates", "SOFR", through=date(2026, 8, 9), reason=down),
            ended("fed_balance_sheet", "WRBWFRBL", through=date(2026, 8, 25), reason=gone),
        ],
    )
    assert "Later weeks are not known: fed_balance_sheet: ends on 2026-08-19" in text
    failed = "reference_rates: fetch failed on 2026-11-25: nyfed: HTTP 500"
    assert f"Other and later values are not known: {failed}" in text


def test_tables_that_reach_as_far_as_is_due_say_nothing_of_later_values(report: Report) -> None:
    text = report(
        weekly_drains=[
            {"week_ending": date(2026, 11, 18), "component": "total", "drain_reserves_usd_mn": 1.0}
        ],
        funding_conditions=[{"date": AS_OF, "sofr_iorb_bp": -3.0}],
    )
    assert "Later" not in text
