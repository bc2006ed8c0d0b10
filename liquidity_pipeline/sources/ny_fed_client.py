"""The New York Fed's answers, read record by record: labels, days, numbers, and what is missing.

What a record means does not belong here: see `ny_fed` and `soma`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from liquidity_pipeline import calendars
from liquidity_pipeline.sources.answers import Answer
from liquidity_pipeline.sources.boundary import Name, declared, report, sift
from liquidity_pipeline.sources.errors import UnexpectedPayloadError

PUBLISHER = "nyfed"
_MISSING = ("", "NA", None)
# By these the operations of a day differ.
_APART = (
    "releaseTime",
    "operationType",
    "operationMethod",
    "maturityRangeStart",
    "maturityRangeEnd",
    "maturityDate",
)


@dataclass(frozen=True)
class Record:
    """One object of an answer, read field by field; what is not as expected names the record."""

    fields: Mapping[str, Any]
    answer: Answer

    def text(self, name: str, default: str | None = None) -> str:
        """Return a text; one without a default must be there, though it may be blank."""
        value = self.fields.get(name, default)
        if not isinstance(value, str):
            raise self.unexpected(f"expected a text in '{name}', got {value!r}")
        if not value.isascii() and _has_surrogate(value):
            raise self.unexpected(f"'{name}' holds characters that are no text")
        return value.strip()

    def one_of(self, name: str, allowed: Iterable[str]) -> str:
        """Return a label of a closed set."""
        value = self.text(name)
        if value not in allowed:
            raise self.unexpected(f"unknown {name} '{value}', expected {', '.join(allowed)}")
        return value

    def day(self, name: str) -> date:
        """Return a day that must be there."""
        try:
            return date.fromisoformat(self.text(name))
        except ValueError:
            raise self.unexpected(f"expected YYYY-MM-DD in '{name}'") from None

    def optional_day(self, name: str) -> date | None:
        """Return a day, or None where it is blank or absent."""
        return None if self.fields.get(name) in _MISSING else self.day(name)

    def number(self, name: str, *, required: bool = False) -> float | None:
        """Return a number, of JSON or in a text; None for blank, NA and, if allowed, absent."""
        if required and name not in self.fields:
            raise self.unexpected(f"'{name}' is gone")
        value = self.fields.get(name)
        if value in _MISSING:
            return None
        try:
            found = float(value)
        except (TypeError, ValueError, OverflowError):
            found = math.nan
        if not math.isfinite(found):
            raise self.unexpected(f"expected a number in '{name}', got {value!r}")
        return found

    def par_usd_mn(self, name: str) -> float | None:
        """Return an operation's amount in USD mn; the wire has dollars, in lots of a million."""
        dollars = self.number(name, required=True)
        if dollars and not 1e6 <= dollars <= 1e13:
            raise self.unexpected(f"'{name}' is {dollars:g}, expected dollars (0 or 1e6 to 1e13)")
        return None if dollars is None else dollars / 1e6

    def known_at(self, day: date, close: time, minutes: int) -> datetime:
        """Return minutes after the operation's closing time, or `close` where it is blank.

        Some answers state no times at all; one that states an opening must state a closing.
        """
        value = self.text("closeTime", None if "releaseTime" in self.fields else "")
        if not value:
            return calendars.utc(day, close)
        try:
            return calendars.utc(day, time.fromisoformat(value)) + timedelta(minutes=minutes)
        except ValueError:
            raise self.unexpected(f"expected HH:MM in 'closeTime', got {value!r}") from None

    def operation_id(self, day: date) -> str:
        """Return the Desk's identifier, with the day where it does not contain it (MMDDYY)."""
        name = self.text("operationId")
        return name if f"{day:%m%d%y}" in name else f"{name} {day}"

    def unexpected(self, problem: str) -> UnexpectedPayloadError:
        """Return the error that names this record."""
        labels = ("type", "effectiveDate", "operationId", "operationDate", "asOfDate")
        record = " ".join(str(self.fields[name]) for name in labels if name in self.fields)
        return UnexpectedPayloadError(
            f"{record or 'answer'}: {problem}.", publisher=PUBLISHER, url=self.answer.url
        )


def records(answer: Answer, *path: str) -> list[Record]:
    """Return the list of objects under a path of names."""
    content = answer.json()
    for name in path:
        content = content.get(name) if isinstance(content, dict) else None
    if not isinstance(content, list) or not all(isinstance(item, dict) for item in content):
        raise Record({}, answer).unexpected(f"expected a list of objects in {'.'.join(path)}")
    return [Record(item, answer) for item in content]


def told_apart(found: Sequence[Record]) -> list[Record]:
    """Return the operations; of several that share an identifier on a day the later ones get a (2).

    The number at the end of an identifier has changed its meaning more than once and is no key.
    Operations differ in kind, opening time or maturities; rows that agree in these and differ in an
    amount contradict each other, and keep one identifier.
    """
    names = [_identifier(record) for record in found]
    kinds: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for record, name in zip(found, names, strict=True):
        kinds.setdefault(name, set()).add(_kind(record))
    apart = []
    for record, name in zip(found, names, strict=True):
        place = sorted(kinds[name]).index(_kind(record)) + 1
        fields = record.fields
        if place > 1 and "operationId" in fields:
            fields = {**fields, "operationId": f"{fields['operationId']} ({place})"}
        apart.append(Record(fields, record.answer))
    return apart


def _identifier(record: Record) -> tuple[str, ...]:
    return tuple(str(record.fields.get(name)) for name in ("operationId", "operationDate"))


def _kind(record: Record) -> tuple[str, ...]:
    """Return what tells an operation from another of its day, the opening time first."""
    return tuple(str(record.fields.get(name) or "") for name in _APART)


def distinct(
    found: Sequence[Record],
    read: Callable[[Record], dict[str, Any]],
    key: str,
    name: Name,
) -> list[dict[str, Any]]:
    """Read every record; a few that cannot be read, or contradict another, are named.

    The same row twice is one. Of two different rows of a key neither is believed.
    """
    rows: dict[Any, list[dict[str, Any]]] = {}
    errors: list[UnexpectedPayloadError] = []

    def understood(record: Record) -> tuple[Record, dict[str, Any]]:
        with declared("an operation or holding", publisher=PUBLISHER, url=record.answer.url):
            return record, read(record)

    for record, row in sift(found, understood, name):
        same_key = rows.setdefault(row[key], [])
        if row not in same_key:
            same_key.append(row)
        if len(same_key) == 2:
            errors.append(record.unexpected("comes twice with different values"))
    report(errors, len(rows), name)
    return [row for same_key in rows.values() for row in same_key if len(same_key) == 1]


def _has_surrogate(text: str) -> bool:
    """Tell whether a text holds half a character, which JSON can say and nothing can store."""
    return any("\ud800" <= character <= "\udfff" for character in text)
