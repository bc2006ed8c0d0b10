"""What a brief says when a publisher did not answer: each reason once, and only the right ones."""

from __future__ import annotations

import re
from collections.abc import Iterator

import duckdb
import pytest

from liquidity_pipeline.brief.compute import compute
from liquidity_pipeline.brief.render import to_markdown
from liquidity_pipeline_tests.brief.test_brief import blocks, undone

FAILED = "fetch failed on 2026-02-06: expected JSON, got HTTP 500"


@pytest.fixture
def cut(copied: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The published tables; what a test changes in them is undone."""
    with undone(copied):
        yield copied


def end(connection: duckdb.DuckDBPyConnection, entities: str) -> None:
    """Let the named entities end on 23 January: their publisher has failed since."""
    connection.execute(
        f"update meta.coverage set known_through = date '2026-01-23', "
        f"reason = 'ends on 2026-01-23: {FAILED}' where entity in ({entities})"
    )


def page(connection: duckdb.DuckDBPyConnection, language: str = "en") -> str:
    return to_markdown(compute(connection), language, footnotes=False)


def test_assets_of_one_outage_have_one_reason(cut):
    end(cut, "'SPX', 'RUT', 'TLT', 'HYG', 'LQD'")
    cut.execute(
        "delete from marts.asset_returns where asset in ('SPX', 'RUT', 'TLT', 'HYG', 'LQD') "
        "and date > date '2026-01-23'"
    )
    (assets,) = (block for block in blocks(compute(cut), "table") if block["id"] == "assets")
    (reason,) = (
        each
        for each in assets["unknown"]["args"]["reasons"]["list"]
        if "2026-01-23" in str(each) and "index_prices" not in str(each["message"])
    )
    assert "5" in str(reason["args"]["input"])
    said = [line for line in page(cut).splitlines() if line.startswith("n/k, not known:")]
    assert sum(line.count("prices of indices and funds (5 series)") for line in said) == 1


def test_the_index_is_not_blamed_on_coins_and_names_what_ended(cut):
    end(cut, "'BTC', 'SPX'")
    cut.execute("delete from marts.stress_index where date > date '2026-01-30'")
    (line,) = (text for text in page(cut).splitlines() if text.startswith("Stress index on"))
    assert line.startswith("Stress index on 30 Jan 2026")
    assert "Not known after that day. Cause: nothing after 23 Jan 2026 is known of" in line
    assert "SPX" in line
    assert "BTC" not in line


def test_the_newest_index_has_no_reason_beside_it(cut):
    (line,) = (text for text in page(cut).splitlines() if text.startswith("Stress index on"))
    assert "Not known" not in line


def test_gauges_that_an_outage_kept_from_ever_being_evaluated_name_it(cut):
    cut.execute(
        "delete from marts.stress_flags where indicator in ('bitcoin_vol_pct', 'srf_usd_mn')"
    )
    cut.execute(
        f"update meta.coverage set known_from = null, known_through = null, "
        f"reason = 'no row is held: {FAILED}' where entity = 'BTC'"
    )
    text = page(cut)
    assert (
        "1 gauge has never been evaluated here: Bitcoin, 20-day volatility. Cause: nothing is "
        "known of prices of coins (BTC): the request of 6 Feb 2026 failed with HTTP 500."
    ) in text
    (short,) = (line for line in text.splitlines() if "because three years of" in line)
    assert "Standing repo facility, take-up" in short
    assert "Bitcoin" not in short


def test_an_effect_on_the_repo_rate_that_is_not_known_is_no_blank(cut):
    days = cut.execute(
        "select count(distinct settlement_date) from marts.settlement_outlook as ahead "
        "where settlement_date between ahead.as_of + 1 and ahead.as_of + 28 "
        "and security_class not in ('bill', 'cmb')"
    ).fetchone()
    end(cut, "'RRPONTSYAWARD'")
    cut.execute("update marts.settlement_outlook set funding_effect_bp = null")
    brief = compute(cut)
    (calendar,) = (block for block in blocks(brief, "table") if block["id"] == "calendar")
    effects = [row["cells"][-2] for row in calendar["rows"]]
    assert [bool(cell.get("figure")) for cell in effects].count(True) == days[0] > 0
    assert "rates, yields and spreads from FRED (RRPONTSYAWARD)" in str(page(cut))


def test_without_the_feds_holdings_face_values_stay_and_the_page_says_why(cut):
    cut.execute(
        f"update meta.coverage set known_through = date '2026-01-23', "
        f"reason = 'ends on 2026-01-23: {FAILED}' where table_name = 'soma_securities'"
    )
    cut.execute(
        "update marts.settlement_outlook set net_public_usd_mn = null, "
        "net_public_expected_usd_mn = null"
    )
    text = page(cut)
    (told,) = (line for line in text.splitlines() if line.startswith("The public's share"))
    assert "because nothing after 23 Jan 2026 is known of Fed holdings by security" in told
    assert told.endswith("Issues, maturities and settled nets at face value do not depend on it.")
    reasons = [line for line in text.splitlines() if line.startswith("n/k, not known:")]
    assert sum("Fed holdings by security" in line for line in reasons) == 1


def test_maturities_that_are_not_known_are_no_blank_and_no_part_of_a_sum(cut):
    days = cut.execute(
        "select distinct settlement_date from marts.settlement_outlook as ahead "
        "where settlement_date between ahead.as_of + 1 and ahead.as_of + 28 "
        "and security_class = 'note'"
    ).fetchall()
    cut.execute(
        f"update meta.coverage set known_from = null, known_through = null, "
        f"reason = 'no row is held: {FAILED}' where table_name = 'buyback_securities'"
    )
    cut.execute(
        "update marts.settlement_outlook set redeemed_usd_mn = null, refinancing_usd_mn = null, "
        "net_public_usd_mn = null, net_public_expected_usd_mn = null where security_class = 'note'"
    )
    brief = compute(cut)
    matures = [
        brief["figures"][f"coming.{day}.{suffix}"]
        for (day,) in days
        for suffix in ("maturing", "refinancing")
    ]
    assert len(matures) == 2 * len(days) > 0
    assert all(figure["value"] is None for figure in matures)
    assert all("securities that Treasury bought back" in str(f["reason"]) for f in matures)
    assert brief["figures"]["coming.refinancing"]["value"] is None
    (calendar,) = (block for block in blocks(brief, "table") if block["id"] == "calendar")
    told = [cell.get("figure") for row in calendar["rows"] for cell in row["cells"]]
    assert {figure["id"] for figure in matures} <= set(told)


def test_a_band_that_is_not_known_is_said_once_and_why(cut):
    cut.execute(
        "update marts.drain_seasonality set expected_low_usd_mn = null, "
        "expected_high_usd_mn = null, surprise_sd = null"
    )
    text = page(cut)
    assert "[n/k" not in text
    assert "n/k, not known: a band needs 52 earlier expectations" in text
    assert "whether that is usual for the season is not known" in text


def test_where_shares_ended_weeks_ago_coins_are_told_on_their_own_day(cut):
    newest = compute(cut)
    cut.execute(
        "delete from marts.asset_returns where asset_class <> 'crypto' and date > date '2026-01-23'"
    )
    (assets,) = (block for block in blocks(compute(cut), "table") if block["id"] == "assets")
    (before,) = (block for block in blocks(newest, "table") if block["id"] == "assets")
    assert assets["title"] == before["title"]


def test_the_chinese_page_has_full_width_punctuation(cut):
    end(cut, "'SPX', 'BTC'")
    text = page(cut, "zh")
    assert not re.search(r"[。；，：] ", text)
    # Half-width brackets stand around nothing but codes and numbers.
    assert not re.search(r"[\u4e00-\u9fff] ?\((?!\d)", text)
