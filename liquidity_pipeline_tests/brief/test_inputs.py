"""What is missing is named with its day and its cause, in words, and the news comes first."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from liquidity_pipeline.brief.inputs import INPUTS, cause, grouped
from liquidity_pipeline.brief.render import Text
from liquidity_pipeline.contracts.sources import SOURCE_TABLES

DOWN = (
    "ends on 2026-08-07: fetch failed on 2026-08-21: nyfed: expected JSON, got HTTP 500, "
    "after 5 attempt(s) (asked: http://127.0.0.1/nyfed/api/rates/all/search.json)"
)


def told(message: Any, language: str) -> str:
    return Text({"figures": {}}, language).message(message)  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("reason", "english", "chinese"),
    [
        (
            DOWN,
            "the request of 21 Aug 2026 failed with HTTP 500",
            "2026年8月21日的请求失败：HTTP 500",
        ),
        (
            "no row is held: the fetch of 2026-08-21 lacked it: TOTLL: not served by fred",
            "not served when it was asked for on 21 Aug 2026",
            "2026年8月21日请求时发布方未提供",
        ),
        (
            "ends on 2026-08-10: the fetch of 2026-08-21 lacked it: yahoo: expected JSON, "
            "got HTTP 500, after 5 attempt(s)",
            "the request of 21 Aug 2026 failed with HTTP 500",
            "2026年8月21日的请求失败：HTTP 500",
        ),
        (
            "hole on 2025-10-06: not held, and no full answer explains it",
            "nothing is held for 6 Oct 2025",
            "缺少2025年10月6日的数据",
        ),
        (
            "fiscaldata answers, but serves nothing after 2026-08-07",
            "the publisher answers, with nothing after 7 Aug 2026",
            "发布方有应答，但没有2026年8月7日之后的数据",
        ),
        (
            "no row is held: fetch failed on 2026-08-21: ofr: expected CSV, got an empty body, "
            "after 5 attempt(s)",
            "the request of 21 Aug 2026 failed with an empty body",
            "2026年8月21日的请求失败：空白应答",
        ),
        (
            "last answered on 2026-08-07, and replaced since: the fetch of 2026-08-21 lacked it: "
            "HTTP 404",
            "last served on 7 Aug 2026, and not since",
            "最近一次提供是在2026年8月7日，此后未再提供",
        ),
        (
            "no row of its first provider is held: the fetch of 2026-11-26 lacked it: coinbase: "
            "expected JSON, got no connection (ConnectionError), after 5 attempt(s)",
            "the request of 26 Nov 2026 failed with no connection",
            "2026年11月26日的请求失败：无法连接",
        ),
        (
            "no row is held: the fetch of 2026-11-26 lacked it: coinbase: "
            "expected candles [time, low], got {'message': 'maintenance'}",
            "the request of 26 Nov 2026 failed",
            "2026年11月26日的请求失败",
        ),
        ("something new", "something new", "something new"),
    ],
)
def test_a_cause_is_told_in_the_reader_s_words(reason: str, english: str, chinese: str) -> None:
    assert told(cause(reason), "en") == english
    assert told(cause(reason), "zh") == chinese


STILL = "ends on 2025-09-30: nothing newer was served on 2026-08-21"


def row(table: str, entity: str, through: date | None, reason: str) -> dict[str, Any]:
    return {
        "table_name": table,
        "entity": entity,
        "known_through": through,
        "expected_through": date(2026, 8, 20),
        "reason": reason,
    }


def test_what_ended_last_comes_first_and_one_cause_is_said_once() -> None:
    found = grouped(
        [
            row("index_prices", "MID", None, "no row is held: the fetch of 2026-08-21 lacked it"),
            row(
                "crypto_prices", "SOL", date(2025, 9, 30), "nothing newer was served on 2026-08-21"
            ),
            row("reference_rates", "EFFR", date(2026, 8, 9), DOWN),
            row("reference_rates", "SOFR", date(2026, 8, 9), DOWN),
        ]
    )
    assert [told(each.told, "en") for each in found] == [
        "nothing after 9 Aug 2026 is known of the New York Fed's reference rates (EFFR, SOFR): "
        "the request of 21 Aug 2026 failed with HTTP 500",
        "nothing after 30 Sep 2025 is known of prices of coins (SOL): "
        "nothing newer was served on 21 Aug 2026",
        "nothing was ever served of prices of indices and funds (MID)",
    ]
    assert told(found[0].told, "zh") == (
        "纽约联储参考利率（EFFR、SOFR）只更新到2026年8月9日（2026年8月21日的请求失败：HTTP 500）"
    )


def test_every_source_has_a_name_for_readers() -> None:
    assert set(INPUTS) == set(SOURCE_TABLES)
