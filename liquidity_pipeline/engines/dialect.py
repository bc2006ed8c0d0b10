"""DuckDB's SQL as Spark's.

The models that run on Spark keep to the part of SQL that SQLGlot translates and that gives the same
values in both: no `corr`, no `asof join`, no `quantile_cont`, decimals of at most 38 digits. What
is translated by hand has its reason beside it.
"""

from __future__ import annotations

from functools import cache

from sqlglot import exp, parse_one


@cache
def to_spark(sql: str) -> str:
    """Return a query of DuckDB in Spark's dialect, its tables named as by `view_name`."""
    return parse_one(sql, read="duckdb").transform(_translate).sql(dialect="spark")


def view_name(qualified: str) -> str:
    """Return the name that a table `schema.name` has on Spark, whose temporary views have none."""
    return qualified.replace(".", "__")


def _translate(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Table) and node.db:
        alias = node.alias or node.name
        return exp.to_table(view_name(f"{node.db}.{node.name}")).as_(alias)
    return node
