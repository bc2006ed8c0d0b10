"""What earlier fetches of a source show about its months: which to fetch again and which not."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise

from liquidity_pipeline.sources.fetch import Split, month_end
from liquidity_pipeline.storage.fetch_notes import Fetched

# How long after a month's end publishers still heal and correct it.
_SETTLED = timedelta(days=45)
# A hole is believed when two answers agree on it, or after this many that do not.
_AGREEING, _ENOUGH = 2, 5
# Then it is asked for again after this long, and each time after twice as long as before.
_PATIENCE = timedelta(days=30)
_LONGEST_DOUBLINGS = 5


@dataclass(frozen=True)
class FetchHistory:
    """The good fetches of one source, summed up; without any, nothing is known.

    `gaps` are those that the newest fetch named. `answered` months need not be asked for what they
    lack: several answers that were given when they were long over agree on it, and the newest of
    them is not old. `unfinished` months were asked for only while they ran. Of `missed` months the
    last fetch lacked a part that is served again, or that could not be read; of `failed` ones some
    request was refused, found nothing there, or got no answer that says anything, and no second
    fetch agrees; after a few fetches they grow old too. Of `unheard` months the last fetch had a
    request without an answer, be it the first time or the hundredth. Of `silent` months the only
    answer had no row of a table; of `doubtful` ones it may lack something that nobody misses.
    `held` months of a table had rows. `rebased` months were last fetched before a split was known,
    and are on the old basis.
    """

    gaps: tuple[str, ...] = ()
    answered: frozenset[date] = frozenset()
    unfinished: frozenset[date] = frozenset()
    missed: frozenset[date] = frozenset()
    failed: frozenset[date] = frozenset()
    unheard: frozenset[date] = frozenset()
    silent: Mapping[str, frozenset[date]] = field(default_factory=dict)
    doubtful: Mapping[str, frozenset[date]] = field(default_factory=dict)
    held: Mapping[str, frozenset[date]] = field(default_factory=dict)
    rebased: frozenset[date] = frozenset()


def summarize(records: Sequence[Fetched], today: date | None = None) -> FetchHistory:
    """Sum up the good fetches of one source, given oldest first; `today` makes answers grow old.

    A part that is still not served, or that the newest fetch did not ask for, is not missed:
    asking again would bring the same, run after run.
    """
    if not records:
        return FetchHistory()
    served = records[-1].served
    by_month: dict[date, list[Fetched]] = {}
    for record in records:
        for month in record.window.months:
            by_month.setdefault(month, []).append(record)
    late = {month: _late(month, fetches) for month, fetches in by_month.items()}
    answered = {
        month
        for month, fetches in late.items()
        if _is_believed(month, [f for f in fetches if not f.missed & served], today)
    }
    # The newest answer about each month on which no other one agrees with it.
    alone = {
        month: fetches[-1]
        for month, fetches in by_month.items()
        if not _is_believed(month, late[month] or fetches, today)
    }
    missed = _missed(by_month, served)
    return FetchHistory(
        gaps=tuple(records[-1].gaps),
        answered=frozenset(answered),
        unfinished=_unfinished(by_month),
        missed=frozenset(month for month in missed if not _is_believed(month, late[month], today)),
        failed=frozenset(
            month for month, fetch in alone.items() if fetch.failed or fetch.refused or fetch.missed
        ),
        unheard=frozenset(month for month, fetches in by_month.items() if fetches[-1].failed),
        silent=_silent(alone),
        doubtful=_doubtful(alone),
        held=_held(records),
        rebased=_rebased(by_month, records),
    )


def _missed(by_month: Mapping[date, Sequence[Fetched]], served: frozenset[str]) -> frozenset[date]:
    """Return the months whose last fetch lacked a part that another fetch may bring.

    What could not be read may be readable by now; what was refused, once it is served.
    """
    return frozenset(
        month
        for month, fetches in by_month.items()
        if fetches[-1].missed & served or fetches[-1].unread
    )


def _unfinished(by_month: Mapping[date, Sequence[Fetched]]) -> frozenset[date]:
    """Return the months that were asked for only while they ran."""
    return frozenset(
        month
        for month, fetches in by_month.items()
        if not any(month_end(month) < fetch.day for fetch in fetches)
    )


def _late(month: date, fetches: Sequence[Fetched]) -> list[Fetched]:
    """Return the fetches that asked for a month when publishers were done with it."""
    return [fetch for fetch in fetches if month_end(month) + _SETTLED < fetch.day]


def _is_believed(month: date, fetches: Sequence[Fetched], today: date | None) -> bool:
    """Tell whether what the answers lack of a month is the publisher's, and lately confirmed."""
    agreeing = _agreeing(month, fetches)
    if agreeing < _AGREEING and len(fetches) < _ENOUGH:
        return False
    doublings = min(max(agreeing - _AGREEING, 0), _LONGEST_DOUBLINGS)
    return today is None or today < fetches[-1].day + _PATIENCE * 2**doublings


def _agreeing(month: date, fetches: Sequence[Fetched]) -> int:
    """Return how many of the newest answers agree on which rows a month has.

    A fetch in which a request failed, or brought what nobody could read, agrees with no other: two
    days of the same outage are no proof that there is nothing.
    """
    if not fetches or fetches[-1].failed:
        return 0
    count = 1
    for newer, older in pairwise(reversed(fetches)):
        if older.failed or _present(newer, month) != _present(older, month):
            break
        count += 1
    return count


def _present(record: Fetched, month: date) -> dict[str, str]:
    return {
        table: months[f"{month:%Y-%m}"]
        for table, months in record.present.items()
        if f"{month:%Y-%m}" in months
    }


def _silent(alone: Mapping[date, Fetched]) -> dict[str, frozenset[date]]:
    """Return by table the months without a row, of those on which there is one answer alone."""
    return _by_table(
        (table, month)
        for month, record in alone.items()
        for table, months in record.present.items()
        if f"{month:%Y-%m}" not in months
    )


def _doubtful(alone: Mapping[date, Fetched]) -> dict[str, frozenset[date]]:
    """Return by table the months in doubt, of those with one answer alone."""
    return _by_table(
        (table, month)
        for month, record in alone.items()
        for table, months in record.doubtful.items()
        if f"{month:%Y-%m}" in months
    )


def _by_table(pairs: Iterable[tuple[str, date]]) -> dict[str, frozenset[date]]:
    found: dict[str, set[date]] = {}
    for table, month in pairs:
        found.setdefault(table, set()).add(month)
    return {table: frozenset(months) for table, months in found.items()}


def _held(records: Sequence[Fetched]) -> dict[str, frozenset[date]]:
    return _by_table(
        (table, date.fromisoformat(f"{month}-01"))
        for record in records
        for table, months in record.present.items()
        for month in months
    )


def _rebased(
    by_month: Mapping[date, Sequence[Fetched]], records: Sequence[Fetched]
) -> frozenset[date]:
    """Return the months that were last fetched before the first sight of a later split."""
    place = {id(record): number for number, record in enumerate(records)}
    seen: set[Split] = set()
    months: set[date] = set()
    for number, record in enumerate(records):
        if record.splits - seen:
            months |= {
                month
                for month, fetches in by_month.items()
                if month < record.window.start and place[id(fetches[-1])] < number
            }
        seen |= record.splits
    return frozenset(months)
