"""The steps of the pipeline on the recorded history: published figures, ties, point in time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from liquidity_pipeline import calendars
from liquidity_pipeline.brief.render import to_markdown
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.meta import PUBLICATION_TABLES, REFERENCE_TABLES
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.contracts.sources.policy import POLICY_EVENTS
from liquidity_pipeline.contracts.sources.treasury import TGA_BALANCE
from liquidity_pipeline.models import catalogue, engine
from liquidity_pipeline.models.reconciliations.reconciliation import (
    RECONCILIATIONS,
    ReconciliationResult,
)
from liquidity_pipeline.pipeline import Pipeline
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.fetch import Window
from liquidity_pipeline.storage import warehouse
from liquidity_pipeline.storage.warehouse import PublicationError
from liquidity_pipeline_tests.filling import build, fill

TODAY = date(2026, 7, 10)
# Long enough for a year of ranks, and for Good Friday and the day for 4 July of 2026.
WINDOW = Window.of_months(date(2024, 12, 1), TODAY)


@pytest.fixture(scope="session")
def pipeline(replay: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    """All sources of the window and all marts, from the recorded history. Takes about 15 s."""
    folder = tmp_path_factory.mktemp("replay")
    settings = Settings(data_dir=folder, endpoints=replay(str(TODAY)), as_of=TODAY)
    return build(fill(Pipeline(settings), WINDOW))


def rows(pipeline: Pipeline, mart: str, **where: object) -> list[dict[str, object]]:
    found = pipeline.marts.read(MART_TABLES[mart]).to_pylist()
    return [row for row in found if all(row[key] == value for key, value in where.items())]


@pytest.mark.replay
def test_the_week_of_the_headline_settled_64_billion_of_bills(pipeline: Pipeline) -> None:
    (week,) = rows(
        pipeline, "weekly_settlements", week_start=date(2026, 2, 2), security_class="bill"
    )
    assert week["net_usd_mn"] == pytest.approx(64_314.0238, abs=1e-4)
    with pipeline.session(frozenset({"sources.debt_settlements"})) as connection:
        by_security = connection.execute(
            """
            select sum(case leg when 'issue' then par_usd_mn else -par_usd_mn end)
            from sources.debt_settlements
            where security_class = 'bill'
                and settlement_date between date '2026-02-02' and date '2026-02-08'"""
        ).fetchall()[0]
    assert by_security == (pytest.approx(64_314.0238, abs=1e-4),)


@pytest.mark.replay
def test_the_brief_of_that_day_states_the_headline_in_both_languages(pipeline: Pipeline) -> None:
    """Slow: builds all marts as of the day."""
    brief = pipeline.brief_as_of(date(2026, 2, 6))
    english, chinese = (to_markdown(brief, language) for language in ("en", "zh"))
    assert "in the week of 2 Feb 2026 the Treasury drained USD 64.3 bn" in english
    assert "2026年2月2日当周，财政部通过短期国库券净交割抽走 643 亿美元" in chinese
    later = [
        name
        for name, figure in brief["figures"].items()
        if (figure["date"] or "") > "2026-02-06" and not name.startswith("coming")
    ]
    assert later == []


@pytest.mark.replay
@pytest.mark.parametrize(
    ("asset", "five_sessions", "five_returns"),
    [("SPX", -0.161, 0.339), ("IXIC", -0.591, -0.168), ("RUT", -1.727, -2.076)],
)
def test_the_quoted_moves_are_of_five_sessions(
    pipeline: Pipeline, asset: str, five_sessions: float, five_returns: float
) -> None:
    (row,) = rows(pipeline, "asset_returns", asset=asset, date=date(2026, 1, 30))
    assert row["return_5_sessions_pct"] == pytest.approx(five_sessions, abs=5e-4)
    assert row["return_5d_pct"] == pytest.approx(five_returns, abs=5e-4)


@pytest.mark.replay
def test_the_account_rose_by_150_billion_over_a_weekend(pipeline: Pipeline) -> None:
    (row,) = rows(pipeline, "tga_daily", record_date=date(2025, 9, 15))
    assert row["change_1d_usd_mn"] == 149_939
    # Assumed on 2025-07-28 for the end of September.
    assert row["target_usd_mn"] == 850_000
    assert row["gap_to_target_usd_mn"] == 850_000 - 857_709


@pytest.mark.replay
@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("tga_close_equals_h41", 80),
        ("tga_week_average_equals_h41", 80),
        ("tga_flows_close", 390),
        ("issues_equal_table_iiia", 15),
        ("weekly_drains_tie_to_reserves", 80),
    ],
)
def test_independent_records_agree(pipeline: Pipeline, name: str, least: int) -> None:
    result = evaluate(pipeline, name)
    assert result.misses == 0
    assert result.compared >= least


@pytest.mark.replay
def test_what_the_settlements_miss_of_table_iiia_are_buybacks(pipeline: Pipeline) -> None:
    # The replay has no buybacks. The statement redeems notes of 15.0 bn on a day without a
    # maturing note, and 733 mn less than was auctioned of the notes that matured on 09-30.
    result = evaluate(pipeline, "settlements_equal_table_iiia")
    assert (result.compared, result.misses) == (15, 6)
    assert result.worst_day == "2026-04-23"


def evaluate(pipeline: Pipeline, name: str) -> ReconciliationResult:
    (result,) = pipeline.evaluate_all([each for each in RECONCILIATIONS if each.name == name])
    return result


# A year and a half is too short for what ranks or estimates against several years.
NEED_YEARS = {
    "bank_credit",
    "contagion",
    "contagion_order",
    "contagion_sequences",
    "drain_episode_weeks",
    "drain_episodes",
    "drain_outlook",
    "drain_outlook_score",
    "drain_seasonality",
    "relative_performance",
    "scenarios",
    "sensitivity_ranking",
    "stress_flags",
    "stress_gauges",
    "stress_index",
    "stress_scores",
}


@pytest.mark.replay
def test_no_mart_is_empty_and_none_has_a_number_that_is_none(pipeline: Pipeline) -> None:
    for table in MART_TABLES.values():
        mart = pipeline.marts.read(table)
        assert mart.num_rows or table.name in NEED_YEARS, table.name
        for column in table.columns:
            if column.kind == "number":
                finite = pc.all(pc.is_finite(mart[column.name]), min_count=0).as_py()
                assert finite, f"{table.name}.{column.name}"


@pytest.mark.replay
def test_before_an_auction_what_is_offered_stands_for_what_is_accepted(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    (tmp_path / "lake").symlink_to(pipeline.settings.lake_dir)
    # What the publishers answered says how far each input is known.
    (tmp_path / "archive").symlink_to(pipeline.settings.archive_dir)
    earlier = Pipeline(replace(pipeline.settings, data_dir=tmp_path, as_of=date(2026, 2, 1)))
    before = ("settlement_legs", "outlook_moments", "expected_issues", "settlement_vintages")
    for name in (*before, "settlement_calendar"):
        earlier.build_mart(name)
    week = rows(earlier, "settlement_calendar", security_class="bill")
    seen = {row["settlement_date"]: row for row in week}
    # The 4-, 8- and 17-week bills have results; the 6-, 13- and 26-week bills are announced,
    # 90 + 89 + 77 bn, see ../shared/replay/answers.md.
    assert seen[date(2026, 2, 3)]["status"] == "auctioned"
    assert seen[date(2026, 2, 3)]["issued_usd_mn"] == pytest.approx(269_999.3497)
    assert seen[date(2026, 2, 5)]["status"] == "announced"
    assert seen[date(2026, 2, 5)]["issued_usd_mn"] == 256_000
    assert seen[date(2026, 2, 5)]["redeemed_usd_mn"] == pytest.approx(245_577.4973)


@pytest.mark.replay
def test_a_second_build_of_the_same_lake_changes_nothing(pipeline: Pipeline) -> None:
    for name in ("drains", "asset_returns", "rolling_correlations", "stress_flags"):
        assert not pipeline.build_mart(name).changed


@pytest.mark.replay
def test_all_tables_are_published_with_their_comments(pipeline: Pipeline) -> None:
    counts = pipeline.publish()
    published = {**SOURCE_TABLES, **MART_TABLES, **REFERENCE_TABLES, **PUBLICATION_TABLES}
    assert set(counts) == {table.qualified_name for table in published.values()}
    with warehouse.reading(pipeline.settings.published_file) as connection:
        publication = connection.execute(
            "select as_of, endpoints, is_synthetic from meta.publication"
        ).fetchall()
        assert publication == [(TODAY, pipeline.settings.endpoints, False)]
        uncommented = connection.execute(
            "select table_name, column_name from duckdb_columns() "
            "where database_name = 'liquidity' and comment is null"
        ).fetchall()
        assert uncommented == []
        with pytest.raises(duckdb.Error):
            connection.execute("delete from marts.drains")


@pytest.mark.replay
def test_all_tables_are_published_in_the_order_of_their_key(pipeline: Pipeline) -> None:
    """Also those that are not sorted again, because their files are: see `is_stored_by_key`."""
    pipeline.publish()
    with warehouse.reading(pipeline.settings.published_file) as connection:
        for table in (*SOURCE_TABLES.values(), *MART_TABLES.values()):
            key = ", ".join(table.key)
            keys = connection.execute(
                f"select {key} from {table.qualified_name} order by rowid"
            ).to_arrow_table()
            by_key = keys.sort_by([(name, "ascending") for name in table.key])
            assert keys.equals(by_key), table.qualified_name


@pytest.fixture
def one_statement(tmp_path: Path) -> Pipeline:
    """A lake with a single row, the Daily Treasury Statement of 2026-01-30."""
    pipeline = Pipeline(Settings(data_dir=tmp_path, as_of=TODAY))
    day = date(2026, 1, 30)
    row = {
        "record_date": day,
        "closing_usd_mn": 893_245.0,
        "known_at": calendars.DTS.known_at([day])[0],
    }
    rows = pa.Table.from_pylist([row], schema=TGA_BALANCE.arrow_schema)
    pipeline.lake.store(TGA_BALANCE, rows, [day.replace(day=1)], pipeline.now)
    return pipeline


@pytest.mark.replay
def test_every_example_query_and_view_gives_rows(pipeline: Pipeline) -> None:
    pipeline.publish()
    with warehouse.reading(pipeline.settings.published_file) as connection:
        examples = connection.execute("select name, sql from meta.example_queries").fetchall()
        assert len(examples) >= 10
        for name, sql in examples:
            rows = connection.execute(sql).fetchall()
            # Stress needs three years of history, and nothing was revised.
            assert rows or name in {"revisions", "stress"}, name
        for view in catalogue.views():
            connection.execute(f"select * from {view.qualified_name}").fetchall()


def test_nothing_is_published_before_anything_was_fetched(tmp_path: Path) -> None:
    pipeline = Pipeline(Settings(data_dir=tmp_path))
    with pytest.raises(PublicationError, match="no source has ever been fetched"):
        pipeline.publish()


def test_nothing_is_published_before_any_mart_was_built(one_statement: Pipeline) -> None:
    with pytest.raises(PublicationError, match="no mart has ever been built"):
        one_statement.publish()
    assert not one_statement.settings.published_file.exists()


@pytest.mark.slow
def test_without_all_other_sources_the_marts_still_build_and_publish(
    one_statement: Pipeline,
) -> None:
    counts = build(one_statement).publish()
    assert (counts["marts.tga_daily"], counts["marts.drains"]) == (1, 0)


@pytest.mark.replay
def test_marts_are_current_until_a_row_or_the_moment_changes(pipeline: Pipeline) -> None:
    for _ in pipeline.build_marts(engine.build_order()):
        pass
    assert not pipeline.stale_marts()
    later = Pipeline(replace(pipeline.settings, as_of=TODAY + timedelta(days=1)))
    assert later.stale_marts()
    pipeline.read_policy_events()
    assert not pipeline.stale_marts(), "unchanged facts leave the file as it is"
    pipeline.lake.path(POLICY_EVENTS).touch()
    assert not pipeline.stale_marts(), "what counts is what a file says, not when it was written"
    pipeline.lake.path(POLICY_EVENTS).unlink()
    assert pipeline.stale_marts()
