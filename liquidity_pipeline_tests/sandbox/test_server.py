"""The sandbox as a user meets it: quick to start, on the loopback only, honest about its clock."""

from __future__ import annotations

import ast
import socket
import time
from datetime import UTC, date, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from liquidity_pipeline import sandbox as sandbox_package
from liquidity_pipeline.sandbox import days
from liquidity_pipeline.sandbox.options import Options
from liquidity_pipeline.sandbox.server import make_world, start
from liquidity_pipeline_tests.sandbox.client import FISCAL, get, rows, series


def test_answers_within_a_second_of_its_start_and_leaves_no_port_behind():
    began = time.monotonic()
    with start(Options(today=date(2026, 8, 21))) as running:
        assert get(running.url, "/__health").json() == {
            "ok": True,
            "today": "2026-08-21",
            "synthetic": True,
        }
        assert time.monotonic() - began < 1
        assert len(rows(running.url, "dts/operating_cash_balance")) > 2900
        address = urlsplit(running.url)
        assert address.hostname == "127.0.0.1"
    with pytest.raises(requests.ConnectionError):
        get(running.url, "/__health")
    with socket.create_server((address.hostname, address.port)):
        pass  # the port is free again


def test_clock_runs_when_no_day_is_given():
    world = make_world(Options())
    assert abs(world.now - datetime.now(UTC).timestamp()) < 5


def test_start_cuts_the_same_world_and_makes_no_other():
    late, early = (
        make_world(Options(today=date(2026, 8, 21), start=date(year, 1, 2)))
        for year in (2025, 2010)
    )
    assert (late.economy.sheet.reserves == early.economy.sheet.reserves).all()


def test_nothing_is_served_before_the_first_statement_nor_from_a_day_to_come():
    assert days.iso(make_world(Options(start=date(2004, 1, 1))).start) == "2005-10-03"
    with pytest.raises(ValueError, match="from 2005-10-03 to its today"):
        make_world(Options(today=date(2026, 2, 6), start=date(2026, 2, 7)))


def test_history_begins_on_the_first_served_day(sandbox):
    first = rows(sandbox, "dts/operating_cash_balance", filter="record_date:lte:2019-01-04")
    assert first[0]["record_date"] == "2019-01-02"
    assert first[0]["account_type"] == "Federal Reserve Account"
    assert min(series(sandbox, "WALCL")) == "2019-01-02"
    # What was still outstanding then is there, so that everything which matures was sold.
    assert rows(sandbox, "od/auctions_query", filter="issue_date:lt:1990-01-01")


def test_earliest_start_has_the_earliest_statement():
    world = make_world(Options(today=date(2006, 1, 31), start=date(2005, 10, 3)))
    assert days.iso(world.start) == "2005-10-03"


def test_extra_symbols_are_served_and_others_are_not(sandbox):
    path = "/yahoo/v8/finance/chart/SBX0003?range=5d&interval=1d"
    assert get(sandbox, path).json()["chart"]["result"][0]["meta"]["symbol"] == "SBX0003"
    assert get(sandbox, path.replace("0003", "0004")).status_code == 404
    listed = {row["symbol"] for row in get(sandbox, "/truth").json()["loadings"]}
    assert {"SBX0001", "SBX0002", "SBX0003", "BTC-USD"} <= listed


def test_needs_nothing_of_the_pipeline():
    """A mistake shared by pipeline and sandbox would go unseen; production needs no sandbox."""
    package = Path(sandbox_package.__file__).parent
    for module in package.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                ours = name.startswith("liquidity_pipeline")
                assert not ours or name.startswith("liquidity_pipeline.sandbox"), module


@pytest.mark.parametrize("path", ["/", "/nothing", "/nothing/at/all", f"{FISCAL}/dts/nothing"])
def test_unknown_paths_are_not_found(sandbox, path):
    assert get(sandbox, path).status_code == 404


def test_head_has_the_headers_and_no_body(sandbox):
    url = f"{sandbox}/cboe/api/global/us_indices/daily_prices/SPX_History.csv"
    answer = requests.head(url, timeout=9)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1000


def test_adjusted_closes_follow_the_dividends(sandbox):
    """The last adjusted close is the close; before an ex-dividend day it lies below it."""
    path = "/yahoo/v8/finance/chart/LQD?range=1y&interval=1d&events=div"
    result = get(sandbox, path).json()["chart"]["result"][0]
    close = result["indicators"]["quote"][0]["close"]
    adjusted = result["indicators"]["adjclose"][0]["adjclose"]
    assert adjusted[-1] == close[-1]
    paid = sorted(int(stamp) for stamp in result["events"]["dividends"])
    assert len(paid) == 4
    at = result["timestamp"].index(paid[-1])
    assert adjusted[at - 1] < close[at - 1]
    assert adjusted[at] == close[at]
