"""SOMA by CUSIP: dollars to millions, blanks, missing weeks, and a table that is not served."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liquidity_pipeline.contracts.sources.itemised import SOMA_SECURITIES
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import default_reference_dir
from liquidity_pipeline.sources.errors import (
    NotRecordedError,
    RejectedError,
    TransientError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.fetch import Fetch, Window
from liquidity_pipeline.sources.soma import collect_soma_securities
from liquidity_pipeline.universe import Universe
from liquidity_pipeline_tests.sources.canned import DOWN, Canned
from liquidity_pipeline_tests.sources.mutations import Bytes, damaged, is_json, outcome

MakeFetch = Callable[..., Fetch]
UNIVERSE = Universe.load(default_reference_dir())
FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
# Saturday evening: the holdings of 4, 11 and 18 February are public.
NOW = datetime.fromisoformat("2026-02-21 03:00")
WEEKS = ("2026-02-04", "2026-02-11", "2026-02-18")


def holding(day: str, cusip: str = "912797TY3", **changes: Any) -> dict[str, Any]:
    return {
        "asOfDate": day, "cusip": cusip, "maturityDate": "2026-08-27", "issuer": "", "spread": "",
        "coupon": "", "parValue": "311980824200", "inflationCompensation": "",
        "percentOutstanding": "0.0441831083149250", "changeFromPriorWeek": "0",
        "changeFromPriorYear": "", "securityType": "Bills",
    } | changes  # fmt: skip


TIPS = {
    "cusip": "912810QT8", "securityType": "TIPS", "coupon": "2.125", "parValue": "1000000",
    "inflationCompensation": "434567.89",
}  # fmt: skip


def week(day: str, *rows: dict[str, Any]) -> dict[str, Any]:
    return {"soma": {"holdings": list(rows) or [holding(day)]}}


def path(day: str) -> str:
    return f"nyfed/api/soma/tsy/get/asof/{day}.json"


def collect(make_fetch: MakeFetch, **replies: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Collect February; `w04`, `w11`, `w18` replace the answer for a Wednesday."""
    answers = {
        path(day): replies.get(f"w{day[-2:]}", week(day)) for day in WEEKS
    } | {path("2026-02-25"): AssertionError("not public yet")}  # fmt: skip
    fetch = make_fetch(Canned(answers), *FEBRUARY, NOW)
    rows = validate(SOMA_SECURITIES, collect_soma_securities(fetch)["soma_securities"])
    return rows.to_pylist(), fetch.gaps


def test_every_public_week_is_asked_for_and_dollars_become_millions(make_fetch: MakeFetch) -> None:
    rows, gaps = collect(
        make_fetch, w18=week("2026-02-18", holding("2026-02-18"), holding("2026-02-18", **TIPS))
    )
    assert [str(row["as_of_date"]) for row in rows] == [*WEEKS, WEEKS[-1]]
    bill, tips = rows[2:]
    assert (tips["par_usd_mn"], tips["inflation_usd_mn"]) == (1, pytest.approx(0.43456789))
    assert (tips["holding_type"], tips["coupon_pct"]) == ("tips", 2.125)
    assert bill["par_usd_mn"] == 311980.8242
    assert (bill["coupon_pct"], bill["inflation_usd_mn"]) == (None, None)
    assert bill["share_outstanding_ratio"] == pytest.approx(0.044183108314925)
    assert bill["known_at"] == datetime.fromisoformat("2026-02-19 21:30")
    assert gaps == []


@pytest.mark.parametrize("status", [400, 404])
def test_a_service_without_the_table_is_a_named_gap_after_two_requests(
    make_fetch: MakeFetch, status: int
) -> None:
    transport = Canned({path(day): (status, "Bad Request") for day in WEEKS})
    fetch = make_fetch(transport, *FEBRUARY, NOW)
    assert collect_soma_securities(fetch)["soma_securities"].num_rows == 0
    (gap,) = fetch.gaps
    assert gap.startswith(f"soma_securities: not served by nyfed (HTTP {status}")
    assert len(transport.asked) == 2


