"""The inputs that a mart depends on, which decide how far its rows and columns are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

# The price tables together: a symbol is in one of them.
PRICES, PRICE_TABLES = "prices", ("index_prices", "crypto_prices")


@dataclass(frozen=True)
class Refinement:
    """An input that makes values which rest on another one more exact.

    A lake that was never served it uses a coarser basis. One that was served knows none of these
    values beyond it. With `needed_with` the coarser basis is used only where that input was never
    answered either; where it was, the values are not known from `from_day` on.
    """

    table: str
    needed_with: tuple[str, str] | None = None
    from_day: date | None = None


# What matures depends on what buybacks had retired of a security, and what the public pays on what
# the Fed holds of it. The buyback programme began on 2024-05-29.
RETIRED = Refinement("buyback_securities", ("debt_settlements", "buybacks"), date(2024, 5, 29))
HOLDINGS = Refinement("soma_securities")
REFINEMENTS: Mapping[str, Refinement] = {each.table: each for each in (RETIRED, HOLDINGS)}


@dataclass(frozen=True, eq=False)
class Input:
    """One input of a mart, named as in `meta.coverage`; `PRICES` for whichever table has a symbol.

    A row whose day (`Table.reach`) lies beyond what is known of the input is absent; with `columns`
    these are NULL instead. `entity` names the part of the table. `entity_column`: the row's own
    column does (a symbol). `class_column`: every symbol of the row's asset class must be known,
    `class_entity`: of the named class. `only` restricts the input to rows with these values.
    `since`: the column with the first day that counts into the row, for what is known by question.
    `from_day` (ISO): rows before it do not rest on the input; where it is not given, the first day
    on which the publisher's calendar expects the input. `from_start`: rows before the first day
    that is known are cut too, so that a later start of the record changes nothing but absence.
    `is_change`: the row is a change from the day before, so that with `from_start` the first day of
    a record that begins after `from_day` is cut as well.
    `is_current`: the row is absent unless all that is due of the input is known, because it speaks
    of the present. `looks_ahead`: rows of days to come are there as long as the input is current,
    and go when it is not. `days` are added to the row's day (a week named by its Monday reaches six
    days further); `by` names another column than `reach` for it. `only_ahead`:
    only rows of days after the run's rest on it. `where`: only rows for which this SQL condition on
    their own columns holds. An input in `REFINEMENTS` cuts only where it was served and is behind.
    """

    table: str
    entity: str = ""
    columns: tuple[str, ...] = ()
    entity_column: str | None = None
    class_column: str | None = None
    class_entity: str | None = None
    only: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: str | None = None
    from_day: str | None = None
    from_start: bool = False
    is_change: bool = False
    is_current: bool = False
    looks_ahead: bool = False
    days: int = 0
    by: str | None = None
    only_ahead: bool = False
    where: str | None = None

    @property
    def label(self) -> str:
        """Say it in one phrase, for the data dictionary."""
        name = f"{self.table}/{self.entity}" if self.entity else self.table
        if self.entity_column:
            name = f"{name} of the row's {self.entity_column}"
        if self.class_column:
            name = f"{name} of all symbols of the row's {self.class_column}"
        if self.class_entity:
            name = f"{name} of all symbols of class {self.class_entity}"
        rows = "; ".join(f"{column} {', '.join(values)}" for column, values in self.only.items())
        what = ", ".join(self.columns) or "the row"
        if self.from_day:
            rows = f"{rows}; from {self.from_day}".removeprefix("; ")
        if self.looks_ahead:
            rows = f"{rows}; days to come while current".removeprefix("; ")
        if self.only_ahead:
            rows = f"{rows}; days to come".removeprefix("; ")
        if self.where:
            rows = f"{rows}; where {self.where}".removeprefix("; ")
        if self.is_current:
            rows = f"{rows}; only while current".removeprefix("; ")
        if self.table in REFINEMENTS:
            rows = f"{rows}; unless never served".removeprefix("; ")
        return f"{what}: {name}" + (f" ({rows})" if rows else "")


def for_rows(inputs: Iterable[Input], **only: tuple[str, ...] | str) -> tuple[Input, ...]:
    """Restrict inputs to rows whose columns have one of the given values."""
    values = {name: (v,) if isinstance(v, str) else v for name, v in only.items()}
    return tuple(replace(each, only={**each.only, **values}) for each in inputs)


def refined(auctions: Input, *finer: Refinement, **changes: Any) -> tuple[Input, ...]:
    """Return what makes an input more exact, as inputs for the same rows; `changes` are fields."""
    return tuple(replace(auctions, table=each.table, entity="", **changes) for each in finer)


def public_share(auctions: Input, **changes: Any) -> tuple[Input, ...]:
    """Return what, beside the auctions, decides how much of a settlement the public pays."""
    return refined(auctions, RETIRED, HOLDINGS, **changes)
