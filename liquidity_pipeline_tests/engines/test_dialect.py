"""Queries in Spark's dialect: those of the models that run there, and what is renamed."""

from __future__ import annotations

import pytest
from sqlglot import exp, parse_one

from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.engines import dialect
from liquidity_pipeline.engines.spark import QUERIES, runs_here
from liquidity_pipeline.models import engine
from liquidity_pipeline.models.lineage import tables_read

BY_SYMBOL = [name for name in MART_TABLES if engine.by_symbol(name)]
SQL = {name: engine.sql(name) for name in QUERIES} | {
    name: symbols.query for name in BY_SYMBOL if (symbols := engine.by_symbol(name))
}
# With ANSI rules Spark fails where a correlation is undefined; the other two it does not have.
NOT_PORTABLE = (exp.Corr, exp.Quantile, exp.PercentileCont, exp.ApproxQuantile)


def test_the_marts_of_the_cluster_are_returns_drivers_and_correlations():
    assert {name for name in MART_TABLES if runs_here(name)} == {
        "asset_returns",
        "sampled_returns",
        "driver_changes",
        "rolling_correlations",
        "weekly_correlations",
    }


@pytest.mark.parametrize("name", SQL)
def test_a_query_reads_views_of_spark_for_the_tables_that_it_reads_in_duckdb(name: str):
    translated = parse_one(dialect.to_spark(SQL[name]), read="spark")
    ctes = {cte.alias for cte in translated.find_all(exp.CTE)}
    found = {table.name for table in translated.find_all(exp.Table)} - ctes
    assert found == {dialect.view_name(table) for table in tables_read(SQL[name])}
    assert not any(table.db for table in translated.find_all(exp.Table))
    assert tables_read(SQL[name]) <= engine.upstream(name)


@pytest.mark.parametrize("name", SQL)
def test_a_query_keeps_to_what_both_engines_compute_alike(name: str):
    tree = parse_one(SQL[name], read="duckdb")
    assert not list(tree.find_all(*NOT_PORTABLE))
    assert not [join for join in tree.find_all(exp.Join) if join.method == "ASOF"]
    assert not [f.sql() for f in tree.find_all(exp.Anonymous) if f.name.lower() == "quantile_cont"]


def test_an_alias_stays_and_a_table_without_one_keeps_its_name():
    translated = dialect.to_spark(
        "select clock.now, days.date from meta.clock, meta.calendar_days as days"
    )
    assert "meta__clock AS clock" in translated
    assert "meta__calendar_days AS days" in translated
