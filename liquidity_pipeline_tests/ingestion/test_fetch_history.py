"""What the records of earlier fetches tell about the months of a source."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from typing import Any

import pytest

from liquidity_pipeline.ingestion.fetch_history import FetchHistory, summarize
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.storage.fetch_record import FetchRecord

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


def test_one_answer_proves_no_absence_and_two_that_agree_do():
    assert summarize([record()]).answered == frozenset()
    assert summarize([record(), record()]).answered == {JUNE}
    as_of_june = record(now="2026-06-14 03:59")
    assert (as_of_june.day, as_of_june.is_as_of) == (date(2026, 6, 13), True)
    assert summarize([record(), as_of_june]).answered == frozenset()
    early = record(kept_at="2026-06-14 03:59")
    assert summarize([record(), early]).answered == frozenset()
    assert summarize([record(), early, record()]).answered == {JUNE}


def with_rows(digest: str, kept_at: str = NOVEMBER) -> FetchRecord:
    present = {"example": {"2026-06": digest}} if digest else {"example": {}}
    return replace(record(kept_at=kept_at, now=kept_at), present=present)


def test_answers_that_disagree_are_asked_for_again_five_times():
    ill = [with_rows(digest) for digest in "abcd"]
    assert summarize(ill).answered == frozenset()
    assert summarize([*ill, with_rows("d")]).answered == {JUNE}
    assert summarize([*ill, with_rows("e")]).answered == {JUNE}


def test_an_answer_grows_old_more_slowly_the_more_agree():
    twice = [with_rows("a"), with_rows("a")]  # on 2026-11-03
    assert summarize(twice, date(2026, 12, 2)).answered == {JUNE}
    assert summarize(twice, date(2026, 12, 3)).answered == frozenset()
    again = [*twice, with_rows("a", "2026-12-03 14:00")]
    assert summarize(again, date(2027, 1, 31)).answered == {JUNE}
    assert summarize(again, date(2027, 2, 1)).answered == frozenset()


@pytest.mark.parametrize("status", [401, 403, 404])
def test_one_refusal_proves_no_absence(status: int):
    """Where a second provider fills in, nothing else shows that there is something to ask for."""
    refused = record(answer("/b", status=status))
    assert summarize([refused]).failed == {JUNE}
    assert summarize([refused, refused]).failed == frozenset()
    assert summarize([refused, record(answer("/b"))]).failed == frozenset()


@pytest.mark.parametrize("ill", [answer("/b", status=0), answer("/b") | {"useless": True}])
def test_two_days_of_the_same_outage_prove_nothing(ill: dict[str, Any]):
    down = replace(with_rows("a"), answers=[answer("/a"), ill])
    assert summarize([down, down]).answered == frozenset()
    assert summarize([down, down]).failed == {JUNE}
    assert summarize([down, with_rows("a")]).answered == frozenset()
    assert summarize([down, with_rows("a"), with_rows("a")]).answered == {JUNE}
    # What fails for ever is not asked for on every run where calendars tell what is missing.
    assert summarize([down] * 5).answered == {JUNE}
    assert summarize([down] * 5).failed == frozenset()
    assert summarize([down] * 5).unheard == {JUNE}
    assert summarize([down, with_rows("a")]).unheard == frozenset()


def test_a_month_without_a_row_is_silent_until_a_second_answer_says_so():
    assert summarize([with_rows("")]).silent == {"example": {JUNE}}
    assert summarize([with_rows("a")]).silent == {}
    assert summarize([with_rows(""), with_rows("")]).silent == {}


def test_months_that_had_rows_are_remembered():
    assert summarize([with_rows("a"), with_rows("")]).held == {"example": {JUNE}}


def test_months_before_the_first_sight_of_a_split_are_on_the_old_basis():
    split = ("yahoo", "TLT", date(2026, 7, 13), "2:1")
    old = record(first=date(2026, 3, 1), last=JUNE)
    seen = replace(record(first=JUNE, last=JULY), splits=frozenset({split}))
    stale = {date(2026, 3, 1), date(2026, 4, 1), date(2026, 5, 1)}
    assert summarize([old, seen]).rebased == stale
    assert summarize([old, seen, seen]).rebased == stale
    assert summarize([old, seen, record(first=date(2026, 4, 1))]).rebased == {date(2026, 3, 1)}
    assert summarize([seen, old]).rebased == frozenset()


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
    assert summarize([refused, served, served]).answered == {JULY}
    whole = record(answer(id="DGS10", start="2026-06-01"))
    assert summarize([refused, served, whole]).missed == frozenset()
    assert summarize([refused, served, served, whole, whole]).answered == {JUNE, JULY}


def test_a_part_that_never_comes_whole_is_not_asked_for_on_every_run():
    """An operation that cannot be read: the answer comes, and one row is left out each time."""
    odd = record(answer(id="DGS10") | {"unread": True})
    young = record(answer(id="DGS10"), first=JULY, last=JULY)
    assert summarize([odd, young]).missed == {JUNE}
    assert summarize([odd, young, odd, young]).missed == frozenset()


def test_a_part_of_which_one_page_came_did_not_come():
    half = record(answer(page=1), answer(status=404, page=2))
    assert (len(half.missed), half.served) == (1, frozenset())
