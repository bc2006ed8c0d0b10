"""All months of a table in one file, because opening hundreds of files costs more than their rows.

    lake/.gathered/<table>.parquet

It is derived, and may be deleted at any time. Its metadata name the files that it was made of, with
what changes when one of them is replaced; only those that were replaced are read again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from liquidity_pipeline.storage.files import Mark, replacing
from liquidity_pipeline.storage.held_files import HeldFiles

_FROM = b"gathered_from"


def gather(
    target: Path, files: HeldFiles, schema: pa.Schema, read: Callable[[Path], pa.Table]
) -> None:
    """Make `target` hold the rows of the files, in their order; do nothing where it already does.

    `read` gives the rows of one file in the schema. Raises what it raises, and OSError where the
    folder cannot be written to.
    """
    held = _held(target, schema)
    if [(name, mark) for name, mark, _ in held] == list(zip(files.names, files.marks, strict=True)):
        return
    slices = _slices(target, held)
    parts: list[pa.Table] = []
    marks: list[tuple[str, Mark, int]] = []
    for name, path, mark in zip(files.names, files.paths, files.marks, strict=True):
        kept_mark, kept = slices.get(name, ([], None))
        rows = kept if kept is not None and kept_mark == mark else read(path)
        parts.append(rows.cast(schema))
        # What could be replaced unseen counts as not gathered yet.
        marks.append((name, mark if files.is_settled(mark) else [], rows.num_rows))
    whole = pa.concat_tables(parts).replace_schema_metadata({_FROM: json.dumps(marks).encode()})
    with replacing(target, target.parent / ".unfinished") as unfinished:
        pq.write_table(whole, unfinished, compression="lz4")


def _held(target: Path, schema: pa.Schema) -> list[tuple[str, Mark, int]]:
    """Return name, mark and number of rows of each file in the target; nothing if it is no use."""
    try:
        found = pq.read_schema(target)
        marks = json.loads((found.metadata or {})[_FROM])
        return [(name, mark, rows) for name, mark, rows in marks] if found.equals(schema) else []
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return []


def _slices(
    target: Path, held: Sequence[tuple[str, Mark, int]]
) -> dict[str, tuple[Mark, pa.Table]]:
    """Return mark and rows of each file that was gathered; nothing where they cannot be read."""
    try:
        rows = pq.ParquetFile(target).read() if held else None
    except (OSError, pa.ArrowException):
        return {}
    found, start = {}, 0
    for name, mark, count in held:
        assert rows is not None  # noqa: S101 - read where anything is held
        found[name] = (mark, rows.slice(start, count))
        start += count
    return found
