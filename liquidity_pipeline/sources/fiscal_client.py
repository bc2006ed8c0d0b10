"""Treasury Fiscal Data's paged interface: ask for all pages, and hand back rows of text columns.

What the rows of a data set mean does not belong here: see `fiscal_data` and `debt_settlements`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from liquidity_pipeline.sources.boundary import Name, parse_good, sift
from liquidity_pipeline.sources.errors import UnexpectedPayloadError
from liquidity_pipeline.sources.fetch import Fetch

_Result = TypeVar("_Result")

PUBLISHER = "fiscaldata"
ACCOUNTING = "/services/api/fiscal_service/v1/accounting"
# The service refuses more, and answers every page offset with the first page.
PAGE_SIZE = 10_000


@dataclass(frozen=True)
class Records:
    """Rows of one request as text columns, missing values NULL; `url` is for error messages."""

    table: pa.Table
    url: str

    @classmethod
    def of(
        cls, rows: Sequence[Mapping[str, Any]], columns: Sequence[str], url: str = ""
    ) -> Records:
        """Take the columns from the service's rows; raise UnexpectedPayloadError if one is gone."""
        gone = sorted({name for row in rows for name in columns if name not in row})
        if gone:
            raise UnexpectedPayloadError(
                f"column(s) {', '.join(gone)} are gone; present are {', '.join(rows[0])}",
                publisher=PUBLISHER,
                url=url,
            )
        try:
            table = pa.table(
                {name: pa.array([row[name] for row in rows], pa.string()) for name in columns}
            )
        # A lone surrogate, which JSON can hold, is no text that could be stored.
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError) as error:
            raise UnexpectedPayloadError(
                f"every value is expected to be text ({error})", publisher=PUBLISHER, url=url
            ) from error
        missing = pa.scalar(None, pa.string())
        return cls(
            pa.table(
                {
                    name: pc.if_else(pc.equal(table[name], "null"), missing, table[name])
                    for name in columns
                }
            ),
            url,
        )

    def __len__(self) -> int:
        """Return the number of rows."""
        return int(self.table.num_rows)

    def error(self, problem: str) -> UnexpectedPayloadError:
        """Return the error that names this request."""
        return UnexpectedPayloadError(problem, publisher=PUBLISHER, url=self.url)

    def where(self, mask: Any) -> Records:
        """Return the rows for which the mask holds."""
        return Records(self.table.filter(mask), self.url)

    def text(self, name: str) -> list[str | None]:
        """Return a column as Python text."""
        values: list[str | None] = self.table[name].to_pylist()
        return values

    def days(self, name: str) -> pa.ChunkedArray:
        """Return a column as calendar days."""
        return self._cast(name, pa.date32(), "a day YYYY-MM-DD")

    def numbers(self, name: str) -> pa.ChunkedArray:
        """Return a column as numbers, in the unit of the wire; "nan" and "inf" are none."""
        numbers = self._cast(name, pa.float64(), "a number")
        if pc.all(pc.is_finite(numbers)).as_py() is False:
            raise self.error(f"{name}: expected a finite number")
        return numbers

    def has_any(self, *names: str) -> pa.ChunkedArray:
        """Return which rows have a value in one of the columns at least; a footnote has none."""
        mask = pc.is_valid(self.table[names[0]])
        for name in names[1:]:
            mask = pc.or_(mask, pc.is_valid(self.table[name]))
        return mask

    def require(self, *names: str) -> None:
        """Raise UnexpectedPayloadError for a row that has no value where every row has one."""
        for name in names:
            empty = self.table.filter(pc.is_null(self.table[name])).slice(0, 1).to_pylist()
            if empty:
                raise self.error(f"{name} is null where a value is due, in {empty[0]}")

    def refuse_duplicates(self, *key: str) -> None:
        """Raise UnexpectedPayloadError for two rows with the same key."""
        counts = self.table.group_by(list(key)).aggregate([([], "count_all")])
        twice = counts.filter(pc.greater(counts["count_all"], 1)).slice(0, 1).to_pylist()
        if twice:
            raise self.error(f"more than one row for {twice[0]}; {', '.join(key)} should be unique")

    def _cast(self, name: str, kind: pa.DataType, expected: str) -> pa.ChunkedArray:
        try:
            return pc.cast(self.table[name], kind)
        except pa.ArrowInvalid as error:
            raise self.error(f"{name}: expected {expected} ({error})") from error


def good_rows(
    records: Records,
    parse: Callable[[Records], pa.Table],
    name: Name,
    unit: Sequence[str] = (),
) -> pa.Table:
    """Return what `parse` makes of the records; rows that it refuses are left out and named.

    Rows that are alike in the columns of `unit` go together: two rows of one auction contradict
    each other, and a statement that lacks a line is worse than none. Raises UnexpectedPayloadError
    where more than half are refused.
    """
    return pa.concat_tables(good_parts(records, parse, name, unit))


def good_parts(
    records: Records, parse: Callable[[Records], _Result], name: Name, unit: Sequence[str] = ()
) -> list[_Result]:
    """Return what `parse` makes of the records, in parts where it refuses some; see `good_rows`."""
    try:
        return [parse(records)]
    except UnexpectedPayloadError:
        places: dict[object, list[int]] = {}
        columns: list[Sequence[object]] = [records.text(column) for column in unit]
        columns = columns or [range(len(records))]
        for place, label in enumerate(zip(*columns, strict=True)):
            places.setdefault(label, []).append(place)
        return parse_good(
            list(places.values()),
            lambda part: parse(Records(records.table.take(pa.array(part)), records.url)),
            name,
        )


