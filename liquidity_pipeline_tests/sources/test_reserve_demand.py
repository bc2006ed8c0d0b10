"""The elasticity of reserve demand: columns by words, one file at a time, known when published."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from liquidity_pipeline.contracts.sources.federal_reserve import RESERVE_DEMAND_ELASTICITY
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.errors import (
    EmptyAnswerError,
    NotServedError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch
from liquidity_pipeline.sources.http import HttpClient
from liquidity_pipeline.sources.reserve_demand import (
    PATH,
    PUBLISHER,
    collect_reserve_demand,
    parse,
)

MakeFetch = Callable[..., Fetch]
FETCHED = datetime.fromisoformat("2026-11-25 15:00")
MONTH = (date(2026, 11, 1), date(2026, 11, 30))
HEADER = "Date,50th percentile,2.5th percentile,97.5th percentile,16th percentile,84th percentile"
ROW = "-0.50,-0.90,-0.10,-0.70,-0.30"


def file(*lines: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *lines, ""]).encode()


class Served:
    """A transport with one answer."""

    def __init__(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.body, self.status, self.headers = body, status, headers

    def get(self, publisher: str, path: str, params: Any = None, *, form: str = "json") -> Answer:
        assert (publisher, path, form) == (PUBLISHER, PATH, "csv")
        return Answer(publisher, path, "http://test", self.status, self.headers, self.body, FETCHED)


def collect(make_fetch: MakeFetch, served: Served) -> tuple[list[dict[str, Any]], list[str]]:
    fetch = make_fetch(served, *MONTH, FETCHED)
    rows = validate(
        RESERVE_DEMAND_ELASTICITY, collect_reserve_demand(fetch)["reserve_demand_elasticity"]
    )
    return rows.to_pylist(), fetch.gaps


@pytest.mark.parametrize(
    ("header", "line"),
    [
        (HEADER, f"2026-11-12,{ROW}"),
        # Other order, other words around, and columns that nobody asked for.
        (
            "97.5th,84th,50th,16th,2.5th,Updated by,Date of estimate,",
            "-0.10,-0.30,-0.50,-0.70,-0.90,nobody,2026-11-12,",
        ),
        ('date,"Elasticity, 50th",RDE_2.5th,RDE_97.5th,RDE_16th,RDE_84th', f"11/12/2026,{ROW}"),
        (f"Reserve Demand Elasticity\n\n{HEADER.upper()}", f"2026-11-12 00:00:00,{ROW}"),
    ],
)
def test_columns_are_found_by_their_words(header: str, line: str) -> None:
    (row,) = parse(b"\xef\xbb\xbf" + file(line, header=header)).to_pylist()
    assert row == {
        "date": date(2026, 11, 12),
        "p2_5_bp": -0.9, "p16_bp": -0.7, "p50_bp": -0.5, "p84_bp": -0.3, "p97_5_bp": -0.1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (file(header=HEADER.replace("2.5th percentile,", "", 1)), "one column each for"),
        (file(header=HEADER.replace("16th", "15th")), "one column each for"),
        (file(header=HEADER + ",50th percentile"), "one column each for"),
        (b"PK\x03\x04 the beginning of a workbook", "got a workbook"),
        (b"\xd0\xcf\x11\xe0", "cannot be read as that"),
        (b"", "one column each for"),
        (file(*(f"2026-11-1{n},low,low,low,low,low" for n in range(3))), "five percentiles"),
    ],
)
def test_another_file_is_refused(body: bytes, problem: str) -> None:
    with pytest.raises(UnexpectedPayloadError, match=problem):
        parse(body)


@pytest.mark.parametrize(
    "bad",
    [
        "2026-11-13,a,b,c,d,e",
        "2026-11-13,-0.5",
        "Friday,-0.50,-0.90,-0.10,-0.70,-0.30",
        "2026-11-13,inf,-0.90,-0.10,-0.70,-0.30",
        "2026-11-13,-0.50,-0.10,-0.90,-0.70,-0.30",
        f"9999-12-31,{ROW}",
    ],
)
def test_one_bad_line_costs_itself_alone(make_fetch: MakeFetch, bad: str) -> None:
    body = file(f"2026-11-10,{ROW}", f"2026-11-12,{ROW}", bad)
    rows, gaps = collect(make_fetch, Served(body))
    assert [row["date"].day for row in rows] == [10, 12]
    assert len(gaps) == 1


def test_an_empty_cell_is_null_and_a_day_without_median_is_no_row(make_fetch: MakeFetch) -> None:
    body = file("2026-11-12,-0.50,,-0.10,,-0.30", "2026-11-13,,,,,")
    ((row,), gaps) = collect(make_fetch, Served(body))
    assert (row["p50_bp"], row["p2_5_bp"], row["p16_bp"]) == (-0.5, None, None)
    assert gaps == []


def test_a_day_is_known_since_the_first_file_that_reached_it(make_fetch: MakeFetch) -> None:
    days = ("2010-01-04", "2024-10-11", "2024-10-15", "2026-11-13", "2026-11-17")
    rows, _ = collect(make_fetch, Served(file(*(f"{day},{ROW}" for day in days))))
    assert [f"{row['known_at']}" for row in rows] == [
        # The first file, of 2024-10-17 at 10:00, had data through 2024-10-11.
        "2024-10-17 14:00:00",
        "2024-10-17 14:00:00",
        "2024-11-21 15:00:00",
        "2026-11-19 15:00:00",
        # Ahead of the calendar's next file: known when it was seen.
        f"{FETCHED}",
    ]


def test_a_file_without_estimates_is_no_answer(make_fetch: MakeFetch) -> None:
    with pytest.raises(EmptyAnswerError, match="without estimates"):
        collect(make_fetch, Served(file()))


@pytest.mark.parametrize("status", [302, 404])
def test_a_redirect_elsewhere_is_not_served(make_fetch: MakeFetch, status: int) -> None:
    served = Served(b"", status, location="https://www.newyorkfed.org/error")
    rows, (gap,) = collect(make_fetch, served)
    assert rows == []
    assert gap.startswith(f"reserve_demand_elasticity: HTTP {status} to https://www.newyorkfed.org")


@pytest.mark.parametrize("publisher", ["nyfed_research", "treasury"])
def test_a_path_that_is_not_there_leads_to_a_page_and_is_not_served(
    make_fetch: MakeFetch, sandbox: str, tmp_path: Any, publisher: str
) -> None:
    settings = Settings(tmp_path, endpoints=sandbox, http_retries=1, http_backoff=0.01)
    fetch = make_fetch(HttpClient(settings), *MONTH)
    form = "csv" if publisher == PUBLISHER else "xml"
    with pytest.raises(NotServedError, match="/nowhere leads to a page of HTML"):
        fetch.get(publisher, "/nowhere", form=form)
    ((_, _, kept),) = fetch.answers
    assert kept.failure is not None
