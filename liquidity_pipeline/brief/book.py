"""Reading the published file for one brief: every figure is the answer to the query it carries."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from liquidity_pipeline.brief.inputs import Behind, grouped
from liquidity_pipeline.brief.model import N_, Block, Figure, Message, Unit, msg
from liquidity_pipeline.brief.queries import query
from liquidity_pipeline.contracts.marts import MART_TABLES
from liquidity_pipeline.contracts.reach import REFINEMENTS
from liquidity_pipeline.contracts.registry import PUBLISHED
from liquidity_pipeline.models.engine import marts_behind, sources_behind
from liquidity_pipeline.models.reach import Coverage
from liquidity_pipeline.models.statements import tables

if TYPE_CHECKING:
    import duckdb


Record = dict[str, Any]
# As many inputs are named for one figure; the section on what is missing has all.
_NAMED = 3


@dataclass
class Book:
    """One publication under a reader's hands, and the figures taken from it so far."""

    connection: duckdb.DuckDBPyConnection
    figures: dict[str, Figure] = field(default_factory=dict)
    # The inputs that a figure's own reason names, by the figure's id.
    blamed: dict[str, list[Behind]] = field(init=False, default_factory=dict)
    publication: Record = field(init=False)
    _rows_of: dict[str, int] = field(init=False)
    _absent: set[str] = field(init=False, default_factory=set)
    _coverage: list[Record] | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Read what the publication says of itself."""
        (self.publication,) = self.records("publication")
        self._rows_of = {row["name"]: row["row_count"] for row in self.records("tables")}
        self._absent = {name for name in PUBLISHED if name.startswith("marts.")} - set(
            self._rows_of
        )

    @property
    def as_of(self) -> date:
        """The last day whose publications were used."""
        day: date = self.publication["as_of"]
        return day

    def holds(self, table: str) -> bool:
        """Tell whether the publication has a table of this name with rows in it."""
        return self._rows_of.get(table, 0) > 0

    def records(self, name: str, **values: object) -> list[Record]:
        """Return the rows of a statement as dictionaries."""
        return self._rows(query(name, **values))

    def one(self, name: str, **values: object) -> Any:
        """Return the single value of a statement; None where it gives no row."""
        return self._scalar(query(name, **values))

    def figure(
        self,
        id: str,  # noqa: A002 - the JSON key
        label: Message,
        unit: Unit,
        name: str,
        *,
        date: date | None,
        rests_on: Set[str] = frozenset(),
        **values: object,
    ) -> Figure:
        """Read one number and note it under its id, which must be new.

        `date` is the day that the number describes; a statement that has a place `:date` gets it.
        `rests_on` are all inputs that it has, where they are known.
        """
        if id in self.figures:
            raise ValueError(f"two figures are called '{id}'")
        sql = query(name, **{"date": date, **values})
        value = self._scalar(sql)
        figure: Figure = {
            "id": id,
            "label": label,
            "value": None if value is None else float(value),
            "unit": unit,
            "date": date.isoformat() if date else None,
            "sources": tables(sql),
            "query": sql,
        }
        if value is None:
            about, only = rests_on or {str(each) for each in values.values()}, bool(rests_on)
            figure["reason"] = self.why_unknown(figure["sources"], about, only=only)
            self.blamed[id] = self._inputs_behind(figure["sources"], about, only=only)
        self.figures[id] = figure
        return figure

    def quote_previous(self, id: str, before: Figure) -> Figure:  # noqa: A002
        """Note what an earlier brief said under an id; the file keeps it beside today's."""
        figure: Figure = {
            **before,
            "id": f"previous.{id}",
            "sources": ["meta.brief_figures"],
            "query": query("previous_value", id=id),
        }
        self.figures[figure["id"]] = figure
        return figure

    def behind(self, sources: list[str], inputs: Set[str]) -> set[str]:
        """Return those of these inputs ("table/entity") that are known less far than is due."""
        found = self._inputs_behind(sources, inputs, only=True)
        codes = {
            f"{one.table}/{entity}" if entity else one.table
            for one in found
            for entity in one.entities
        }
        return codes & set(inputs)

    def reason(self, figure: Figure, other: Message) -> None:
        """Say of a figure that is not known that no input is to blame, but this."""
        figure["reason"] = other
        self.blamed.pop(figure["id"], None)

    def why_unknown(
        self,
        sources: list[str],
        about: Set[str] = frozenset(),
        *,
        only: bool = False,
        most: int = _NAMED,
    ) -> Message:
        """Say why a query on these tables gave nothing: which inputs behind them are not known.

        `about` are the column and the codes that the query names, or inputs ("table/entity"):
        what belongs to one of them is what is missing. With `only`, nothing else can be.
        """
        if behind := self._inputs_behind(sources, about, only=only):
            told = [each.told for each in behind[:most]]
            return msg(N_("{inputs}"), inputs={"list": told, "by": "; "})
        if empty := [name for name in sources if not self.holds(name)]:
            text = N_("{tables} holds no rows in this publication: what is held may be too short")
            return msg(text, tables=", ".join(empty))
        return msg(N_("{tables} has no value here"), tables=", ".join(sources[:1]))

    def _inputs_behind(
        self, tables_read: list[str], about: Set[str], *, only: bool = False
    ) -> list[Behind]:
        """Return what is known less far than is due of what these tables rest on."""
        if "meta.coverage" not in self._rows_of:
            return []
        if self._coverage is None:
            self._coverage = [row for row in self.records("behind") if not self._is_coarser(row)]
        names = set(sources_behind(tables_read))
        rows = [row for row in self._coverage if row["table_name"] in names]
        declared = _declared(tables_read)
        column = {pair for pair, columns in declared.items() if about & columns}
        choices = (
            [row for row in rows if about & _codes(row)],
            [row for row in rows if _pair(row) in column],
            [row for row in rows if declared.get(_pair(row)) == set()],
            [row for row in rows if not declared.get(_pair(row))],
        )
        for chosen in choices[:2]:
            if chosen:
                return grouped(chosen)
        if only:
            return []
        # What was never served has not just ended: it explains what nothing else does.
        found = [grouped(chosen) for chosen in choices[2:]]
        ended = ([each for each in one if not each.never_served] for one in found)
        return next((one for one in (*ended, found[0]) if one), [])

    @cached_property
    def lacking(self) -> tuple[str, ...]:
        """The inputs that make others more exact, were served, and are behind."""
        if "meta.coverage" not in self._rows_of:
            return ()
        return Coverage.read(self.connection).lacking()

    def _is_coarser(self, row: Record) -> bool:
        """Tell whether a coarser basis takes the place of an input, so that nothing lacks it."""
        return row["table_name"] in REFINEMENTS and row["table_name"] not in self.lacking

    def unknown(
        self, what: Message, *table_names: str, rests_on: Set[str] = frozenset()
    ) -> Message:
        """Say that something is not known, and why; `rests_on` are all inputs that it has."""
        why = self.why_unknown(list(table_names), rests_on, only=bool(rests_on))
        return msg(N_("{what}: not known, because {why}."), what=what, why=why)

    def chart(self, id: str, title: Message, unit: Unit, name: str, **values: object) -> Block:  # noqa: A002
        """Return a chart with its data; `through` is the newest day in them."""
        sql = query(name, **values)
        data = [{column: _plain(value) for column, value in row.items()} for row in self._rows(sql)]
        days = [row["date"] for row in data]
        return {
            "kind": "chart",
            "id": id,
            "title": title,
            "unit": unit,
            "query": sql,
            "sources": tables(sql),
            "through": max(days) if days else None,
            "as_of": self.as_of.isoformat(),
            "data": data,
        }

    def _rows(self, sql: str) -> list[Record]:
        """Return the rows of a query; none where it reads a mart that was never built."""
        if self._absent.intersection(tables(sql)):
            return []
        answer = self.connection.execute(sql)
        columns = [column[0] for column in answer.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in answer.fetchall()]

    def _scalar(self, sql: str) -> Any:
        rows = self._rows(sql)
        if not rows:
            return None
        first, *more = rows
        value = next(iter(first.values()))
        if more:
            raise ValueError(f"expected one value, got {len(rows)} rows from: {sql}")
        return value


def _declared(tables_read: list[str]) -> dict[tuple[str, str], set[str]]:
    """Return the inputs that marts declare, each with the columns that alone rest on it.

    What makes an input more exact is declared where the columns are computed, which the marts that
    read them take over under the same names.
    """
    declared: dict[tuple[str, str], set[str]] = {}
    read = [name.removeprefix("marts.") for name in tables_read]
    for name in marts_behind(read):
        for each in MART_TABLES[name].rests_on:
            if name in read or (each.table in REFINEMENTS and each.columns):
                declared.setdefault((each.table, each.entity), set()).update(each.columns)
    return declared


def _pair(row: Record) -> tuple[str, str]:
    return row["table_name"], row["entity"]


def _codes(row: Record) -> set[str]:
    """Return the names under which an input may be asked about."""
    table, entity = row["table_name"], row["entity"]
    return {entity, f"{table}/{entity}"} if entity else {table}


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it; six digits are finer than any chart."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return float(f"{value:.6g}") if isinstance(value, float) else value