@pytest.mark.parametrize("status", [400, 404])
def test_a_newest_week_that_is_late_costs_no_other(make_fetch: MakeFetch, status: int) -> None:
    rows, gaps = collect(make_fetch, w18=(status, "Bad Request"))
    assert tuple(str(row["as_of_date"]) for row in rows) == WEEKS[:-1]
    (gap,) = gaps
    assert gap.startswith(f"nyfed did not give SOMA by security of {WEEKS[-1]}: HTTP {status}")


def test_a_record_of_a_fetch_that_asked_for_the_newest_week_alone_is_read(
    make_fetch: MakeFetch,
) -> None:
    def not_recorded(_: Any) -> Any:
        raise NotRecordedError("the week before")

    answers = {path(day): not_recorded for day in WEEKS[:-1]} | {path(WEEKS[-1]): (404, "no")}
    fetch = make_fetch(Canned(answers), *FEBRUARY, NOW)
    assert collect_soma_securities(fetch)["soma_securities"].num_rows == 0
    assert fetch.gaps == ["soma_securities: not served by nyfed (HTTP 404: no)"]


@pytest.mark.parametrize("label", ["FRN", "FRNs"])
def test_floating_rate_notes_are_known_by_either_label(make_fetch: MakeFetch, label: str) -> None:
    floating = holding("2026-02-18", cusip="91282CFRN", securityType=label)
    rows, gaps = collect(make_fetch, w18=week("2026-02-18", holding("2026-02-18"), floating))
    assert sorted(row["holding_type"] for row in rows if f"{row['as_of_date']}" == WEEKS[-1]) == [
        "bills",
        "frn",
    ]
    assert gaps == []


@pytest.mark.parametrize(
    ("bad", "problem"),
    [
        (DOWN, "no answer in time"),
        ((404, "no such day"), "HTTP 404"),
        ({"soma": {"holdings": []}}, "0 holdings of 0 in all"),
        (week("2026-02-04"), "asked for holdings as of 2026-02-11"),
        (week("2026-02-11", holding("2026-02-11", securityType="Strips")), "unknown securityType"),
        (week("2026-02-11", holding("2026-02-11", parValue="311980")), "expected dollars"),
        (week("2026-02-11", holding("2026-02-11", percentOutstanding="4.4")), "a fraction"),
        (
            week("2026-02-11", holding("2026-02-11"), holding("2026-02-11", coupon="1")),
            "comes twice with different values",
        ),
    ],
)
def test_a_week_that_cannot_be_had_is_named_and_the_others_are_kept(
    make_fetch: MakeFetch, bad: Any, problem: str
) -> None:
    rows, (gap,) = collect(make_fetch, w11=bad)
    assert [str(row["as_of_date"]) for row in rows] == ["2026-02-04", "2026-02-18"]
    assert gap.startswith("nyfed did not give SOMA by security of 2026-02-11: ")
    assert problem in gap


@pytest.mark.parametrize("odd", [{"soma": {"holdings": []}}, {"soma": {}}, "[]"])
def test_a_week_that_nobody_can_read_is_no_answer(make_fetch: MakeFetch, odd: Any) -> None:
    """Two such answers would otherwise prove to the archive that the Fed held nothing."""
    replies = {path(day): week(day) for day in WEEKS} | {path("2026-02-11"): odd}
    fetch = make_fetch(Canned(replies), *FEBRUARY, now=NOW)
    collect_soma_securities(fetch)
    assert [answer.path for answer in fetch.useless] == [f"/{path('2026-02-11')[6:]}"]
    assert len(fetch.gaps) == 1


