"""Whether each source table is fresh, in one row, from the many rows of `meta.freshness`."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

FILE = "acknowledged_gaps.toml"


class GapsError(ValueError):
    """The file of acknowledged gaps cannot be used; the message names the entry."""


@dataclass(frozen=True)
class Gap:
    """A gap that is known: `days` missing days of a series, or, with None, all of it."""

    table: str
    entity: str
    days: int | None
    reason: str

    def covers(self, row: Mapping[str, Any]) -> bool:
        """Tell whether a row of `meta.freshness` is stale for no other cause than this gap."""
        missing = row["days_missing"]
        within = self.covers_days(row["table_name"], row["entity"], missing)
        return within and (self.days is None or not row["days_behind"])

    def covers_days(self, table: str, entity: str, missing: int) -> bool:
        """Tell whether so many missing days of a series are no more than is known."""
        same = (self.table, self.entity) == (table, entity)
        return same and (self.days is None or missing <= self.days)


@dataclass(frozen=True)
class SourceHealth:
    """The state of one source table.

    `newest` and `due` are days of observation; of several series, those of the worst that is held.
    """

    table: str
    series: int
    stale: tuple[str, ...]
    acknowledged: tuple[str, ...]
    newest: date | None
    due: date | None
    days_behind: int
    days_missing: int
    fetched_at: datetime | None
    problem: str

    @property
    def fresh(self) -> bool:
        """Nothing is missing that is not acknowledged."""
        return not self.stale


def read_gaps(reference_dir: Path) -> list[Gap]:
    """Return the acknowledged gaps, none where there is no file; raise GapsError for a bad one."""
    path = reference_dir / FILE
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except tomllib.TOMLDecodeError as error:
        raise GapsError(f"{path}: {error}") from None
    return [_gap(path, number, entry) for number, entry in enumerate(content.get("gap", []), 1)]


def _gap(path: Path, number: int, entry: Mapping[str, Any]) -> Gap:
    where = f"{path}, gap {number}"
    if unknown := set(entry) - {"table", "entity", "days", "reason"}:
        raise GapsError(f"{where}: unknown {', '.join(sorted(unknown))}")
    texts = {name: entry.get(name, "") for name in ("table", "entity", "reason")}
    days = entry.get("days")
    if not all(isinstance(text, str) for text in texts.values()):
        raise GapsError(f"{where}: table, entity and reason are texts")
    if not texts["table"] or not texts["reason"]:
        raise GapsError(f"{where}: a table and a reason are needed")
    if days is not None and (type(days) is not int or days < 1):
        raise GapsError(f"{where}: days is a whole number from 1 upwards")
    return Gap(texts["table"], texts["entity"], days, texts["reason"])


def health(freshness: Iterable[Mapping[str, Any]], gaps: Sequence[Gap]) -> list[SourceHealth]:
    """Return one row per source table, in the order of `meta.freshness`."""
    tables: dict[str, list[Mapping[str, Any]]] = {}
    for row in freshness:
        tables.setdefault(row["table_name"], []).append(row)
    return [_of_table(table, rows, gaps) for table, rows in tables.items()]


def _of_table(table: str, rows: Sequence[Mapping[str, Any]], gaps: Sequence[Gap]) -> SourceHealth:
    known = [row for row in rows if row["is_stale"] and any(gap.covers(row) for gap in gaps)]
    stale = [row for row in rows if row["is_stale"] and row not in known]
    worst = max(stale or rows, key=_how_far_behind)
    # Of what was never served there is no newest day to show; what is held has one.
    held = [row for row in stale or rows if row["last_day"] is not None]
    shown = max(held, key=_how_far_behind, default=worst)
    return SourceHealth(
        table=table,
        series=len(rows),
        stale=tuple(row["entity"] for row in stale),
        acknowledged=tuple(row["entity"] for row in known),
        newest=shown["last_day"],
        due=shown["due_day"],
        days_behind=worst["days_behind"],
        days_missing=sum(row["days_missing"] for row in stale),
        fetched_at=worst["fetched_at"],
        problem=(worst["problem"] or "") if stale else "",
    )


def _how_far_behind(row: Mapping[str, Any]) -> tuple[int, int]:
    return row["days_behind"], row["days_missing"]
