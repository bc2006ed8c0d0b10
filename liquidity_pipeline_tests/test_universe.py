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
    [
        ({"symbol": 5}, "symbol: Input should be a valid string; got 5"),
        ({"symbol": ""}, "symbol: String should have at least 1 character"),
        ({"symbol": "S\nX"}, "symbol: expected printable letters"),
        ({"symbol": " SPX"}, "symbol: expected printable letters without blanks around"),
        ({"name": ["S&P"]}, "name: Input should be a valid string"),
        ({"since": "1990"}, "since: expected a day as YYYY-MM-DD; got '1990'"),
        ({"since": 1990}, "since: Input should be a valid date"),
        ({"since": date(1066, 10, 14)}, "since: expected a day between 1900 and 2100"),
        ({"tolerance": "small"}, "tolerance: Input should be a valid number.*got 'small'"),
        ({"tolerance": 1e999}, "tolerance: .*got inf"),
        ({"tolerance": float("nan")}, "tolerance: .*got nan"),
        ({"tolerance": 0.0}, "tolerance: Input should be greater than 0; got 0.0"),
        ({"tolerance": 2}, "tolerance: Input should be less than 1; got 2"),
        ({"tolerance": True}, "tolerance: Input should be a valid number; got True"),
        ({"providers": "yahoo:^GSPC"}, "providers: Input should be a valid tuple"),
        ({"providers": ["yahoo:../../v7/x"]}, "providers.0: expected a symbol, not a path"),
        ({"providers": [None]}, "providers.0: Input should be a valid string; got None"),
        ({"tolerence": 0.1}, "tolerence: Extra inputs are not permitted"),
    ],
)
def test_a_value_of_the_wrong_form_is_named_with_file_entry_and_expectation(
    changes: dict[str, Any], problem: str
):
    with pytest.raises(SettingsError, match=problem) as error:
        Universe.from_dict({"index": [entry(**changes)]}, "universe.toml")
    assert str(error.value).startswith("universe.toml [[index]]")


@pytest.mark.parametrize("content", [{"index": {"symbol": "SPX"}}, {"index": "SPX"}])
def test_a_table_instead_of_entries_says_how_entries_begin(content: dict[str, Any]):
    with pytest.raises(SettingsError, match=r"entries that begin with \[\[index\]\]"):
        Universe.from_dict(content)


@pytest.mark.parametrize("symbol", ["S[bold]X", "'; drop table x; --", "<b>", "BRK:B", "Ünï code"])
def test_a_symbol_may_look_like_anything_and_stays_data(symbol: str):
    (asset,) = Universe.from_dict({"index": [entry(symbol=symbol)]}).index
    assert asset.symbol == symbol


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
