"""SOMA holdings: dollars to millions, blanks, units, and the window out of the whole history."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from liquidity_pipeline.sources import ny_fed
from liquidity_pipeline.sources.errors import EmptyAnswerError, UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline_tests.sources.test_ny_fed import Stub, answer, at

MakeFetch = Callable[..., Fetch]


def soma(**changes: Any) -> dict[str, Any]:
    row = {
        "asOfDate": "2026-07-08",
        "mbs": "1940863715777.00",
        "cmbs": "7533878406.10",
        "tips": "282633819500",
        "frn": "",
        "tipsInflationCompensation": "109065609408.32",
        "notesbonds": "3593418008900",
        "bills": "499248926700",
        "agencies": "2347000000",
        "total": "6344428175083.10",
    }
    return row | changes


def holdings(*rows: dict[str, Any]) -> list[dict[str, Any]]:
    return ny_fed.parse_soma_holdings(answer({"soma": {"summary": list(rows)}}))


def test_soma_amounts_are_millions_and_blanks_are_missing() -> None:
    (found,) = holdings(soma())
    assert found["bills_usd_mn"] == 499248.9267
    assert found["mbs_usd_mn"] == pytest.approx(1940863.715777, abs=1e-9)
    assert found["frn_usd_mn"] is None
    assert found["known_at"] == at("2026-07-09 20:30")


def test_the_soma_total_leaves_out_inflation_compensation() -> None:
    # With FRNs of 18,382,825,800 the published parts close without the compensation.
    (found,) = holdings(soma(frn="18382825800"))
    parts = ("bills", "notes_bonds", "tips", "frn", "mbs", "cmbs", "agencies")
    assert sum(found[f"{part}_usd_mn"] for part in parts) == pytest.approx(found["total_usd_mn"])


def test_soma_holdings_in_millions_are_refused() -> None:
    in_millions = dict.fromkeys(("tips", "cmbs", "mbs", "notesbonds", "bills", "total"), "500000")
    with pytest.raises(UnexpectedPayloadError, match=r"2026-07-08: largest holding"):
        holdings(soma(**in_millions))


def test_soma_keeps_the_window_and_names_a_window_without_holdings(make_fetch: MakeFetch) -> None:
    stub = Stub({"soma": {"summary": [soma(), soma(asOfDate="2026-08-05")]}})
    july = make_fetch(stub, date(2026, 7, 1), date(2026, 7, 31))
    assert ny_fed.collect_soma_holdings(july)["soma_holdings"].num_rows == 1
    june = make_fetch(stub, date(2026, 6, 1), date(2026, 6, 30))
    assert ny_fed.collect_soma_holdings(june)["soma_holdings"].num_rows == 0
    assert june.gaps == ["soma_holdings: nyfed has none from 2026-06-01 to 2026-06-30"]


def test_a_soma_history_without_rows_is_an_error(make_fetch: MakeFetch) -> None:
    fetch = make_fetch(Stub({"soma": {"summary": []}}), date(2026, 7, 1), date(2026, 7, 31))
    with pytest.raises(EmptyAnswerError, match="soma_holdings"):
        ny_fed.collect_soma_holdings(fetch)
