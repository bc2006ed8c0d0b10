"""The model: each figure is its query, nothing is undated, and nothing unknown looks known."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import duckdb
import pytest

from liquidity_pipeline.brief.compute import compute
from liquidity_pipeline.brief.model import Brief
from liquidity_pipeline.brief.queries import FOLDER, query
from liquidity_pipeline.brief.render import to_html, to_markdown
from liquidity_pipeline.models.statements import literal, statements, tables
from liquidity_pipeline.storage.warehouse import reading
from liquidity_pipeline_tests.brief.parts import walk
from liquidity_pipeline_tests.campaign_briefs import leaks

READ = sorted(
    {name for sql in statements(FOLDER).values() for name in tables(sql)} - {"meta.publication"}
)

ENDED = "because the newest evaluation is of {date}. Cause: {why}."


def blocks(brief: Brief, kind: str) -> list[Any]:
    return [b for section in brief["sections"] for b in section["blocks"] if b["kind"] == kind]


@contextmanager
def undone(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Undo, after the block, what it changes in the tables."""
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


def test_every_figure_is_what_its_query_gives(brief, published):
    for figure in brief["figures"].values():
        rows = published.execute(figure["query"]).fetchall()
        found = rows[0][0] if rows else None
        assert found == figure["value"] or found == pytest.approx(figure["value"], rel=1e-12), (
            figure
        )


def test_the_data_of_every_chart_are_what_its_query_gives(brief, published):
    for chart in blocks(brief, "chart"):
        answer = published.execute(chart["query"])
        names = [column[0] for column in answer.description]
        rows = [dict(zip(names, row, strict=True)) for row in answer.fetchall()]
        assert len(rows) == len(chart["data"])
        for row, drawn in zip(rows, chart["data"], strict=True):
            for name, value in row.items():
                plain = value.isoformat() if isinstance(value, date) else value
                # The model keeps six digits of a chart.
                near = pytest.approx(plain, rel=1e-5) if isinstance(plain, float) else plain
                assert drawn[name] == near, (chart["id"], name)


def test_the_dashboard_shows_the_vitals_of_the_brief(brief, published):
    shown = set(published.execute("select value, date from bi.dashboard").fetchall())
    (vitals,) = (block for block in blocks(brief, "table") if block["id"] == "vitals")
    for row in vitals["rows"]:
        figures = [brief["figures"][cell["figure"]] for cell in row["cells"] if "figure" in cell]
        if (value := figures[0]["value"]) is not None:
            assert (value, date.fromisoformat(figures[0]["date"])) in shown, figures[0]["id"]


def test_the_file_holds_the_same_figures(brief, published):
    held = published.execute(
        "select id, value, unit, date, query from meta.brief_figures order by id"
    ).fetchall()
    assert held == [
        (
            name,
            figure["value"],
            figure["unit"],
            date.fromisoformat(figure["date"]) if figure["date"] else None,
            figure["query"],
        )
        for name, figure in sorted(brief["figures"].items())
    ]
    assert len(held) > 200


def test_every_figure_says_when_where_and_why_not(brief):
    for figure in brief["figures"].values():
        assert figure["sources"], figure["id"]
        if figure["value"] is None:
            assert figure["reason"]["message"], figure["id"]
        else:
            assert figure["date"], figure["id"]


def test_every_table_names_a_day_in_its_title(brief):
    found = blocks(brief, "table")
    assert len(found) >= 9
    for table in found:
        assert any("date" in part for part in walk(table["title"])), table["id"]


def test_every_chart_says_how_far_it_reaches(brief):
    for chart in blocks(brief, "chart"):
        assert chart["through"] <= "2026-03-06", chart["id"]
        assert chart["data"], chart["id"]
        if chart["id"] != "settlements":
            assert chart["through"] <= brief["publication"]["as_of"], chart["id"]


