"""How Fiscal Data answers a query: fields, filter, sort, paging, sums, and its error bodies.

Works on any table of strings; the tables themselves are in `fiscal_dts` and `fiscal_auctions`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import NoReturn

from liquidity_pipeline.sandbox.publishers.wire import Refusal, Reply, Request, compact

Row = tuple[str, ...]
JSON = "application/json"
NULL = "null"
PAGE_MAXIMUM = 10_000
_FORMATS = {
    "DATE": "YYYY-MM-DD", "STRING": "String", "CURRENCY0": "$1,000,000", "NUMBER": "10.2",
    "CURRENCY": "$10.20", "CURRENCY3": "$10.200", "PERCENTAGE": "10.2%",
    "INTEGER": "10", "YEAR": "YYYY", "QUARTER": "Q", "MONTH": "MM", "DAY": "DD",
}  # fmt: skip
_ADDED_UP = {"CURRENCY0", "CURRENCY", "CURRENCY3", "NUMBER"}
_NUMERIC = _ADDED_UP | {"INTEGER", "YEAR", "QUARTER", "MONTH", "DAY"}
_PARAMETERS = ("fields", "filter", "sort", "format", "page[number]", "page[size]")
_SEE = "please see the documentation."
_COMPARISONS: dict[str, Callable[[object, object], bool]] = {
    "lt": lambda a, b: a < b,  # type: ignore[operator]
    "lte": lambda a, b: a <= b,  # type: ignore[operator]
    "gt": lambda a, b: a > b,  # type: ignore[operator]
    "gte": lambda a, b: a >= b,  # type: ignore[operator]
}


@dataclass(frozen=True)
class Column:
    """A column as `meta` declares it."""

    name: str
    kind: str
    label: str


@dataclass(frozen=True)
class Table:
    """Rows of strings in publication order; the first column is sorted when `ordered`."""

    columns: Sequence[Column]
    rows: Sequence[Row]
    ordered: bool = True
    position: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "position", {c.name: i for i, c in enumerate(self.columns)})

    def column(self, name: str) -> Column:
        """Look a column up, or refuse as the service does."""
        if name not in self.position:
            refuse(f"Invalid query parameter: Field '{name}' does not exist.")
        return self.columns[self.position[name]]


def refuse(message: str) -> NoReturn:
    """Answer 400 with the service's envelope."""
    document = {"error": "Invalid Query Param", "message": message}
    raise Refusal(Reply(400, compact(document), JSON))


def answer(table: Table, request: Request) -> Reply:
    """Answer one query of a table."""
    given = _parameters(request)
    number = _whole(given, "page[number]", 1, None)
    size = _whole(given, "page[size]", 100, PAGE_MAXIMUM)
    names = given["fields"].split(",") if given.get("fields") else list(table.position)
    columns = [table.column(name) for name in names]
    rows = _filtered(table, given.get("filter", ""))
    rows = _sorted(table, rows, given.get("sort", ""))
    if given.get("fields"):
        places = [table.position[name] for name in names]
        rows = _summed([tuple(row[i] for i in places) for row in rows], columns)
    return _page(columns, rows, number, size)


def _parameters(request: Request) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in request.query:
        if name in _PARAMETERS:
            given.setdefault(name, value)
        elif name != "page[offset]":  # not a parameter, yet ignored instead of refused
            _refuse_value(name, value)
    if given.get("format", "json") != "json":
        _refuse_value("format", given["format"])
    return given


def _refuse_value(name: str, value: str) -> NoReturn:
    refuse(f"Invalid query parameter '{name}' with value '[{value}]'.  For more information {_SEE}")


def _whole(given: dict[str, str], name: str, default: int, maximum: int | None) -> int:
    text = given.get(name, "")
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1 or (maximum and int(text) > maximum):
        _refuse_value(name, text)
    return int(text)


def _split(text: str) -> list[str]:
    """Split at commas outside of parentheses."""
    parts, depth = [""], 0
    for character in text:
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == "," and depth <= 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _filtered(table: Table, text: str) -> list[Row]:
    rows: Sequence[Row] = table.rows
    tests = []
    for condition in _split(text) if text else ():
        name, operator, value = _condition(table, condition)
        if table.ordered and name == table.columns[0].name and operator in _COMPARISONS:
            rows = _cut(rows, operator, value)
        else:
            test = _test(table, name, operator, value)
            if test is not None:
                tests.append(test)
    return [row for row in rows if all(test(row) for test in tests)] if tests else list(rows)


def _cut(rows: Sequence[Row], operator: str, value: str) -> Sequence[Row]:
    """Keep the rows before or after a value of the sorted first column."""
    side = bisect_left if operator in {"lt", "gte"} else bisect_right
    at = side(rows, value, key=lambda row: row[0])
    return rows[:at] if operator in {"lt", "lte"} else rows[at:]