def test_a_holding_that_cannot_be_read_is_left_out_and_named(make_fetch: MakeFetch) -> None:
    bad = holding("2026-02-11", "912797TZ0", coupon="Something Nobody Has Seen")
    three = [holding("2026-02-11", cusip) for cusip in ("912797TY3", "912797TX5")]
    rows, gaps = collect(make_fetch, w11=week("2026-02-11", bad, *three))
    assert len(rows) == 4
    (gap,) = gaps
    assert "soma_securities of 2026-02-11: left out" in gap
    assert "'coupon'" in gap


def test_weeks_that_fail_for_one_reason_share_a_line(make_fetch: MakeFetch) -> None:
    rows, (gap,) = collect(make_fetch, w04=DOWN, w11=DOWN)
    assert {str(row["as_of_date"]) for row in rows} == {"2026-02-18"}
    assert gap == (
        "nyfed did not give SOMA by security of 2 weeks, 2026-02-04 to 2026-02-11: "
        "no answer in time, after 5 attempts, at http://test; the next run asks again"
    )


def test_when_no_week_can_be_had_the_failure_is_raised(make_fetch: MakeFetch) -> None:
    with pytest.raises(TransientError):
        collect(make_fetch, w04=DOWN, w11=DOWN, w18=DOWN)
    with pytest.raises(UnexpectedPayloadError):
        collect(make_fetch, **{f"w{day[-2:]}": {"soma": {}} for day in WEEKS})


def test_before_the_first_public_week_nothing_is_asked(make_fetch: MakeFetch) -> None:
    transport = Canned({})
    now = datetime.fromisoformat("2026-02-03 03:00")
    rows = collect_soma_securities(make_fetch(transport, *FEBRUARY, now))["soma_securities"]
    assert (rows.num_rows, transport.asked) == (0, [])


@pytest.mark.replay
def test_the_recorded_history_has_no_holdings_by_security(
    replay: Callable[..., str], make_fetch: MakeFetch
) -> None:
    fetch = make_fetch(replay(), date(2025, 10, 1), date(2025, 10, 31))
    assert collect_soma_securities(fetch)["soma_securities"].num_rows == 0
    assert len(fetch.gaps) == 1


def test_the_recorded_rows_are_read(payloads: Path, make_fetch: MakeFetch) -> None:
    name = "soma_tsy_get_asof_2026-08-26__2of431rows.json"
    real = json.loads((payloads / "nyfed" / name).read_text())["soma"]
    # Two of 431 rows are not the hundred billion that a week has; the rest is one row here.
    rest = holding("2026-08-26", "912797ZZ9", parValue="400000000000")
    body = {"soma": {"holdings": [*real["holdings"], rest]}}
    august = (date(2026, 8, 26), date(2026, 8, 31))
    rows = collect_soma_securities(make_fetch(Canned({path("2026-08-26"): body}), *august))
    par = {
        row["cusip"]: row["par_usd_mn"]
        for row in validate(SOMA_SECURITIES, rows["soma_securities"]).to_pylist()
    }
    assert (par["912797TY3"], par["912810QT8"]) == (11980.8242, 31240.0)


@given(data=st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_answer_gives_rows_or_a_declared_failure(data: st.DataObject) -> None:
    day = "2026-02-04"
    body = data.draw(damaged(week(day, holding(day), holding(day, **TIPS))))
    if not is_json(body):
        return
    now = datetime.fromisoformat("2026-02-06 03:00")
    fetch = Fetch(
        Window(*FEBRUARY), now, UNIVERSE, Bytes(body)
    )  # fmt: skip
    outcome(
        lambda fetch: validate(SOMA_SECURITIES, collect_soma_securities(fetch)["soma_securities"]),
        fetch,
    )


def test_a_refusal_of_a_later_week_is_no_reason_to_drop_the_table(make_fetch: MakeFetch) -> None:
    rows, gaps = collect(make_fetch, w04=RejectedError("HTTP 400", publisher="nyfed", url=""))
    assert len(rows) == 2
    assert len(gaps) == 1
