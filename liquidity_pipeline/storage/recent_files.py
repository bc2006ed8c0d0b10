"""Read Parquet files of a table, and keep the rows of the last few until they are replaced.

A run reads the same two or three months of a table several times: to compare what came with what
is known, to replace it, and to describe it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from liquidity_pipeline.contracts.table import Table
from liquidity_pipeline.storage.files import Mark, mark_of

# Months of the largest tables take 30 kB; a gathered file is read by column, and not kept.
_KEPT, _LARGEST_BYTES = 16, 64 * 1024


class RecentFiles:
    """The rows of the last files that were read, but for large ones."""

    def __init__(self) -> None:
        self._rows: OrderedDict[Path, tuple[Mark, pa.Table]] = OrderedDict()

    def read(self, table: Table, path: Path, names: Sequence[str]) -> pa.Table:
        """Return columns of a file, which is read again only if it was replaced.

        Raises what `read_file` does.
        """
        try:
            mark = mark_of(path)
        except OSError:
            mark = []
        if not mark or mark[1] > _LARGEST_BYTES:
            return read_file(table, path, names)
        known, rows = self._rows.pop(path, ([], None))
        if rows is None or known != mark:
            rows = read_file(table, path, table.arrow_schema.names)
        self._rows[path] = mark, rows
        if len(self._rows) > _KEPT:
            self._rows.popitem(last=False)
        return rows.select(list(names))


def read_file(table: Table, path: Path, names: Sequence[str]) -> pa.Table:
    """Return columns of a file; raise ValueError, with the way out, for one that is not readable.

    A file is also unreadable when it was written under an older contract.
    """
    schema = pa.schema([table.arrow_schema.field(name) for name in names])
    try:
        # A ParquetFile is opened in a fraction of the time that a data set of one file takes.
        rows = pq.ParquetFile(path).read(columns=list(names))
        return rows.select(list(names)).cast(schema)
    except (pa.ArrowException, KeyError, ValueError, OSError) as error:
        # Arrow says OSError of a damaged page, and does not name the file.
        raise ValueError(
            f"{path} is damaged or from another version of the contract of "
            f"{table.qualified_name} ({error}): `liquidity rebuild` makes the lake again from the "
            f"archive."
        ) from error
