"""The file of followed symbols: what it accepts, and how it helps with what it does not."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from liquidity_pipeline.settings import SettingsError
from liquidity_pipeline.universe import Universe


def entry(**changes: Any) -> dict[str, Any]:
    return {
        "symbol": "SPX",
        "name": "S&P 500",
        "asset_class": "large_cap",
        "since": date(1990, 1, 2),
        "providers": ["yahoo:^GSPC", "cboe:SPX"],
    } | changes


def test_the_committed_universe_has_what_the_marts_compare(universe: Universe):
    assert [asset.symbol for asset in universe.index] == [
        "SPX", "IXIC", "RUT", "MID", "QUAL", "TLT", "LQD", "HYG",
    ]  # fmt: skip
    assert [asset.symbol for asset in universe.crypto] == ["BTC", "ETH", "SOL"]


def test_what_the_archive_records_is_read_back_unchanged(universe: Universe):
    recorded = json.loads(json.dumps(universe.to_dict()))
    assert Universe.from_dict(recorded) == universe


def test_a_symbol_is_added_by_editing_the_file_only(tmp_path: Path):
    (tmp_path / "universe.toml").write_text(
        '[[crypto]]\nsymbol = "XRP"\nname = "XRP"\nasset_class = "crypto"\nsince = 2024-01-01\n'
        'providers = ["coinbase:XRP-USD", "kraken:XRPUSD"]\ntolerance = 0.05\n'
    )
    (coin,) = Universe.load(tmp_path).crypto
    assert coin.provider_symbols() == [("coinbase", "XRP-USD"), ("kraken", "XRPUSD")]
    assert (coin.since, coin.tolerance) == (date(2024, 1, 1), 0.05)


def test_indices_are_compared_a_hundred_times_closer_than_coins():
    coin = entry(symbol="BTC", asset_class="crypto", providers=["coinbase:BTC-USD"])
    universe = Universe.from_dict({"index": [entry()], "crypto": [coin]})
    assert (universe.index[0].tolerance, universe.crypto[0].tolerance) == (1e-4, 0.02)


def test_a_symbol_of_the_provider_may_hold_a_colon():
    universe = Universe.from_dict({"index": [entry(providers=["yahoo:BRK:B"])]})
    assert universe.index[0].provider_symbols() == [("yahoo", "BRK:B")]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"providers": ["stooq:^spx"]}, "providers must be among yahoo, cboe, fred.*stooq:"),
        ({"providers": ["coinbase:BTC-USD"]}, "providers must be among yahoo, cboe, fred"),
        ({"providers": ["yahoo"]}, "written as provider:symbol; got yahoo"),
        ({"providers": []}, "written as provider:symbol; got none"),
        ({"asset_class": "stocks"}, "asset_class 'stocks' is not one of large_cap"),
    ],
)
def test_an_entry_that_cannot_be_followed_is_named(changes: dict[str, Any], problem: str):
    with pytest.raises(SettingsError, match=problem) as error:
        Universe.from_dict({"index": [entry(**changes)]}, "universe.toml")
    assert "universe.toml [[index]] 'SPX'" in str(error.value)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [({"since": "1990"}, "isoformat.*'1990'"), ({"tolerance": "small"}, "could not.*'small'")],
)
def test_a_value_of_the_wrong_kind_is_shown(changes: dict[str, Any], problem: str):
    with pytest.raises(SettingsError, match=problem):
        Universe.from_dict({"index": [entry(**changes)]})


def test_a_group_that_nobody_reads_is_refused():
    with pytest.raises(SettingsError, match=r"\[\[indices\]\] is not known"):
        Universe.from_dict({"indices": [entry()]})


@pytest.mark.parametrize("field", ["symbol", "name", "asset_class", "since", "providers"])
def test_a_field_that_is_missing_is_named(field: str):
    content = entry()
    del content[field]
    with pytest.raises(SettingsError, match=f"an entry has no '{field}'"):
        Universe.from_dict({"index": [content]})


def test_a_symbol_listed_twice_is_refused():
    with pytest.raises(SettingsError, match="'SPX' is listed twice"):
        Universe.from_dict({"index": [entry(), entry()]})


def test_a_missing_file_says_which_setting_names_its_folder(tmp_path: Path):
    with pytest.raises(
        SettingsError, match=r"universe\.toml does not exist.*LIQUIDITY_REFERENCE_DIR"
    ):
        Universe.load(tmp_path)


def test_a_broken_file_is_named_with_the_place(tmp_path: Path):
    (tmp_path / "universe.toml").write_text('[[index]]\nsymbol = "SPX\n')
    with pytest.raises(SettingsError, match=r"universe\.toml: .*line 2"):
        Universe.load(tmp_path)
