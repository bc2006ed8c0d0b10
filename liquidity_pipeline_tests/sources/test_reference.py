"""The facts kept by hand: what is committed, and how a mistake in a file is reported."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.contracts.validation import validate
from liquidity_pipeline.settings import SettingsError, default_reference_dir
from liquidity_pipeline.sources.reference import read_policy_events, read_sign_conventions

HEADER = (
    "event_date,event_time,kind,subject,value,unit,effective_date,end_date,detail,source,evidence"
)
ROW = "2030-01-28,,fomc_decision,FOMC,,,,,,Federal Reserve Board,published"


def write(folder: Path, *lines: str, name: str = "mine.csv") -> Path:
    (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def events() -> list[dict]:
    return validate(POLICY_EVENTS, read_policy_events(default_reference_dir())).to_pylist()


def value(events: list[dict], kind: str, subject: str, event_date: date) -> float:
    (found,) = [
        e["value"]
        for e in events
        if (e["kind"], e["subject"], e["event_date"]) == (kind, subject, event_date)
    ]
    return found


def test_every_committed_fact_has_a_source_and_says_how_it_is_known(events):
    assert all(event["source"] for event in events)
    assert {event["evidence"] for event in events} == {"published", "derived", "remembered"}


@pytest.mark.parametrize(
    ("announced", "quarter", "borrowing", "cash"),
    [
        (date(2019, 4, 29), "2019Q3", 160, 85),
        (date(2020, 2, 3), "2020Q2", -56, 400),
        (date(2020, 5, 4), "2020Q2", 2999, 800),
        (date(2026, 2, 2), "2026Q1", 574, 850),
        (date(2026, 2, 2), "2026Q2", 109, 900),
        (date(2026, 8, 3), "2026Q4", 628, 850),
    ],
)
def test_the_refunding_estimates_are_treasurys(events, announced, quarter, borrowing, cash):
    assert value(events, "refunding_borrowing", quarter, announced) == borrowing
    assert value(events, "refunding_cash_balance", quarter, announced) == cash


def test_each_refunding_states_the_current_and_the_next_quarter(events):
    estimates = [event for event in events if event["kind"] == "refunding_cash_balance"]
    # 2018-10 to 2026-08 are 32 releases, one a quarter.
    assert set(Counter(event["event_date"] for event in estimates).values()) == {2}
    assert len(estimates) == 64
    # The release of early February speaks of the quarters that end in March and June.
    assert [e["effective_date"] for e in estimates if e["event_date"] == date(2026, 2, 2)] == [
        date(2026, 3, 31),
        date(2026, 6, 30),
    ]


def test_the_actual_balance_is_that_of_the_daily_statement(events):
    # Closes of 2021-09-30 and 2025-12-31: 215,160 and 872,853 USD mn.
    assert value(events, "quarter_end_cash", "2021Q3", date(2021, 11, 1)) == 215
    assert value(events, "quarter_end_cash", "2025Q4", date(2026, 2, 2)) == 873


def test_a_fact_is_known_at_its_hour_in_new_york(events):
    known = {(e["event_date"], e["kind"], e["subject"]): e["known_at"] for e in events}
    # A rate is announced at 14:00, estimates at 15:00; UTC is four hours ahead in summer, five in
    # winter.
    assert known[date(2025, 9, 17), "iorb_rate", "IORB"] == moment("2025-09-17 18:00")
    refunding = known[date(2026, 2, 2), "refunding_cash_balance", "2026Q1"]
    assert refunding == moment("2026-02-02 20:00")


def test_the_days_of_meetings_are_known_before_their_year(events):
    """The Fed publishes its meetings ahead, so that the coming one is not news on its day."""
    known = {e["event_date"]: e["known_at"] for e in events if e["kind"] == "fomc_decision"}
    assert known[date(2026, 12, 9)] == known[date(2026, 1, 28)] == moment("2026-01-01 05:00")
    assert all(e["value"] is None for e in events if e["kind"] == "fomc_decision")


def test_administered_rates_step_on_their_effective_day(events):
    rates = [e for e in events if e["kind"] == "iorb_rate" and e["subject"] == "IORB"]
    steps = {e["effective_date"]: e["value"] for e in rates}
    assert steps == {
        date(2024, 12, 19): 4.40,
        date(2025, 9, 18): 4.15,
        date(2025, 10, 30): 3.90,
        date(2025, 12, 11): 3.65,
        date(2026, 9, 17): 3.90,
    }


def test_the_rate_on_excess_reserves_ends_where_that_on_reserve_balances_begins(events):
    steps = [e for e in events if e["kind"] == "iorb_rate" and e["subject"] == "IOER"]
    before_september_2019 = [e for e in steps if e["effective_date"] <= date(2019, 9, 17)]
    assert before_september_2019[-1]["value"] == 2.10
    assert steps[-1]["end_date"] == date(2021, 7, 28)


def test_bill_purchases_are_told_apart_into_bought_and_implied(events):
    bought = [e for e in events if e["kind"] == "bill_purchase_window_bought"]
    implied = [e for e in events if e["kind"] == "bill_purchase_window_implied"]
    assert sum(e["value"] for e in bought) == pytest.approx(337.94)
    assert [e["value"] for e in implied] == [40, 40, 40, 40, 25, 10, 10, 10]
    assert {e["evidence"] for e in bought + implied} == {"derived"}
    # A sum over a window is known when the window is over.
    assert all(e["event_date"] == e["end_date"] for e in bought)


def test_debt_limit_states_do_not_overlap(events):
    states = sorted(
        (e["effective_date"], e["end_date"] or date.max, e["subject"])
        for e in events
        if e["kind"] == "debt_limit_state"
    )
    for (_, end, _), (start, _, _) in pairwise(states):
        assert end < start
    assert (date(2025, 1, 2), date(2025, 7, 3), "binding") in states


def test_a_user_adds_a_file_without_touching_code(tmp_path: Path):
    write(tmp_path, HEADER, ROW)
    # Another order of columns, and the mark that a spreadsheet leaves at the start.
    names = HEADER.split(",")
    cells = ROW.replace("2030-01-28", "2030-03-20").replace("FOMC,,", "FOMC,1.5,percent")
    write(
        tmp_path,
        "\ufeff" + ",".join(reversed(names)),
        ",".join(reversed(cells.split(","))),
        "",
        name="more.csv",
    )
    write(tmp_path, "component,weight", "tga,1", name="unrelated.csv")
    rows = validate(POLICY_EVENTS, read_policy_events(tmp_path)).to_pylist()
    assert [(row["event_date"], row["value"]) for row in rows] == [
        (date(2030, 1, 28), None),
        (date(2030, 3, 20), 1.5),
    ]
    # Without an hour the end of New York's day is taken: 16:00, in summer 20:00 UTC.
    assert rows[1]["known_at"] == moment("2030-03-20 20:00")


@pytest.mark.parametrize(
    ("row", "column", "expected"),
    [
        (
            ROW.replace("2030-01-28", "28.1.2030"),
            "event_date",
            "a day as YYYY-MM-DD; got '28.1.2030'",
        ),
        (ROW.replace("28,,", "28,2pm,"), "event_time", "a New York time as HH:MM"),
        (ROW.replace("FOMC,,", 'FOMC,"1,000",'), "value", "a number without thousands separators"),
        (ROW.replace("FOMC,,", "FOMC,5,"), "unit", "some text"),
        (ROW.replace("Federal Reserve Board", ""), "source", "some text"),
        (ROW.replace("published", "sure"), "evidence", "one of published, derived, remembered"),
    ],
)
def test_a_mistake_is_reported_with_file_line_and_column(tmp_path: Path, row, column, expected):
    write(tmp_path, HEADER, ROW, row)
    with pytest.raises(SettingsError) as error:
        read_policy_events(tmp_path)
    assert f"mine.csv, line 3, {column}: expected {expected}" in str(error.value)


def test_the_same_fact_twice_names_both_places(tmp_path: Path):
    write(tmp_path, HEADER, ROW)
    write(tmp_path, HEADER, ROW, name="other.csv")
    with pytest.raises(SettingsError, match=r"other\.csv, line 2.*mine\.csv line 2"):
        read_policy_events(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path):
    write(tmp_path, HEADER.replace(",evidence", ""), ROW)
    with pytest.raises(SettingsError, match=r"mine\.csv, line 1: expected the columns .*evidence"):
        read_policy_events(tmp_path)


def test_an_unquoted_comma_is_explained(tmp_path: Path):
    write(tmp_path, HEADER, ROW.replace("Federal Reserve Board", "Board, Washington"))
    with pytest.raises(SettingsError, match="line 2: expected 11 cells, got 12; put double quotes"):
        read_policy_events(tmp_path)


def test_a_folder_that_is_not_there_says_which_setting_names_it(tmp_path: Path):
    with pytest.raises(SettingsError, match="LIQUIDITY_REFERENCE_DIR"):
        read_policy_events(tmp_path / "nowhere")


def test_the_committed_signs_keep_both_conventions_apart():
    rows = read_sign_conventions(default_reference_dir()).to_pylist()
    signs = {(row["convention"], row["component"]): row["sign"] for row in rows}
    assert len(signs) == len(rows) == 14
    # The accounting: proceeds of a settlement are inside the TGA; the Fed's assets are split into
    # bill purchases and the rest, and both add reserves.
    assert signs["reserves", "settlement"] == 0
    assert signs["reserves", "fed_bill_purchases"] == signs["reserves", "fed_other_assets"] == -1
    liabilities = ("tga", "on_rrp", "foreign_rrp", "other_liabilities")
    assert [signs["reserves", name] for name in liabilities] == [1] * 4
    # The commentary: settlements drain, and bill purchases tighten.
    counted = {
        name for (convention, name), sign in signs.items() if convention == "headline" and sign
    }
    assert counted == {"settlement", "fed_bill_purchases"}
    assert signs["headline", "settlement"] == signs["headline", "fed_bill_purchases"] == 1


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["tga,reserves,2,"], r"line 2, sign: expected one of -1, 0, 1; got '2'"),
        (["tga,press,1,"], r"line 2, convention: expected one of reserves, headline"),
        (["tga,reserves,1,", "tga,reserves,1,"], r"line 3, component: expected one row for 'tga'"),
        (["tga,reserves,1,"], r"'tga' has no row for the convention 'headline'"),
    ],
)
def test_signs_that_contradict_or_miss_one_another_are_refused(tmp_path: Path, lines, problem):
    write(tmp_path, "component,convention,sign,note", *lines, name="sign_conventions.csv")
    with pytest.raises(SettingsError, match=problem):
        read_sign_conventions(tmp_path)