def _condition(table: Table, condition: str) -> tuple[str, str, str]:
    parts = condition.split(":", 2)
    if len(parts) < 3 or not parts[2]:
        refuse(
            "Invalid query parameter: Operator 'Invalid Filter Format' is not supported. "
            f"For more information, {_SEE}"
        )
    name, operator, value = parts
    table.column(name)
    if operator not in {"eq", "in", *_COMPARISONS}:
        refuse(f"Invalid query parameter: Operator ':{operator}:' is not supported.")
    return name, operator, value


def _test(table: Table, name: str, operator: str, value: str) -> Callable[[Row], bool] | None:
    place, numeric = table.position[name], table.column(name).kind in _NUMERIC
    if operator in {"eq", "in"}:
        wanted = [value]
        if operator == "in":
            inner = value[1:-1] if value.startswith("(") and value.endswith(")") else value
            if not inner.strip():
                return None  # an empty list is silently not applied
            wanted = _split(inner)
        numbers = {_number(item) for item in wanted} - {None} if numeric else set()
        return lambda row: (
            row[place] in wanted or (bool(numbers) and _number(row[place]) in numbers)
        )
    compare = _COMPARISONS[operator]
    if not numeric:
        return lambda row: row[place] != NULL and compare(row[place], value)
    limit = _number(value)

    def within(row: Row) -> bool:
        found = _number(row[place])
        return found is not None and limit is not None and compare(found, limit)

    return within


def _number(text: str) -> Decimal | None:
    try:
        return Decimal(text)
    except InvalidOperation:
        return None


def _sorted(table: Table, rows: list[Row], text: str) -> list[Row]:
    for item in reversed(text.split(",") if text else []):
        name = item.removeprefix("-")
        place, numeric = table.position.get(name), table.column(name).kind in _NUMERIC
        rows = sorted(rows, key=_sort_key(place or 0, numeric), reverse=item != name)
    return rows


def _sort_key(place: int, numeric: bool) -> Callable[[Row], tuple[bool, Decimal | str]]:
    def key(row: Row) -> tuple[bool, Decimal | str]:
        if not numeric:
            return row[place] != NULL, row[place]
        found = _number(row[place])
        return found is not None, found if found is not None else Decimal(0)

    return key


def _summed(rows: list[Row], columns: Sequence[Column]) -> list[Row]:
    """Add the amounts of rows that are equal in every other selected column."""
    amounts = {i for i, column in enumerate(columns) if column.kind in _ADDED_UP}
    keys = [i for i in range(len(columns)) if i not in amounts]
    groups: dict[Row, list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[i] for i in keys), []).append(row)
    if len(groups) == len(rows):
        return rows
    return [_total(group, amounts) for group in groups.values()]


def _total(group: list[Row], amounts: set[int]) -> Row:
    if len(group) == 1:
        return group[0]
    total = list(group[0])
    for i in amounts:
        found = [number for row in group if (number := _number(row[i])) is not None]
        total[i] = format(sum(found, Decimal(0)), "f") if found else NULL
    return tuple(total)


def _page(columns: Sequence[Column], rows: list[Row], number: int, size: int) -> Reply:
    pages = -(-len(rows) // size)
    if number > max(1, pages):
        refuse(
            f"Invalid query parameter: Page #{number} is out of range. For more information, {_SEE}"
        )
    part = rows[(number - 1) * size : number * size]
    meta = {
        "count": len(part),
        "labels": {c.name: c.label for c in columns},
        "dataTypes": {c.name: c.kind for c in columns},
        "dataFormats": {c.name: _FORMATS[c.kind] for c in columns},
        "total-count": len(rows),
        "total-pages": pages,
    }
    links = {
        "self": _link(number, size),
        "first": _link(1, size),
        "prev": _link(number - 1, size) if number > 1 else None,
        "next": _link(number + 1, size) if number < pages else None,
        "last": _link(max(1, pages), size),
    }
    body = f'{{"data":[{_data(columns, part)}],"meta":{compact(meta)},"links":{compact(links)}}}'
    return Reply(200, body, JSON)


def _data(columns: Sequence[Column], rows: Iterable[Row]) -> str:
    """Write the rows; the tables hold no character that JSON would have to escape."""
    row_format = "{" + ",".join(f'"{c.name}":"%s"' for c in columns) + "}"
    return ",".join([row_format % row for row in rows])


def _link(number: int, size: int) -> str:
    return f"&page%5Bnumber%5D={number}&page%5Bsize%5D={size}"
