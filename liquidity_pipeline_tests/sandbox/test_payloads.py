"""Where the replay cannot tell, the real bodies do: key order, labels, types, number formats."""

from __future__ import annotations

import json
import re

import pytest

from liquidity_pipeline_tests.sandbox.client import FISCAL, form, get, rows, skeleton, text_form

pytestmark = pytest.mark.replay

FISCAL_FILES = {
    "dts/operating_cash_balance": "operating_cash_balance__2026-10-06_all_lines.json",
    "dts/deposits_withdrawals_operating_cash": (
        "deposits_withdrawals_operating_cash__2026-08_EXCERPT_41of3600rows.json"
    ),
    "dts/public_debt_transactions": "public_debt_transactions__2026-10-06_marketable.json",
    "od/auctions_query": "auctions_query__EXCERPT_3of3828rows_full_meta.json",
}


@pytest.mark.parametrize("table", FISCAL_FILES)
def test_tables_have_the_columns_labels_and_types_of_the_capture(sandbox, payloads, table):
    real = json.loads((payloads / "fiscaldata" / FISCAL_FILES[table]).read_text())
    ours = get(sandbox, f"{FISCAL}/{table}", page_size="5").json()
    for block in ("labels", "dataTypes", "dataFormats"):
        assert list(ours["meta"][block].items()) == list(real["meta"][block].items())
    assert list(ours["meta"]) == list(real["meta"])
    assert list(ours["data"][0]) == list(real["data"][0])


def test_debt_and_total_rows_of_table_two_are_written_as_captured(sandbox, payloads):
    path = payloads / "fiscaldata" / FISCAL_FILES["dts/deposits_withdrawals_operating_cash"]
    real = json.loads(path.read_text())["data"]
    ours = rows(
        sandbox, "dts/deposits_withdrawals_operating_cash", filter="record_date:eq:2026-08-20"
    )
    columns = ("account_type", "transaction_type", "transaction_catg", "transaction_catg_desc",
               "table_nbr", "table_nm")  # fmt: skip
    written = {tuple(row[c] for c in columns) for row in ours}
    named = {tuple(row[c] for c in columns) for row in real}
    special = {row for row in named if row[2] == "null" or row[2].startswith("Public Debt")}
    assert special <= written
    assert {row[0] for row in named} <= {row[0] for row in written}


def test_marketable_lines_of_table_three_a_are_those_of_the_capture(sandbox, payloads):
    path = payloads / "fiscaldata" / FISCAL_FILES["dts/public_debt_transactions"]
    columns = ("transaction_type", "security_market", "security_type", "security_type_desc",
               "src_line_nbr", "table_nbr", "table_nm")  # fmt: skip
    real = [tuple(r[c] for c in columns) for r in json.loads(path.read_text())["data"]]
    ours = rows(
        sandbox,
        "dts/public_debt_transactions",
        filter="record_date:eq:2026-08-20,security_market:eq:Marketable",
    )
    assert [tuple(r[c] for c in columns) for r in ours] == real


def test_bill_and_note_rows_write_what_the_captured_rows_write(sandbox, payloads):
    path = payloads / "fiscaldata" / FISCAL_FILES["od/auctions_query"]
    # Treasury leaves these to single securities; the sandbox has no strips and no accrued interest.
    rare = {"corpus_cusip", "accrued_int_per1000", "currently_outstanding",
            "pdf_filenm_spec_announcemt"}  # fmt: skip
    for real in json.loads(path.read_text())["data"]:
        reopened = "Yes" if real["reopening"] == "Yes" else "No"
        kind = f"security_type:eq:{real['security_type']},reopening:eq:{reopened}"
        query = f"{kind},security_term:eq:{real['security_term']},auction_date:lte:2026-08-20"
        ours = rows(sandbox, "od/auctions_query", filter=query)[-1]
        for column, value in real.items():
            if column in rare or value in {"null", "Yes", "No"}:
                continue
            if not (column == "back_dated_date" and ours["back_dated"] == "No"):
                assert ours[column] != "null", column
            if text_form(value).startswith(("date", "decimals")) and ours[column] != "null":
                assert text_form(ours[column]) == text_form(value), column


def test_latest_rates_have_the_form_of_the_capture(sandbox, payloads):
    real = (payloads / "nyfed" / "rates_all_latest__2026-10-08.json").read_text()
    ours = get(sandbox, "/nyfed/api/rates/all/latest.json").text
    assert skeleton(ours) == skeleton(real)
    kinds = [re.findall(r'"type": "(\w+)"', text) for text in (ours, real)]
    assert kinds[0] == kinds[1]


def test_single_rows_of_the_new_york_fed_have_the_keys_of_the_captures(sandbox, payloads):
    real = json.loads((payloads / "nyfed" / "rows_captured_live_2026.json").read_text())
    cases = [
        ("tsy/all/results/summary/last/1.json", "tsy_all_results_summary__row_2026-08-31"),
        (
            "rp/repo/allotment/results/last/2.json",
            "rp_repo_allotment_results_last__row_2026-09-03_shape",
        ),
    ]
    for path, name in cases:
        ours = get(sandbox, f"/nyfed/api/{path}").json()
        ((kind, block),) = ours.items()
        ((collection, found),) = block.items()
        row, wanted = found[0], real[name][kind][collection][0]
        for key, value in wanted.items():
            assert type(row[key]) is type(value), key
        shared = [key for key in row if key in wanted]
        assert shared == list(wanted)
    soma = get(sandbox, "/nyfed/api/soma/summary.json").json()["soma"]["summary"][-1]
    assert list(soma) == list(real["soma_summary__row_2026-07-08"]["soma"]["summary"][0])


def test_kraken_and_coinbase_rows_have_the_form_of_the_captures(sandbox, payloads):
    real = json.loads(
        (payloads / "kraken" / "OHLC_XBTUSD_1440_2026-10-08.excerpt.json").read_text()
    )
    ours = get(sandbox, "/kraken/0/public/OHLC?pair=XBTUSD&interval=1440").json()
    assert form(ours["result"]["XXBTZUSD"][:1]) == form(real["result"]["XXBTZUSD"])
    candle = json.loads(
        (payloads / "coinbase" / "candles_BTC-USD_1h_first_row_2026-09-18.json").read_text()
    )
    found = get(sandbox, "/coinbase/products/BTC-USD/candles?granularity=86400").json()
    assert [type(v) for v in found[5]] == [type(v) for v in candle[0]]


def test_yahoo_meta_has_the_keys_of_the_capture(sandbox, payloads):
    real = json.loads((payloads / "yahoo" / "chart_IXIC_ytd_1d_2025-02-21.json").read_text())
    ours = get(sandbox, "/yahoo/v8/finance/chart/%5EIXIC?range=ytd&interval=1d").json()
    first, second = (d["chart"]["result"][0] for d in (ours, real))
    assert list(first["meta"]) == list(second["meta"])
    assert list(first) == list(second)
    for key, value in second["meta"].items():
        assert type(first["meta"][key]) is type(value), key
    missing = (payloads / "yahoo" / "chart_not_found_http404.json").read_text()
    assert get(sandbox, "/yahoo/v8/finance/chart/NOTHING").text == missing.strip()