def test_a_sandbox_brief_has_all_that_the_sandbox_knows(brief):
    for name in (
        "reserve_drain",
        "net_bills",
        "tga",
        "sofr_iorb",
        "stress",
        "commentary.net_bills",
    ):
        assert brief["figures"][name]["value"] is not None, name
    assert brief["publication"]["is_synthetic"]
    assert brief["verdict"]["confidence"] in ("high", "medium", "low")


def test_the_verdict_is_low_on_confidence_without_the_drain(copied):
    with emptied(copied, "marts.reserve_drains"):
        brief = compute(copied)
    assert brief["verdict"]["confidence"] == "low"
    assert "not known" in brief["verdict"]["statement"]["args"]["drain"]["message"]


def test_confidence_is_not_high_where_the_season_has_no_band(copied):
    """An expected drain without a band is no season to compare with, as the headline says."""
    with undone(copied):
        copied.execute("delete from marts.drain_seasonality")
        copied.execute(
            "insert into marts.drain_seasonality by name select 'drain_reserves' as component, "
            "week_ending, drain_reserves_usd_mn as actual_usd_mn, 1.0 as expected_usd_mn, "
            "known_at, 200 as n_obs from marts.reserve_drains"
        )
        verdict = compute(copied)["verdict"]
    assert "usual for the season" in verdict["statement"]["args"]["drain"]["message"]
    assert verdict["confidence"] != "high"


def test_no_flags_is_not_calm(copied):
    with emptied(copied, "marts.stress_flags"):
        brief = compute(copied)
    assert brief["verdict"]["tone"] == "unknown"
    assert "flags.raised" not in brief["figures"]
    (told,) = [b for b in blocks(brief, "statement") if b["id"] == "flags"]
    assert told["tone"] == "unknown"
    assert (
        "Whether any stress indicator is active: not known, because marts.stress_flags holds no"
        in (to_markdown(brief, "en"))
    )


def test_no_flags_are_not_the_fault_of_one_input(copied):
    """Of all gauges only one rests on bitcoin: its outage is not why the others are not known."""
    with undone(copied):
        copied.execute("delete from marts.stress_flags")
        copied.execute(
            "update meta.coverage set known_from = null, known_through = null, reason = 'no row is "
            "held: the fetch of 2026-02-06 lacked it: coinbase: expected JSON, got no connection' "
            "where entity = 'BTC'"
        )
        page = to_markdown(compute(copied), "en", footnotes=False)
    why = "not known, because no gauge has three years of known inputs"
    assert f"Whether any stress indicator is active: {why}" in page
    assert f"whether any gauge is under stress is {why}" in page
    assert "Never served in this record" not in page
    assert "the request of 6 Feb 2026 failed with no connection" in page


def test_old_flags_are_not_calm_either(copied):
    with undone(copied):
        copied.execute("update marts.stress_flags set date = date - 200, next_due_at = date - 198")
        brief = compute(copied)
    assert brief["verdict"]["tone"] == "unknown"
    (told,) = [b for b in blocks(brief, "statement") if b["id"] == "flags"]
    assert told["message"]["message"].endswith(ENDED)


@pytest.mark.parametrize(
    ("table", "column", "told"),
    [("stress_index", "date", "index"), ("drain_episode_weeks", "week_ending", "episode")],
)
def test_what_ended_long_ago_is_no_state_of_today(copied, table, column, told):
    with undone(copied):
        copied.execute(f"update marts.{table} set {column} = {column} - 200")
        brief = compute(copied)
    (block,) = [b for b in blocks(brief, "statement") if b["id"] == told]
    assert block["tone"] == "unknown"
    assert block["message"]["message"].endswith(ENDED)