@dataclass(frozen=True)
class Page:
    """One page: its rows, and what its meta block says about the whole."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    pages: int
    formats: Mapping[str, str]

    @classmethod
    def parse(cls, payload: Any, url: str = "") -> Page:
        """Read the envelope; raise UnexpectedPayloadError if it is another or miscounts."""
        try:
            rows, meta = payload["data"], payload["meta"]
            count, total, pages = (meta[k] for k in ("count", "total-count", "total-pages"))
            page = cls(rows, int(total), int(pages), dict(meta.get("dataFormats") or {}))
            counted = int(count) == len(rows)
            if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
                raise TypeError("data is no list of objects")  # noqa: TRY301 - one message for all
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise UnexpectedPayloadError(
                "expected data and meta with count, total-count and total-pages, "
                f"got {str(payload)[:200]}",
                publisher=PUBLISHER,
                url=url,
            ) from None
        if not counted:
            raise UnexpectedPayloadError(
                f"the page says that it has {count} rows and has {len(rows)}",
                publisher=PUBLISHER,
                url=url,
            )
        return page


def read(
    fetch: Fetch,
    path: str,
    columns: Sequence[str],
    *,
    where: Iterable[str],
    sort: Iterable[str],
    usd_mn: Iterable[str] = (),
    select: bool = True,
    unit: str | None = None,
) -> Records:
    """Return all rows that meet the conditions, from as many pages as it takes.

    `where` are the service's conditions such as `record_date:gte:2026-01-01`; `sort` must order
    the rows completely, or pages overlap. `columns` must hold every key column: the service adds
    up the amounts of rows that a selection makes equal; `select=False` asks for whole rows.
    `usd_mn` are amounts that must still be declared in USD millions. A row that comes twice is one.
    Raises UnexpectedPayloadError for a repeated page, a wrong count, a changed unit or a lost
    column; a few rows that lack a column, or whose values are no text, are left out and named, each
    with all rows of its `unit` (a column).
    """
    params = {"filter": ",".join(where), "sort": ",".join(sort), "format": "json"}
    if select:
        params["fields"] = ",".join(columns)
    rows, url = _rows_of_all_pages(fetch, path, params, usd_mn)
    try:
        return Records.of(rows, columns, url)
    except UnexpectedPayloadError:
        name = fetch.left_out(path.rsplit("/", 1)[-1])
        return Records.of(_of_text(rows, columns, url, name, unit), columns, url)


def _rows_of_all_pages(
    fetch: Fetch, path: str, params: Mapping[str, str], usd_mn: Iterable[str]
) -> tuple[list[Mapping[str, Any]], str]:
    """Return the different rows of all pages, and the last page's address.

    All rows that were announced have come. A row may be published twice; one that is on two pages
    shows that they overlap, and another row is then on none.
    """
    rows: dict[str, Mapping[str, Any]] = {}
    previous: Page | None = None
    number, count, url = 0, 0, ""
    while previous is None or number < previous.pages:
        number += 1
        paging = {"page[number]": number, "page[size]": PAGE_SIZE}
        answer = fetch.get(PUBLISHER, path, {**params, **paging})
        page, url = Page.parse(answer.json(), answer.url), answer.url
        _refuse_bad_page(page, previous, number, usd_mn, url)
        different = {repr(row): row for row in page.rows}
        if again := different.keys() & rows.keys():
            raise UnexpectedPayloadError(
                f"page {number} repeats {len(again)} row(s) of earlier pages, e.g. {min(again)}",
                publisher=PUBLISHER,
                url=url,
            )
        rows |= different
        count += len(page.rows)
        previous = page
    if count != previous.total:
        raise UnexpectedPayloadError(
            f"{number} page(s) hold {count} rows of {previous.total} announced",
            publisher=PUBLISHER,
            url=url,
        )
    return list(rows.values()), url


def _of_text(
    rows: Sequence[Mapping[str, Any]],
    columns: Sequence[str],
    url: str,
    name: Name,
    unit: str | None,
) -> list[Mapping[str, Any]]:
    """Return the rows that hold text in all columns; the others are named."""

    def read_row(row: Mapping[str, Any]) -> Mapping[str, Any]:
        Records.of([row], columns, url)
        return row

    good = sift(rows, read_row, name)
    if unit is None:
        return good
    kept = {id(row) for row in good}
    odd = {str(row.get(unit)) for row in rows if id(row) not in kept}
    return [row for row in good if row[unit] not in odd]


def _refuse_bad_page(
    page: Page, previous: Page | None, number: int, usd_mn: Iterable[str], url: str
) -> None:
    problem = None
    if previous is not None and page.rows == previous.rows:
        problem = f"page {number} repeats page {number - 1}"
    elif previous is not None and page.total != previous.total:
        problem = f"{page.total} rows on page {number}, {previous.total} on the page before"
    for name in usd_mn:
        unit = page.formats.get(name, "$1,000,000")
        if unit != "$1,000,000":
            problem = f"the unit of {name} is '{unit}'; expected USD millions ('$1,000,000')"
    if problem:
        raise UnexpectedPayloadError(problem, publisher=PUBLISHER, url=url)


def between(column: str, start: date, end: date) -> tuple[str, str]:
    """Return the conditions for days from start to end, both included."""
    return f"{column}:gte:{start}", f"{column}:lte:{end}"
