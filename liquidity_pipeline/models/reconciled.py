"""What reconciliations found, kept for as long as nothing that they compare has changed.

    <marts>/reconciled.json

The file is derived and may be deleted at any time: what it does not say is evaluated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import astuple, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.models.build_stamp import NextChanges, Stamp, next_changes
from liquidity_pipeline.models.mart_inputs import MartInputs, named
from liquidity_pipeline.models.reconciliations import reconciliation
from liquidity_pipeline.models.reconciliations.reconciliation import (
    Reconciliation,
    ReconciliationResult,
)
from liquidity_pipeline.storage.files import replacing

if TYPE_CHECKING:
    import duckdb

Outcome = tuple[Reconciliation, ReconciliationResult]
Session = Callable[[frozenset[str]], AbstractContextManager["duckdb.DuckDBPyConnection"]]


@dataclass(frozen=True)
class Found:
    """The outcome of one reconciliation, and of what inputs and for which moments it is true."""

    stamp: Stamp
    result: ReconciliationResult


class Reconciled:
    """The outcomes beside the stored marts, by the names of the reconciliations."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "reconciled.json"
        self._scratch = folder / ".unfinished"

    def results(
        self,
        checks: Sequence[Reconciliation],
        inputs: Callable[[], MartInputs],
        now: datetime,
        today: date,
        session: Session,
    ) -> list[ReconciliationResult]:
        """Return what each check finds at `now` (naive UTC); run those that compare other inputs.

        `inputs` reads the present ones; `session` opens one on the tables that are named.
        """
        known, made_of = self._read(), inputs()
        holding = {
            check.name: known[check.name].result
            for check in checks
            if check.name in known and known[check.name].stamp.holds(made_of.of_check(check), now)
        }
        news = [check for check in checks if check.name not in holding]
        if not news:
            return [holding[check.name] for check in checks]
        read = frozenset[str]().union(*(check.reads for check in news))
        with session(read) as connection:
            changes = next_changes(connection, today, named(read, "sources."))
            found = [(check, reconciliation.evaluate(check, connection)) for check in news]
        # What another process replaced meanwhile may have been compared or not.
        after = inputs()
        same = [each for each in found if after.of_check(each[0]) == made_of.of_check(each[0])]
        self._write(known | _stamped(same, made_of, now, changes))
        holding |= {check.name: result for check, result in found}
        return [holding[check.name] for check in checks]

    def add(
        self,
        found: Sequence[Outcome],
        made_of: MartInputs,
        now: datetime,
        changes: NextChanges,
        order: Sequence[str],
    ) -> None:
        """Keep what was found while the marts in `order` were built, each one's checks after it.

        Not kept is what compared a mart as it was before its turn.
        """
        turn = {name: number for number, name in enumerate(order)}
        settled = [
            (check, result)
            for check, result in found
            if all(turn.get(read, 0) <= turn[check.mart] for read in named(check.reads, "marts."))
        ]
        if settled:
            self._write(self._read() | _stamped(settled, made_of, now, changes))

    def _read(self) -> dict[str, Found]:
        """Return what is kept; nothing where there is no file, or one that cannot be understood."""
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: _found(*parts) for name, parts in content.items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, known: Mapping[str, Found]) -> None:
        content = {
            name: [
                found.stamp.inputs,
                found.stamp.since.isoformat(),
                found.stamp.until.isoformat(),
                astuple(found.result),
            ]
            for name, found in known.items()
        }
        with replacing(self._path, self._scratch) as unfinished:
            unfinished.write_text(json.dumps(content, indent=0), encoding="utf-8")


def _stamped(
    found: Iterable[Outcome], made_of: MartInputs, now: datetime, changes: NextChanges
) -> dict[str, Found]:
    return {
        check.name: Found(
            Stamp(made_of.of_check(check), now, changes.of(named(check.reads, "sources."))), result
        )
        for check, result in found
    }


def _found(inputs: str, since: str, until: str, result: Sequence[object]) -> Found:
    stamp = Stamp(inputs, datetime.fromisoformat(since), datetime.fromisoformat(until))
    return Found(stamp, ReconciliationResult(*result))  # type: ignore[arg-type]
