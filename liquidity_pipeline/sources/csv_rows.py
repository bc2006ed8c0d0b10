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
        rows = _parse(lines, layout, as_written=True)
    except pa.ArrowInvalid:
        good = sift(lines.splitlines(), lambda line: _checked(line, layout, url), name)
        rows = _parse(b"\n".join(line for line in good if line), layout)
    return _once(_finite(rows, layout, url, name), layout, url, name)


def _parse(lines: bytes, layout: Layout, *, as_written: bool = False) -> pa.Table:
    """Return the rows; raise ArrowInvalid, with `as_written` also for a day that does not exist."""
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    day, *numbers = layout.names
    types = {day: pa.string(), **dict.fromkeys(numbers, pa.float64())}
    if not lines.strip():
        return pa.table({n: pa.array([], pa.date32() if n == day else t) for n, t in types.items()})
    rows = csv.read_csv(
        BytesIO(lines),
        read_options=csv.ReadOptions(column_names=list(layout.names)),
        parse_options=csv.ParseOptions(quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=types,
            null_values=list(layout.nulls),
            strings_can_be_null=True,
        ),
    )
    if rows[day].null_count:
        raise pa.ArrowInvalid("a line without a day")
    moments = pc.strptime(rows[day], layout.day_format, "s")
    if as_written and _are_doubtful(moments, rows[day], layout.day_format):
        raise pa.ArrowInvalid("a day that does not exist")
    return rows.set_column(0, day, moments.cast(pa.date32()))


def _are_doubtful(moments: pa.ChunkedArray, texts: pa.ChunkedArray, day_format: str) -> bool:
    """Tell whether a day may be another than the one that is written.

    Arrow takes 30 February for 2 March, and the year 26 for one of the first century. What runs
    over the end of a month comes out as one of the first three days of the next: only these are
    written out again, to be compared.
    """
    import pyarrow.compute as pc

    early = pc.less_equal(pc.day(moments), 3)
    moments, texts, years = moments.filter(early), texts.filter(early), pc.year(moments)
    differs = pc.not_equal(pc.strftime(moments, day_format), texts)
    return bool(pc.any(differs).as_py() or pc.any(pc.less(years, 1000)).as_py())


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
