"""All marts on the recorded history: what they know of it, and that no run looks ahead.

Slow are the runs as of a past day: each builds every mart again, which is the promise that is
tested. Eight of the 24 days are in every test run, the others in the campaigns.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.storage.lake import Lake
from liquidity_pipeline_tests.models.as_of import compact, compare_as_of, differences, marts_as_of

pytestmark = [pytest.mark.replay, pytest.mark.slow]

TODAY = date(2026, 8, 21)
# Every ten to eleven months, moved by a few days each so that all weekdays, quarter-ends, holidays
# and the middle of known episodes occur.
DAYS = """
    2006-09-29 2007-08-10 2008-09-15 2009-03-08 2010-05-06 2011-08-05 2012-06-30 2013-10-16
    2014-12-31 2015-08-24 2016-04-18 2017-07-04 2018-02-06 2018-12-31 2019-09-17 2020-03-16
    2020-11-11 2021-12-31 2022-06-15 2023-06-03 2024-02-29 2024-08-05 2025-10-31 2026-03-20
"""
# Of each kind at least one: Monday to Sunday, a quarter-end, a holiday of all markets and one of
# banks alone, three crises, a leap day, and the newest, which has the most rows to compare.
IN_EVERY_RUN = """
    2008-09-15 2009-03-08 2012-06-30 2017-07-04 2019-09-17 2020-11-11 2024-02-29 2026-03-20
"""


@dataclass(frozen=True)
class History:
    """The replay's lake, one file per source, and every mart of the full run."""

    settings: Settings
    files: dict[str, list[Path]]
    marts: dict[str, pa.Table]


@pytest.fixture(scope="module")
def history(recorded: Settings, tmp_path_factory: pytest.TempPathFactory) -> History:
    files = compact(Lake(recorded.lake_dir), tmp_path_factory.mktemp("compact"))
    return History(recorded, files, marts_as_of(TODAY, recorded, files))


@pytest.mark.parametrize(
    "day",
    [
        day if day in IN_EVERY_RUN.split() else pytest.param(day, marks=pytest.mark.campaign)
        for day in DAYS.split()
    ],
)
def test_no_run_as_of_a_past_day_differs_from_the_full_run(history: History, day: str) -> None:
    then = date.fromisoformat(day)
    found = compare_as_of(history.marts, then, history.settings, history.files)
    assert not found, "\n".join(found)


def test_the_comparison_would_see_a_rewritten_past(history: History) -> None:
    full = history.marts["stress_flags"]
    day = date(2019, 9, 17)
    end = full["known_at"].to_pylist()[-1]
    level = full.schema.get_field_index("level")
    other = full.set_column(level, "level", pa.array(["normal"] * full.num_rows))
    table = MART_TABLES["stress_flags"]
    assert differences(table, full, full, day, end) == ""
    assert "level in" in differences(table, full, other, day, end)
    assert "rows, then" in differences(table, full, full.slice(1), day, end)


def flags(history: History, first: str, last: str, segment: str) -> list[dict]:
    rows = history.marts["stress_flags"]
    start, end = date.fromisoformat(first), date.fromisoformat(last)
    inside = pc.and_(pc.greater_equal(rows["date"], start), pc.less_equal(rows["date"], end))
    return rows.filter(pc.and_(inside, pc.equal(rows["segment"], segment))).to_pylist()


def alarms(rows: list[dict]) -> set[date]:
    return {row["date"] for row in rows if row["level"] in ("stress", "severe")}


def test_september_2019_is_severe_in_funding_and_not_before_the_16th(history: History) -> None:
    rows = flags(history, "2018-04-03", "2019-09-17", "funding")
    severe = {row["date"] for row in rows if row["level"] == "severe"}
    assert date(2019, 9, 17) in severe
    assert min(severe) >= date(2019, 9, 16)
    spread = [r for r in rows if r["indicator"] == "sofr_iorb_bp" and r["date"] in severe]
    assert spread[-1]["value"] == pytest.approx((5.25 - 2.10) * 100)  # SOFR less IOER that day


def test_march_2020_is_severe_in_the_index_and_in_four_segments(history: History) -> None:
    index = history.marts["stress_index"].to_pylist()
    severe = {row["date"] for row in index if row["level"] == "severe"}
    assert severe & {date(2020, 3, 1) + timedelta(n) for n in range(31)}
    for segment in ("funding", "equity", "crypto", "credit"):
        rows = flags(history, "2020-03-01", "2020-03-31", segment)
        assert "severe" in {row["level"] for row in rows}


def test_a_tax_date_is_small_beside_repo_in_2019_and_the_pandemic(history: History) -> None:
    rows = {row["date"]: row for row in history.marts["stress_index"].to_pylist()}
    tax = max(row["index_value"] for day, row in rows.items() if (day.year, day.month) == (2018, 4))
    repo, pandemic = rows[date(2019, 9, 18)], rows[date(2020, 3, 16)]
    assert {repo["level"], pandemic["level"]} == {"severe"}
    assert tax < min(repo["index_value"], pandemic["index_value"]) / 4
    assert all(row["rank"] is not None and row["segments"] for row in rows.values())


def test_the_rebuild_of_the_tga_in_2023_is_a_drain(history: History) -> None:
    found = alarms(flags(history, "2023-06-05", "2023-08-31", "drain"))
    assert found
    assert min(found) < date(2023, 7, 1)


def test_late_2025_is_stress_in_funding_in_every_month(history: History) -> None:
    found = alarms(flags(history, "2025-10-15", "2025-12-30", "funding"))
    assert {day.month for day in found} == {10, 11, 12}


def test_no_month_end_raises_a_flag(history: History) -> None:
    rows = history.marts["stress_flags"].to_pylist()
    assert all(row["state"] == "calendar" for row in rows if row["is_calendar_day"])
    assert all(row["state"] != "calendar" for row in rows if not row["is_calendar_day"])
    year_ends = history.marts["stress_scores"].filter(pc.field("episode_kind") == "calendar")
    # Around a year-end a flag may go up, but not on the last or first bond-market day.
    turns = {(row["indicator"], row["date"]) for row in rows if row["is_calendar_day"]}
    raised = {(row["gauge"], row["first_alarm"]) for row in year_ends.to_pylist()}
    assert not raised & turns
    explained = [r for r in rows if r["calendar_explained"] and r["date"] == date(2018, 12, 31)]
    assert {row["segment"] for row in explained} <= {"funding", "drain", "reserves"}


def test_misses_are_published(history: History) -> None:
    scores = history.marts["stress_scores"].to_pylist()
    missed = {
        r["episode"] for r in scores if r["gauge_kind"] == "index" and r["outcome"] == "missed"
    }
    assert "regional banks 2023" in missed


def test_every_gauge_has_its_correlation_with_the_ofr_index(history: History) -> None:
    rows = history.marts["stress_gauges"].to_pylist()
    last = [row for row in rows if row["as_of"] == date(2026, 6, 30)]
    assert len(last) > 15
    assert all(row["level_correlation"] is not None for row in last)
    assert all(row["change_n_obs"] >= row["level_n_obs"] - 5 for row in last)
