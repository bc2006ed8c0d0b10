"""What earlier fetches of a source tell about its months: what need not be asked again, or must."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from liquidity_pipeline.sources.fetch import month_end
from liquidity_pipeline.storage.archive import FetchRecord

# How long after a month's end publishers still heal and correct it.
_SETTLED = timedelta(days=45)


@dataclass(frozen=True)
class FetchHistory:
    """The good fetches of one source, summed up; without any, nothing is known.

    `gaps` are those that the newest fetch named. `answered` months were asked for when they were
    long over: what is missing in the middle of them does not exist. `unfinished` months were asked
    for only while they ran. Of `missed` months the last fetch lacked a part that is served again.
    """

    gaps: tuple[str, ...] = ()
    answered: frozenset[date] = frozenset()
    unfinished: frozenset[date] = frozenset()
    missed: frozenset[date] = frozenset()


def summarize(records: Sequence[FetchRecord]) -> FetchHistory:
    """Sum up the good fetches of one source, given oldest first.

    A part that is still not served, or that the newest fetch did not ask for, is not missed:
    asking again would bring the same, run after run.
    """
    if not records:
        return FetchHistory()
    served = records[-1].served
    last = {month: record for record in records for month in record.window.months}
    over = {m for r in records for m in r.window.months if month_end(m) < r.day}
    answered = {
        month
        for record in records
        if not record.missed & served
        for month in record.window.months
        if month_end(month) + _SETTLED < record.day
    }
    return FetchHistory(
        gaps=tuple(records[-1].gaps),
        answered=frozenset(answered),
        unfinished=frozenset(last.keys() - over),
        missed=frozenset(month for month, record in last.items() if record.missed & served),
    )