class emptied:  # noqa: N801 - reads as a context
    """Take all rows out of a table, until the block ends."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, table: str) -> None:
        self.connection, self.table = connection, table

    def __enter__(self) -> None:
        self.connection.execute(f"create table kept as from {self.table}")
        self.connection.execute(f"create or replace table {self.table} as from kept limit 0")

    def __exit__(self, *_: object) -> None:
        self.connection.execute(f"create or replace table {self.table} as from kept")
        self.connection.execute("drop table kept")


@pytest.mark.parametrize("table", READ)
def test_without_a_table_every_figure_is_as_before_or_unknown_or_absent(brief, copied, table):
    with emptied(copied, table):
        poorer = compute(copied)
        pages = [to_markdown(poorer, language) for language in ("en", "zh")]
    for name, figure in poorer["figures"].items():
        if figure["value"] is None:
            continue
        assert table not in figure["sources"], f"{name} has a value without {table}"
        before = brief["figures"].get(name)
        if before is not None and before["query"] == figure["query"]:
            assert figure["value"] == pytest.approx(before["value"], rel=1e-12), name
    calm = [b["id"] for b in blocks(poorer, "statement") if b["tone"] == "calm"]
    assert set(calm) <= {b["id"] for b in blocks(brief, "statement") if b["tone"] == "calm"}
    assert all(len(page) > 1000 for page in pages)


def test_a_page_without_any_mart_says_so_and_draws_nothing(copied):
    marts = [name for name in READ if name.startswith("marts.")]
    held = [emptied_all(copied, marts)]
    try:
        brief = compute(copied)
        page = to_html(brief, "en")
    finally:
        held[0]()
    assert "<svg" not in page
    assert page.count("Not drawn, because there are no data.") == 7
    # That the sources are current is known from another table.
    assert {b["id"] for b in blocks(brief, "statement") if b["tone"] == "calm"} <= {"stale"}


def emptied_all(connection: duckdb.DuckDBPyConnection, names: list[str]) -> Any:
    stack = []
    for position, name in enumerate(names):
        connection.execute(f"create table kept{position} as from {name}")
        connection.execute(f"create or replace table {name} as from kept{position} limit 0")
        stack.append((position, name))

    def restore() -> None:
        for position, name in stack:
            connection.execute(f"create or replace table {name} as from kept{position}")
            connection.execute(f"drop table kept{position}")

    return restore


def test_a_value_in_a_query_is_a_literal_and_nothing_else():
    assert literal("o'clock; drop") == "'o''clock; drop'"
    assert literal(date(2026, 2, 6)) == "date '2026-02-06'"
    assert literal(None) == "null::date"
    with pytest.raises(TypeError):
        literal([1])
    with pytest.raises(KeyError):
        query("value", series="series_tga")


def test_a_kept_brief_can_be_read_again(brief, briefed):
    (kept,) = briefed.settings.briefs_dir.glob("*.json*")
    assert kept.name == "2026-02-06.json.gz"
    again = json.loads(gzip.decompress(kept.read_bytes()))
    assert again["figures"].keys() == brief["figures"].keys()
    assert to_markdown(again, "zh") == to_markdown(brief, "zh")


def test_a_past_day_has_no_figure_from_later(briefed):
    """Slow: builds all marts again, as of a day three weeks before. The campaign takes 24 days."""
    day = date(2026, 1, 16)
    before = briefed.settings.published_file.stat().st_mtime_ns
    brief = briefed.brief_as_of(day)
    assert leaks(brief, day) == []
    assert briefed.settings.published_file.stat().st_mtime_ns == before
    kept = [path.name for path in briefed.settings.briefs_dir.glob("*.json*")]
    assert kept == ["2026-02-06.json.gz"]
    with reading(briefed.settings.published_file) as file:
        # What was published by then stands in the file of today too, unless it was revised.
        value = brief["figures"]["reserve_drain"]
        assert file.execute(value["query"]).fetchall() == [(value["value"],)]


def test_what_is_from_later_is_found(brief):
    """The judge of the test above finds a figure, a chart's row and a sentence of later."""
    day = date(2026, 2, 6)
    assert leaks(brief, day) == []
    assert leaks(brief, date(2026, 2, 5))
    later = json.loads(json.dumps(brief))
    later["figures"]["reserve_drain"]["date"] = "2026-02-07"
    later["sections"][1]["blocks"][0].setdefault("args", {})["day"] = {"date": "2026-02-07"}
    chart = next(b for b in blocks(later, "chart") if b["id"] == "tga")
    chart["data"][-1]["date"] = "2026-02-07"
    assert len(leaks(later, day)) == 3


