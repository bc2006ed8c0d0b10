"""Treasury Fiscal Data's pages: complete, in order and of the expected shape, or refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from liquidity_pipeline.sources.errors import UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.fiscal_client import Records, read
from liquidity_pipeline_tests.sources.canned import Canned
from liquidity_pipeline_tests.sources.fiscal_bodies import ROOT, answer

MakeFetch = Callable[..., Fetch]


def rows(*keys: str) -> list[dict[str, str]]:
    return [{"key": key, "amount": "1"} for key in keys]


def read_pages(make_fetch: MakeFetch, *pages: Any, **options: Any) -> tuple[Records, Canned]:
    transport = Canned({f"{ROOT}/x": lambda params: pages[params["page[number]"] - 1]})
    fetch = make_fetch(transport, date(2026, 2, 1), date(2026, 2, 28))
    path = ROOT.removeprefix("fiscaldata") + "/x"
    records = read(fetch, path, ("key", "amount"), where=("key:gte:a",), sort=("key",), **options)
    return records, transport


def test_all_pages_are_read_in_order_with_the_largest_page_and_no_offset(make_fetch):
    whole = {"total-count": 3, "total-pages": 2}
    records, transport = read_pages(
        make_fetch, answer(rows("a", "b"), **whole), answer(rows("c"), **whole)
    )
    assert records.text("key") == ["a", "b", "c"]
    assert [(p["page[number]"], p["page[size]"]) for _, p in transport.asked] == [
        (1, 10_000),
        (2, 10_000),
    ]
    assert {name for _, params in transport.asked for name in params} == {
        "fields",
        "filter",
        "sort",
        "format",
        "page[number]",
        "page[size]",
    }


def test_no_match_is_an_answer_without_rows(make_fetch):
    records, _ = read_pages(make_fetch, answer([]))
    assert len(records) == 0


def test_whole_rows_are_asked_for_without_a_selection_that_could_add_amounts_up(make_fetch):
    _, transport = read_pages(make_fetch, answer(rows("a")), select=False)
    assert "fields" not in transport.asked[0][1]


WHOLE = {"total-count": 4, "total-pages": 2}


@pytest.mark.parametrize(
    ("pages", "message"),
    [
        (
            [answer(rows("a", "b"), **WHOLE), answer(rows("a", "b"), **WHOLE)],
            "page 2 repeats page 1",
        ),
        (
            [
                answer(rows(*keys), **{"total-count": 6, "total-pages": 3})
                for keys in ("ab", "cd", "ab")
            ],
            r"page 3 repeats 2 row\(s\) of earlier pages",
        ),
        (
            [answer(rows("a", "b"), **WHOLE), answer(rows("b", "c"), **WHOLE)],
            r"page 2 repeats 1 row\(s\) of earlier pages, e.g. \{'key': 'b'",
        ),
        ([answer(rows("a", "b"), **WHOLE), answer(rows("c"), **WHOLE)], "hold 3 rows of 4"),
        ([answer(rows("a"), count=2)], "says that it has 2 rows and has 1"),
        ([answer(rows("a"), **{"total-count": 2})], "hold 1 rows of 2"),
        (
            [answer(rows("a", "b"), **WHOLE), answer(rows("c"), **WHOLE | {"total-count": 3})],
            "3 rows on page 2, 4 on the page before",
        ),
        ([{"error": "Invalid Query Param"}], "expected data and meta"),
        ([["a list"]], "expected data and meta"),
        ([answer([{"key": "a"}])], r"column\(s\) amount are gone; present are key"),
        ([answer([{"key": "a", "amount": 1}])], "every value is expected to be text"),
    ],
)
def test_a_page_that_cannot_be_trusted_is_refused_by_name(make_fetch, pages, message):
    with pytest.raises(UnexpectedPayloadError, match=message) as caught:
        read_pages(make_fetch, *pages)
    assert "(asked: http://test/" in str(caught.value)


def test_a_row_that_is_published_twice_is_one(make_fetch):
    records, _ = read_pages(make_fetch, answer(rows("a", "b", "b")))
    assert records.text("key") == ["a", "b"]


def test_an_amount_declared_in_another_unit_is_refused(make_fetch):
    mn, dollars = ({"amount": unit} for unit in ("$1,000,000", "$1"))
    records, _ = read_pages(make_fetch, answer(rows("a"), dataFormats=mn), usd_mn=("amount",))
    assert len(records) == 1
    with pytest.raises(UnexpectedPayloadError, match=r"unit of amount is '\$1'; expected USD mil"):
        read_pages(make_fetch, answer(rows("a"), dataFormats=dollars), usd_mn=("amount",))


def test_the_text_null_is_a_missing_value():
    records = Records.of([{"key": "null", "amount": "-20"}], ("key", "amount"))
    assert records.text("key") == [None]
    assert records.numbers("amount").to_pylist() == [-20.0]


def test_a_value_of_another_type_is_refused_with_column_and_value():
    records = Records.of([{"day": "02/03/2026", "amount": "1,000"}], ("day", "amount"))
    with pytest.raises(UnexpectedPayloadError, match=r"day: expected a day YYYY-MM-DD.*02/03"):
        records.days("day")
    with pytest.raises(UnexpectedPayloadError, match=r"amount: expected a number.*1,000"):
        records.numbers("amount")
