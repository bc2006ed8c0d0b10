"""One SQL query of an assistant, run in a process of its own that is killed when it takes too long.

DuckDB's interrupt is heard between blocks of rows, and a single function call such as
`repeat('x', 2000000000)` makes none. A process can always be killed.
"""

from __future__ import annotations

import math
import multiprocessing
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import duckdb

MAX_ROWS, SECONDS, MEMORY = 1000, 20.0, "1GB"
# What a model can read at once: longer texts are cut, and rows after the last that fits dropped.
_CELL_CHARACTERS, _CHARACTERS = 2_000, 100_000
# A new process starts and opens the file within this time, and after an interrupt of DuckDB's own
# it is waited for this long.
_START_SECONDS, _GRACE_SECONDS = 60.0, 1.0
_ADDRESS_SPACE = 8 * 1024**3
_READS = ("SELECT", "EXPLAIN")
_READY = "ready"


class QueryError(Exception):
    """The query was refused, failed, or took too long. The text is for the one who asked."""


@dataclass(frozen=True)
class Result:
    """What a query gave. `reads` are the published tables behind it, by qualified name."""

    publication: dict[str, Any]
    coverage: list[dict[str, Any]]
    reads: list[str]
    columns: list[dict[str, str]]
    rows: list[list[Any]]
    is_cut: bool


def ask(published: Path, sql: str, *, rows: int = MAX_ROWS, seconds: float = SECONDS) -> Result:
    """Return the answer to one SELECT; at most `rows` rows, after at most `seconds` seconds.

    Raises QueryError for anything but one statement that only reads, for an error in it, and where
    it took too long or too much memory.
    """
    context = multiprocessing.get_context("spawn")
    mine, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_answer, args=(theirs, published, sql, rows, seconds), daemon=True
    )
    process.start()
    theirs.close()
    try:
        if not mine.poll(_START_SECONDS):
            raise QueryError(f"the query did not start within {_START_SECONDS:g} seconds")
        answer = mine.recv()
        if answer == _READY:
            if not mine.poll(seconds + _GRACE_SECONDS):
                raise QueryError(_too_long(seconds))
            answer = mine.recv()
    except EOFError:
        raise QueryError(
            f"the query ended its process, most likely for want of memory ({MEMORY})"
        ) from None
    finally:
        process.kill()
        process.join()
        mine.close()
    if isinstance(answer, str):
        raise QueryError(answer)
    return Result(**answer)


def _too_long(seconds: float) -> str:
    return (
        f"stopped after {seconds:g} seconds: ask for less, for example for fewer days, or for "
        f"aggregates instead of rows"
    )


def _answer(reply: Connection, published: Path, sql: str, rows: int, seconds: float) -> None:
    """Run in the new process: send a Result's fields, or the text of an error."""
    import duckdb

    from liquidity_pipeline.storage.confined import confined

    _limit_memory()
    try:
        with confined(published, memory=MEMORY, seconds=seconds) as connection:
            reply.send(_READY)
            reply.send(read(connection, sql, rows))
    except duckdb.InterruptException:
        reply.send(_too_long(seconds))
    except (duckdb.OutOfMemoryException, MemoryError):
        reply.send(f"stopped at {MEMORY} of memory: ask for less, or sort and join fewer rows")
    except (duckdb.Error, QueryError) as error:
        reply.send(str(error))


def _limit_memory() -> None:
    """Bound what DuckDB's own limit does not count, such as the text of a single cell."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (_ADDRESS_SPACE, _ADDRESS_SPACE))


def read(connection: duckdb.DuckDBPyConnection, sql: str, limit: int) -> dict[str, Any]:
    """Return a Result's fields from a confined connection; raise QueryError or duckdb.Error."""
    statements = connection.extract_statements(sql)
    if len(statements) != 1:
        raise QueryError(f"one statement at a time is answered; these are {len(statements)}")
    (statement,) = statements
    if statement.type.name not in _READS:
        raise QueryError(f"only queries are answered, not {statement.type.name}")
    is_query = statement.type.name == "SELECT"
    reads = connection.get_table_names(sql, qualified=True) if is_query else set()
    result = connection.execute(statement)
    columns = [
        {"name": str(name), "type": str(kind)} for name, kind, *_ in result.description or ()
    ]
    kept, is_cut = _fitting(result.fetchmany(limit + 1), limit)
    return {
        "publication": records(connection, "from meta.publication")[0],
        "coverage": records(connection, "from meta.coverage"),
        "reads": sorted(name.replace('"', "") for name in reads),
        "columns": columns,
        "rows": kept,
        "is_cut": is_cut,
    }


def _fitting(rows: list[tuple[Any, ...]], limit: int) -> tuple[list[list[Any]], bool]:
    """Return the rows that an answer has room for, and whether there are more."""
    kept: list[list[Any]] = []
    characters = 0
    for row in rows[:limit]:
        plain = [plain_value(value) for value in row]
        characters += sum(len(str(value)) for value in plain)
        if kept and characters > _CHARACTERS:
            return kept, True
        kept.append(plain)
    return kept, len(rows) > limit


def records(connection: duckdb.DuckDBPyConnection, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return the rows of a query as dictionaries of what JSON can hold."""
    result = connection.execute(sql, values)
    names = [column[0] for column in result.description or ()]
    return [
        {name: plain_value(value) for name, value in zip(names, row, strict=True)}
        for row in result.fetchall()
    ]


def plain_value(value: Any) -> Any:
    """Return a value as JSON holds it: days as ISO text, long texts cut, NaN named as such."""
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    text = value.isoformat() if isinstance(value, date | datetime) else str(value)
    if len(text) <= _CELL_CHARACTERS:
        return text
    return f"{text[:_CELL_CHARACTERS]}… (cut; {len(text):,} characters)"