@pytest.mark.parametrize(
    ("as_of", "listed", "unlisted"),
    [
        # The next meeting is on 18 March, after the four weeks; the refunding was on 4 February.
        ("2026-02-06", ["2026-02-27"], ["2026-03-18"]),
        ("2026-02-20", ["2026-03-16", "2026-03-18"], []),
        # First Wednesday of May; April's tax day.
        ("2026-04-10", ["2026-04-15", "2026-04-29", "2026-05-06"], []),
    ],
)
def test_meetings_tax_days_and_refunding_are_seen_coming(copied, as_of, listed, unlisted):
    with undone(copied):
        copied.execute("update meta.publication set as_of = ?::date", [as_of])
        brief = compute(copied)
    (table,) = [b for b in blocks(brief, "table") if b["id"] == "dates"]
    dates = [part["date"] for part in walk(table["rows"]) if "date" in part]
    named = {day for day in dates if isinstance(day, str)}
    assert set(listed) <= named
    assert not set(unlisted) & named
    assert not [part for part in walk(table["rows"]) if part.get("message") == "no date stored"]


def test_what_has_no_day_has_no_age() -> None:
    """greatest() passes over NULL, and would make an unknown age zero."""
    with duckdb.connect() as connection:
        connection.execute("create schema meta")
        connection.execute("create table meta.publication as select date '2026-02-06' as as_of")
        ((unknown,),) = connection.execute(query("age", date=None)).fetchall()
        ((known,),) = connection.execute(query("age", date=date(2026, 2, 1))).fetchall()
    assert (unknown, known) == (None, 5)


def test_slopes_whose_corrected_p_value_is_not_known_are_not_counted_as_none() -> None:
    def found(*adjusted: float | None) -> int | None:
        with duckdb.connect() as connection:
            connection.execute("create schema marts")
            connection.execute(
                "create table marts.liquidity_sensitivity as "
                "select date '2026-01-28' as as_of, 'reserve_drain' as driver, 'asset' as scope, "
                "'trailing_156w' as window_name, unnest(?::double[]) as p_value_adjusted",
                [list(adjusted)],
            )
            sql = query("slopes_found", date=date(2026, 1, 28))
            (count,) = connection.execute(sql).fetchone() or (None,)
            return count

    assert found(0.01, 0.2, 0.04) == 2
    assert found(0.3, 0.2) == 0
    assert found(None, None) is None
    assert found(0.01, None) is None


def test_a_source_of_events_that_was_not_answered_is_behind() -> None:
    with duckdb.connect() as connection:
        connection.execute("create schema meta")
        connection.execute(
            "create table meta.freshness as select * from (values "
            "('tga_balance', 0), ('index_prices', 2), ('debt_settlements', 0)"
            ") as t(table_name, days_behind)"
        )
        connection.execute(
            "create table meta.coverage as select * from (values "
            "('tga_balance', date '2026-02-05', date '2026-02-05'), "
            "('index_prices', date '2026-02-04', date '2026-02-06'), "
            "('debt_settlements', date '2025-11-07', date '2026-02-06')"
            ") as t(table_name, known_through, expected_through)"
        )
        assert connection.execute(query("sources_behind")).fetchone() == (2,)


