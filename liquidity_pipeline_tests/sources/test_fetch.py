"""The context of a fetch: its window, its clock, and what it remembers of every request."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Any

import pytest

from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotServedError,
    RejectedError,
    TransientError,
)
from liquidity_pipeline.sources.fetch import Fetch, Window, month_end
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned

NOWHERE = Universe((), ())


def fetch(replies: dict[str, object] | None = None, now: str = "2026-02-10 12:00") -> Fetch:
    window = Window(date(2026, 1, 1), date(2026, 2, 28))
    return Fetch(window, datetime.fromisoformat(now), NOWHERE, Canned(replies or {}))


@pytest.mark.parametrize(
    ("day", "end"),
    [
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2024, 2, 29), date(2024, 2, 29)),
        (date(2025, 12, 31), date(2025, 12, 31)),
        (date(2026, 4, 30), date(2026, 4, 30)),
    ],
)
def test_a_month_ends_on_its_last_day(day: date, end: date):
    assert month_end(day) == end


def test_a_window_is_made_of_whole_months():
    window = Window.of_months(date(2025, 12, 15), date(2026, 2, 3))
    assert (window.start, window.end) == (date(2025, 12, 1), date(2026, 2, 28))
    assert window.months == [date(2025, 12, 1), date(2026, 1, 1), date(2026, 2, 1)]


@pytest.mark.parametrize(
    ("now", "last_day"),
    [
        ("2026-02-10 12:00", date(2026, 2, 10)),
        ("2026-02-10 04:59", date(2026, 2, 9)),  # still yesterday in New York
        ("2026-02-10 05:00", date(2026, 2, 10)),
        ("2026-07-10 04:00", date(2026, 2, 28)),  # the window's end comes first
    ],
)
def test_the_last_day_is_today_in_new_york_or_the_end_of_the_window(now: str, last_day: date):
    assert fetch(now=now).last_day == last_day


def test_every_answer_is_remembered_with_what_was_asked():
    asking = fetch({"fred/a": {"rows": 1}})
    assert asking.get("fred", "/a", {"id": "IORB"}, form="csv").json() == {"rows": 1}
    ((form, params, answer),) = asking.answers
    assert (form, params, answer.path, answer.status) == ("csv", {"id": "IORB"}, "/a", 200)


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotServedError), (403, RejectedError), (400, RejectedError)]
)
def test_a_refusal_is_remembered_before_it_is_raised(status: int, kind: type[Exception]):
    asking = fetch({"fred/a": (status, "no")})
    with pytest.raises(kind):
        asking.get("fred", "/a")
    assert [answer.status for _, _, answer in asking.answers] == [status]


def test_a_failure_is_remembered_with_what_came_last():
    failure = TransientError("a page of HTML", publisher="fred", url="http://test/fred/a")
    failure.status, failure.body = 503, b"<html>"
    asking = fetch({"fred/a": failure})
    with pytest.raises(TransientError):
        asking.get("fred", "/a", {"page": 1})
    ((form, params, answer),) = asking.answers
    assert (form, params, answer.path) == ("json", {"page": 1}, "/a")
    assert (answer.failure, answer.status, answer.body) == ("a page of HTML", 503, b"<html>")
    assert answer.url == "http://test/fred/a"


def test_what_is_not_served_is_a_named_gap_and_the_rest_goes_on():
    asking = fetch()
    assert asking.or_gap(lambda: asking.get("fred", "/a").json(), [], "buybacks") == []
    assert asking.or_gap(lambda: 7, 0, "the rest") == 7
    (gap,) = asking.gaps
    assert gap.startswith("buybacks: ")
    assert "HTTP 404" in gap


REFUSED = (403, "Forbidden")
NONSENSE = TransientError("got HTTP 503", publisher="fred", url="http://test/fred/a?id=1&b=2")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (NONSENSE, "got HTTP 503, at http://test/fred/a; the next run asks again"),
        ((404, "no"), "HTTP 404: no"),
        (REFUSED, "HTTP 403: Forbidden"),
    ],
)
def test_a_part_that_cannot_be_had_is_named_and_costs_no_other(reply: Any, said: str):
    asking = fetch({"fred/a": reply, "fred/b": {"n": 2}})
    parts = {
        "the first": lambda: asking.get("fred", "/a").json()["n"],
        "the second": lambda: asking.get("fred", "/b").json()["n"],
    }
    assert asking.parts(parts) == [2]
    assert asking.gaps == [f"the first: {said}"]
    assert asking.or_gap(parts["the first"], 0, "the first") == 0


@pytest.mark.parametrize("other", [(404, "no"), REFUSED])
def test_where_all_parts_fail_the_error_is_worth_another_attempt_if_one_is(other: Any):
    asking = fetch({"fred/a": other, "fred/b": DOWN})
    parts = {name: partial(asking.get, "fred", f"/{name}") for name in "ab"}
    with pytest.raises(TransientError, match=r"a: HTTP 40\d: .*; b: no answer in time"):
        asking.parts(parts)
    assert asking.gaps == []


def test_an_answer_without_rows_that_are_due_is_no_gap_of_a_part():
    """As a gap it would count as an answer, and the days as days on which nothing happened."""
    asking = fetch({"fred/b": {}})

    def empty() -> None:
        raise EmptyAnswerError("no rows")

    with pytest.raises(EmptyAnswerError):
        asking.parts({"a": empty, "b": lambda: None})


def test_days_that_fail_for_one_reason_share_a_line():
    asking = fetch()
    down, odd = TransientError("HTTP 503", url="http://test/a?day=1"), NotServedError("HTTP 404")
    days = [date(2026, 2, day) for day in (4, 11, 18, 25)]
    asking.name_failures(
        "no SOMA of", dict(zip(days, [down, odd, down, down], strict=True)), "weeks,"
    )
    assert asking.gaps == [
        "no SOMA of 3 weeks, 2026-02-04 to 2026-02-25: HTTP 503, at http://test/a; "
        "the next run asks again",
        "no SOMA of 2026-02-11: HTTP 404",
    ]


def test_a_gap_is_named_once():
    asking = fetch()
    for _ in range(2):
        asking.gap("XYZ is not served")
    assert asking.gaps == ["XYZ is not served"]


def test_several_requests_come_back_in_the_order_of_the_asking():
    asking = fetch({f"fred/{n}": {"n": n} for n in range(20)})
    found = asking.each(list(range(20)), lambda n: asking.get("fred", f"/{n}").json()["n"])
    assert found == list(range(20))
    assert len(asking.answers) == 20


def test_one_of_several_requests_that_fails_fails_all():
    asking = fetch({"fred/0": {}, "fred/1": DOWN})
    with pytest.raises(TransientError):
        asking.each([0, 1], lambda n: asking.get("fred", f"/{n}"))


def test_a_failed_request_is_not_blamed_on_the_answer_before(make_fetch):
    transport = Canned({"fred/good": "text", "fred/down": DOWN})
    fetch = make_fetch(transport, date(2026, 1, 1), date(2026, 1, 31))

    def read() -> None:
        fetch.get("fred", "/good", form="csv")
        fetch.get("fred", "/down", form="csv")

    with pytest.raises(TransientError):
        fetch.understood("two answers", read)
    assert fetch.useless == fetch.unread == []
