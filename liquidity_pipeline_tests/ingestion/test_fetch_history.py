"""What the records of earlier fetches tell about the months of a source."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from liquidity_pipeline.ingestion.fetch_history import FetchHistory, summarize
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.storage.archive import FetchRecord

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)
NOVEMBER = "2026-11-03 14:00"


def answer(path: str = "/a", status: int = 200, **params: str | int) -> dict[str, Any]:
    return {
        "publisher": "fred",
        "path": path,
        "params": params,
        "status": status,
        "failure": "no answer in time" if status == 0 else None,
    }


def record(
    *answers: dict[str, Any],
    first: date = JUNE,
    last: date = JUNE,
    now: str = NOVEMBER,
    kept_at: str = NOVEMBER,
) -> FetchRecord:
    return FetchRecord(
        source="example",
        window=Window.of_months(first, last),
        now=datetime.fromisoformat(now),
        kept_at=datetime.fromisoformat(kept_at),
        universe={},
        answers=list(answers),
        gaps=[],
        error=None,
    )


def test_without_records_nothing_is_known():
    assert summarize([]) == FetchHistory()


def test_a_month_is_answered_when_the_fetch_stood_long_after_it():
    assert summarize([record()]).answered == {JUNE}
    as_of_june = record(now="2026-06-14 03:59")
    assert (as_of_june.day, as_of_june.is_as_of) == (date(2026, 6, 13), True)
    assert summarize([as_of_june]).answered == frozenset()
    assert summarize([record(kept_at="2026-06-14 03:59")]).answered == frozenset()
    assert summarize([record(), as_of_june]).answered == {JUNE}


def test_a_month_is_unfinished_until_it_was_asked_for_after_its_end():
    # 03:00 UTC on 1 July is 23:00 on 30 June in New York.
    while_it_ran = record(kept_at="2026-07-01 03:00")
    assert summarize([while_it_ran]).unfinished == {JUNE}
    assert summarize([while_it_ran, record(kept_at="2026-07-01 05:00")]).unfinished == frozenset()
    assert summarize([record(), while_it_ran]).unfinished == frozenset()


def test_a_part_is_missed_once_it_is_served_again():
    """Days and pages tell requests of one part apart no more than they tell parts."""
    refused = record(answer(status=403, id="DGS10", start="2026-06-01", page=1))
    assert summarize([refused]).missed == frozenset()
    for again in (
        answer(status=404, id="DGS10", start="2026-10-01", page=2),
        answer(status=0, id="DGS10"),
        answer(id="VIXCLS"),
        answer("/b", id="DGS10"),
    ):
        assert summarize([refused, record(again, first=JULY, last=JULY)]).missed == frozenset()
    served = record(answer(id="DGS10", start="2026-10-01", page=3), first=JULY, last=JULY)
    assert summarize([refused, served]).missed == {JUNE}
    # The fetch is no answer to what it did not bring.
    assert summarize([refused, served]).answered == {JULY}
    whole = record(answer(id="DGS10", start="2026-06-01"))
    assert summarize([refused, served, whole]).missed == frozenset()
    assert summarize([refused, served, whole]).answered == {JUNE, JULY}


def test_a_part_of_which_one_page_came_did_not_come():
    half = record(answer(page=1), answer(status=404, page=2))
    assert (len(half.missed), half.served) == (1, frozenset())