def test_a_coming_day_adds_up_what_adds_up_and_nothing_else() -> None:
    # Notes of 30 and bonds of 10: their effect of 4 bp is that of the day, in the row of each. On
    # another day the bills are announced, and what the public pays of the notes is not known. On a
    # third bills are announced, while 70 of notes mature whose successors are not.
    day, other, third = date(2026, 2, 17), date(2026, 2, 18), date(2026, 2, 19)
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute("create schema meta")
        connection.execute("create table meta.publication as select date '2026-02-13' as as_of")
        connection.execute(
            "create table marts.settlement_outlook as select *, 0 as scheduled_issues from (values "
            "(?::date, 'note', 30.0, 30.0, 4.0, 0.0, 0.0), "
            "(?::date, 'bond', 10.0, 10.0, 4.0, 0.0, 0.0), "
            "(?::date, 'bill', 5.0, 5.0, null, 0.0, 0.0), "
            "(?::date, 'note', null, null, null, 0.0, 0.0), "
            "(?::date, 'bill', 7.0, 7.0, null, 0.0, 0.0), "
            "(?::date, 'note', null, 1.0, null, 70.0, 71.0)) as t("
            "settlement_date, security_class, net_public_usd_mn, net_public_expected_usd_mn, "
            "funding_effect_bp, refinancing_usd_mn, expected_issues_usd_mn)",
            [day, day, other, other, third, third],
        )

        def told(name: str, column: str, of: date | None = None) -> float | None:
            places: dict[str, object] = {"column": column} | ({"date": of} if of else {})
            (found,) = connection.execute(query(name, **places)).fetchone() or (None,)
            return found

        net, expected = "net_public_usd_mn", "net_public_expected_usd_mn"
        assert told("coming_day_effect", "funding_effect_bp", day) == 4
        assert told("coming_day_effect", "funding_effect_bp", other) is None
        assert [told("coming_day_net", net, each) for each in (day, other, third)] == [40, None, 7]
        assert told("coming_day", expected, day) == 40
        assert told("coming_day", expected, other) is None
        assert told("coming_total", net) is None
        connection.execute(
            "delete from marts.settlement_outlook where settlement_date = ?", [other]
        )
        assert told("coming_total", net) == 47


def test_a_flag_of_which_a_newer_one_is_due_is_neither_active_nor_calm(copied):
    """A severe flag of Wednesday, with Thursday's due: on Friday it is told with its day."""
    with undone(copied):
        copied.execute("update marts.stress_flags set level = 'normal'")
        before = compute(copied)["figures"]["flags.evaluated"]["value"]
        copied.execute(
            "update marts.stress_flags set date = date '2026-02-04', level = 'severe', "
            "next_due_at = timestamp '2026-02-06 21:30' where indicator = 'sofr_iorb_bp' "
            "and date = (select max(date) from marts.stress_flags "
            "where indicator = 'sofr_iorb_bp')"
        )
        copied.execute(
            "delete from marts.stress_flags where indicator = 'sofr_iorb_bp' "
            "and level = 'normal' and date >= date '2026-02-04'"
        )
        brief = compute(copied)
    assert brief["figures"]["flags.evaluated"]["value"] == before - 1
    assert brief["figures"]["flags.raised"]["value"] == 0
    assert brief["verdict"]["tone"] == "unknown"
    text = " ".join(to_markdown(brief, "en").split())
    assert "SOFR over IORB (severe on 4 Feb 2026)" in text
    assert "not known, the highest of which was last at severe." in text or (
        "1 other is not known and was last at severe." in text
    )
    assert "SOFR 减 IORB，2026年2月4日为“" in to_markdown(brief, "zh")


def test_a_gauge_that_was_never_evaluated_is_named(copied):
    with undone(copied):
        copied.execute("delete from marts.stress_flags where indicator = 'sofr_iorb_bp'")
        brief = compute(copied)
    (told,) = [b for b in blocks(brief, "statement") if b["id"] == "flags_never"]
    assert "SOFR over IORB" in json.dumps(told["message"])
    assert "never been evaluated" in to_markdown(brief, "en")


def test_a_settled_week_without_coupons_settled_none_of_them() -> None:
    """Bills of 100 alone in the second week; of the third week the total is not known."""
    with duckdb.connect() as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.weekly_settlements as select *, true as is_settled from (values "
            "(date '2026-07-27', 'bills', 50.0), (date '2026-07-27', 'coupons', -1.0), "
            "(date '2026-07-27', 'all', 49.0), (date '2026-08-03', 'bills', 100.0), "
            "(date '2026-08-03', 'all', 100.0), (date '2026-08-10', 'all', null)"
            ") as t(week_start, security_class, net_usd_mn)"
        )
        sql = f"{query('series_net_coupons')} order by date"
        assert [value for _, value in connection.execute(sql).fetchall()] == [-1, 0, None]


