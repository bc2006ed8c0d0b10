"""The answers that need no SQL from outside: catalogue, description, coverage, brief.

The file is opened for each answer and closed with it, so that the next answer is of the newest
publication.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.assistant import answers
from liquidity_pipeline.assistant.asking import QueryError, ask, records
from liquidity_pipeline.storage.warehouse import reading

if TYPE_CHECKING:
    import duckdb

_TABLES = """
    select schema_name || '.' || table_name as name, row_count as rows, meaning
    from meta.tables
    union all
    select schema_name || '.' || view_name, null, comment
    from duckdb_views()
    where database_name = current_database() and schema_name = 'bi'
    order by name"""
_COLUMNS = """
    select column_name as name, data_type as type, unit, meaning
    from meta.columns where schema_name = $1 and table_name = $2 order by position"""
_VIEW_COLUMNS = """
    select column_name as name, data_type as type, comment as meaning
    from duckdb_columns()
    where database_name = current_database() and schema_name = $1 and table_name = $2
    order by column_index"""
_ONE_TABLE = "select meaning, key from meta.tables where schema_name = $1 and table_name = $2"
_ONE_VIEW = """
    select comment as meaning, null as key from duckdb_views()
    where database_name = current_database() and schema_name = $1 and view_name = $2"""


def catalogue(published: Path, search: str) -> answers.Catalogue:
    """Return tables and views whose name or meaning contains every word of `search`."""
    words = search.lower().split()
    with reading(published) as connection:
        entries = [
            answers.TableEntry(**row)
            for row in records(connection, _TABLES)
            if all(word in f"{row['name']} {row['meaning']}".lower() for word in words)
        ]
        examples = records(
            connection, "select question, sql from meta.example_queries order by position"
        )
        return answers.Catalogue(
            **_provenance(connection, None),
            tables=entries,
            examples=[answers.Example(**row) for row in examples],
        )


def describe(published: Path, name: str) -> answers.TableDescription:
    """Return the columns of a table or view with their units; raise QueryError for another name."""
    schema, _, table = name.partition(".")
    with reading(published) as connection:
        found = records(connection, _ONE_TABLE, schema, table)
        columns = records(connection, _COLUMNS, schema, table)
        if not found:
            found = records(connection, _ONE_VIEW, schema, table)
            columns = records(connection, _VIEW_COLUMNS, schema, table)
        if not found:
            raise QueryError(_no_such_table(name, records(connection, _TABLES)))
        # The name is one of the catalogue's by now.
        reads = connection.get_table_names(f"from {name}", qualified=True)
        return answers.TableDescription(
            **_provenance(connection, sorted(reads)),
            name=name,
            meaning=found[0]["meaning"],
            key=found[0]["key"],
            columns=[answers.Column(**row) for row in columns],
        )


def _no_such_table(name: str, entries: list[dict[str, Any]]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(name, [entry["name"] for entry in entries])
    hint = f"did you mean {' or '.join(close)}?" if close else "see `catalogue` for all names"
    return f"there is no table '{name}': {hint}"


def coverage(published: Path, table: str) -> answers.Coverage:
    """Return `meta.coverage`, of one source table or of all."""
    name = table.removeprefix("sources.")
    with reading(published) as connection:
        rows = records(connection, "from meta.coverage order by table_name, entity")
        known = sorted({row["table_name"] for row in rows})
        if name and name not in known:
            raise QueryError(f"no source table is called '{table}'; there are {', '.join(known)}")
        return answers.Coverage(
            **_provenance(connection, [f"sources.{name}"] if name else None),
            inputs=[row for row in rows if name in ("", row["table_name"])],
        )


def query(published: Path, sql: str, rows: int) -> answers.QueryResult:
    """Return the rows of a query; raise QueryError, see `asking.ask`."""
    result = ask(published, sql, rows=rows)
    return answers.QueryResult(
        publication=answers.publication(result.publication),
        reach=answers.reach(result.coverage, result.reads),
        columns=[answers.Column(**column) for column in result.columns],
        rows=result.rows,
        is_cut=result.is_cut,
    )


def brief(published: Path, briefs: Path, language: str) -> answers.BriefText:
    """Return the brief of the published file as Markdown, in English or Chinese."""
    from liquidity_pipeline.brief import edition
    from liquidity_pipeline.brief.render import to_markdown

    model = edition.current(published, briefs)
    with reading(published) as connection:
        provenance = _provenance(connection, None)
    # A publication between the two reads: the text says which one it is of.
    provenance["publication"] = answers.publication(model["publication"])
    return answers.BriefText(**provenance, text=to_markdown(model, language))


def _provenance(connection: duckdb.DuckDBPyConnection, tables: list[str] | None) -> dict[str, Any]:
    """Return what every answer says: its publication, and how far the data behind it reach."""
    (row,) = records(connection, "from meta.publication")
    coverage_rows = records(connection, "from meta.coverage")
    return {
        "publication": answers.publication(row),
        "reach": answers.reach(coverage_rows, tables),
    }
