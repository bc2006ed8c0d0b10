"""Rows of a day and some numbers, from a publisher's CSV file.

The usual case is read by pyarrow in a millisecond or two. Only a file that it refuses is read line
by line, to leave out and name the lines that cannot be read.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING

from liquidity_pipeline.sources.boundary import Name, report, sift
from liquidity_pipeline.sources.errors import UnexpectedPayloadError

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Layout:
    """What a file should be: its columns, the first of them the day, and how they are written."""

    names: Sequence[str]
    day_format: str
    expected: str
    publisher: str
    nulls: tuple[str, ...] = ("",)

    def error(self, problem: str, url: str) -> UnexpectedPayloadError:
        """Return the error that says what was expected."""
        return UnexpectedPayloadError(
            f"expected {self.expected}: {problem[:200]}", publisher=self.publisher, url=url
        )


def read(lines: bytes, layout: Layout, url: str, name: Name) -> pa.Table:
    """Return the rows of a file's lines, without its header, in ascending order of days.

    The day is a date32, all else float64, and a null is NULL. Left out and named are a few lines
    of another form, days with a number that is not finite, and days that come twice with different
    numbers; raises UnexpectedPayloadError where they are more than half.
    """
    import pyarrow as pa

    try:
        rows = _parse(lines, layout)
    except pa.ArrowInvalid:
        good = sift(lines.splitlines(), lambda line: _checked(line, layout, url), name)
        rows = _parse(b"\n".join(line for line in good if line), layout)
    return _once(_finite(rows, layout, url, name), layout, url, name)


def _parse(lines: bytes, layout: Layout) -> pa.Table:
    import pyarrow as pa
    from pyarrow import csv

    day, *numbers = layout.names
    types = {day: pa.timestamp("s"), **dict.fromkeys(numbers, pa.float64())}
    if not lines.strip():
        return pa.table({n: pa.array([], pa.date32() if n == day else t) for n, t in types.items()})
    rows = csv.read_csv(
        BytesIO(lines),
        read_options=csv.ReadOptions(column_names=list(layout.names)),
        parse_options=csv.ParseOptions(quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=types,
            timestamp_parsers=[layout.day_format],
            null_values=list(layout.nulls),
            strings_can_be_null=True,
        ),
    )
    if rows[day].null_count:
        raise pa.ArrowInvalid("a line without a day")
    return rows.set_column(0, day, rows[day].cast(pa.date32()))


def _checked(line: bytes, layout: Layout, url: str) -> bytes:
    """Return the line if it can be read by `_parse`."""
    text = line.decode("utf-8", "replace").strip()
    cells = text.split(",")
    try:
        if text:
            datetime.strptime(cells[0], layout.day_format)  # noqa: DTZ007 - a day has no zone
            [float(cell) for cell in cells[1:] if cell not in layout.nulls]
    except ValueError:
        cells = []
    if text and (len(cells) != len(layout.names) or not text.isascii() or "_" in text):
        raise layout.error(f"got '{text[:100]}'", url)
    return line.strip()


def _finite(rows: pa.Table, layout: Layout, url: str, name: Name) -> pa.Table:
    import pyarrow.compute as pc

    day, *numbers = layout.names
    fine = pc.is_valid(rows[day])
    for column in numbers:
        fine = pc.and_(fine, pc.fill_null(pc.is_finite(rows[column]), True))
    odd = rows.filter(pc.invert(fine)).to_pylist()
    report([layout.error(f"got {row}", url) for row in odd], rows.num_rows, name)
    return rows.filter(fine)


def _once(rows: pa.Table, layout: Layout, url: str, name: Name) -> pa.Table:
    """Return each day once; days with two different sets of numbers are left out and named."""
    import pyarrow.compute as pc

    day, *_ = layout.names
    distinct = rows.group_by(list(layout.names)).aggregate([]).sort_by(day)
    counted = distinct.group_by(day).aggregate([([], "count_all")])
    twice = counted.filter(pc.greater(counted["count_all"], 1))[day].combine_chunks()
    errors = [layout.error(f"{each} comes twice with different numbers", url) for each in twice]
    report(errors, counted.num_rows, name)
    return distinct.filter(pc.invert(pc.is_in(distinct[day], value_set=twice)))