def test_the_verdict_counts_the_indicators_that_are_not_known(copied):
    with undone(copied):
        copied.execute("delete from marts.stress_flags where segment = 'funding'")
        copied.execute("update marts.stress_flags set level = 'normal'")
        brief = compute(copied)
        gone = copied.execute("select count(distinct indicator) from marts.stress_flags").fetchone()
    (seen,) = gone
    strain = brief["verdict"]["statement"]["args"]["strain"]
    # The method has fourteen indicators.
    assert strain["n"] == 14 - seen > 0
    assert brief["verdict"]["tone"] == "unknown"
    others = f"{14 - seen} others are not known."
    assert others in to_markdown(brief, "en")


@pytest.fixture
def down(copied: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """The New York Fed failed on 6 February, and the price of a fund was never served."""
    with undone(copied):
        copied.execute(
            "update meta.coverage set known_through = date '2026-01-26', reason = "
            "'ends on 2026-01-26: fetch failed on 2026-02-06: nyfed: expected JSON, got HTTP 500' "
            "where table_name in ('fed_operations', 'reference_rates')"
        )
        copied.execute(
            "update meta.coverage set known_from = null, known_through = null, "
            "reason = 'no row is held: the fetch of 2026-02-06 lacked it: QUAL: not there' "
            "where entity = 'QUAL'"
        )
        yield copied


def test_the_section_on_what_is_missing_names_what_failed_before_what_never_was(down):
    brief = compute(down)
    (table,) = [block for block in blocks(brief, "table") if block["id"] == "stale"]
    assert [row["cells"][1] for row in table["rows"]] == [{"date": "2026-01-26"}] * 2
    page = to_markdown(brief, "en", footnotes=False)
    assert (
        "| Fed purchases and sales of Treasuries | 26 Jan 2026 | 6 Feb 2026 | "
        "the request of 6 Feb 2026 failed with HTTP 500 |"
    ) in page
    assert "Never served in this record: prices of indices and funds (QUAL)." in page


def test_a_reason_names_the_input_that_the_figure_rests_on(down):
    from liquidity_pipeline.brief.book import Book

    book = Book(down)

    def inputs(tables: list[str], *about: str) -> list[tuple[str, ...]]:
        return [(b.table, *b.entities) for b in book._inputs_behind(tables, frozenset(about))]

    assert inputs(["marts.asset_returns"], "QUAL") == [("index_prices", "QUAL")]
    assert inputs(["marts.stress_flags"], "reference_rates/SOFR") == [("reference_rates", "SOFR")]
    # The components of a drain rest on the Fed's purchases; no price has a part in them.
    assert ("fed_operations", "") in inputs(["marts.weekly_drains"])
    assert "index_prices" not in {name for name, *_ in inputs(["marts.weekly_drains"])}


def test_what_is_not_announced_yet_is_no_fault_of_an_input(down):
    """Bills are announced a few days ahead: of those that mature in four weeks no net is known."""
    brief = compute(down)
    (table,) = [block for block in blocks(brief, "table") if block["id"] == "calendar"]
    last = table["rows"][-1]
    (net,) = [cell["figure"] for cell in last["cells"] if cell.get("figure", "").endswith(".net")]
    assert brief["figures"][net]["value"] is None
    assert brief["figures"][net]["reason"]["message"].endswith(
        "not all new issues are announced yet"
    )


def test_a_table_says_below_itself_why_figures_in_it_are_not_known(down):
    down.execute(
        "update marts.asset_returns set return_5d_new_york_pct = null where asset = 'QUAL'"
    )
    brief = compute(down)
    (table,) = [block for block in blocks(brief, "table") if block["id"] == "assets"]
    assert "unknown" in table
    assert (
        "n/k, not known: nothing was ever served of prices of indices and funds (QUAL)"
    ) in to_markdown(brief, "en", footnotes=False)
