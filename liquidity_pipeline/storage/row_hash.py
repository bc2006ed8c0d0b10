"""A hash of rows that does not depend on how a file holds them."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from typing_extensions import Buffer


def hash_rows(rows: pa.Table) -> str:
    """Return the SHA-256 of the rows, independent of file format and library version."""
    columns = [_without_hidden_bytes(column) for column in rows.combine_chunks().columns]
    plain = pa.table(columns, names=rows.schema.names)
    sink = _Hash()
    with pa.ipc.new_stream(pa.PythonFile(sink, mode="w"), plain.schema) as stream:
        stream.write_table(plain)
    return sink.digest.hexdigest()


def _without_hidden_bytes(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column with zeros where no value is: in place of a NULL, and after the last bit.

    The maker of an array may leave anything there, as DuckDB does.
    """
    if column.null_count or pa.types.is_boolean(column.type):
        return column.take(np.arange(len(column)))
    return column


class _Hash(io.RawIOBase):
    """A file that keeps nothing of what is written to it but a hash."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()

    def writable(self) -> bool:
        return True

    def write(self, content: Buffer, /) -> int:
        self.digest.update(content)
        return memoryview(content).nbytes
