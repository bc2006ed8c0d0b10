"""A mart that is computed in Python, because it is sequential or inferential."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.settings.memory import give_back_now

if TYPE_CHECKING:
    import duckdb

Rows = Callable[[pa.Table], pa.Table]
# Of so many symbols at a time: the arrays of all at once would be the peak of a run.
_TOGETHER = 4


@dataclass(frozen=True)
class BySymbol:
    """How to build a mart whose rows of one symbol depend on no other symbol.

    `query` returns the rows of all symbols, whose name is in `column`. `prepare` reads from a
    session what all symbols share, and returns a function that makes the mart's rows from the
    query's rows of one symbol or more; None where there is nothing to build from. The function is
    sent to other machines, so that it must be picklable and must not hold the connection.
    """

    query: str
    column: str
    prepare: Callable[[duckdb.DuckDBPyConnection], Rows | None]
    table: Table

    def build(self, connection: duckdb.DuckDBPyConnection) -> pa.Table:
        """Build all symbols in this process, a few at a time."""
        compute = self.prepare(connection)
        rows = connection.execute(self.query).to_arrow_table() if compute else None
        if compute is None or rows is None or not rows.num_rows:
            return self.table.arrow_schema.empty_table()
        symbols = pc.unique(rows[self.column])
        groups = (symbols[i : i + _TOGETHER] for i in range(0, len(symbols), _TOGETHER))
        found = pa.concat_tables(
            compute(rows.filter(pc.is_in(rows[self.column], group))) for group in groups
        )
        give_back_now()
        return found


@dataclass(frozen=True)
class PythonMart:
    """How to build the mart from a session, and the qualified names of the tables it reads."""

    build: Callable[[duckdb.DuckDBPyConnection], pa.Table]
    reads: frozenset[str]
    symbols: BySymbol | None = None

    @classmethod
    def by_symbol(cls, symbols: BySymbol, reads: frozenset[str]) -> PythonMart:
        """Return a mart that can be built one symbol at a time."""
        return cls(symbols.build, reads, symbols)
