"""What fetches say of themselves, without their answers: enough to decide what to ask for next.

    archive/.notes/<source>.json

A record in the archive holds every request with its headers, and each source gets one or more a
day. Reading ten years of them would take several times as long as the rest of a run. Most of them
say nothing that newer ones do not say as well, and are left out here. The file is derived: it may
be deleted at any time, and is written again from the records.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

from liquidity_pipeline.sources.fetch import Split, Window
from liquidity_pipeline.storage.fetch_record import AskedAt, FetchRecord
from liquidity_pipeline.storage.files import replacing

# So many newer answers that say as much about a month supersede an older one: a hole is asked for
# at longer and longer intervals until seven answers agree on it.
_KEPT_PER_MONTH = 8
# The code that reads a record; with other code, the notes are made again.
_CODE = ("storage/fetch_notes.py", "storage/fetch_record.py", "sources/publishers.py")


@dataclass(frozen=True)
class FetchNote(AskedAt):
    """One fetch: what it asked for, what it says of each month, and what did not come.

    The names are those of FetchRecord, which also has the answers. Times are naive UTC.
    """

    window: Window
    now: datetime
    kept_at: datetime
    gaps: Sequence[str]
    error: str | None
    splits: frozenset[Split]
    present: Mapping[str, Mapping[str, str]]
    doubtful: Mapping[str, Sequence[str]]
    missed: frozenset[str]
    served: frozenset[str]
    paths: frozenset[str]
    failed: bool
    refused: bool
    unread: bool

    @classmethod
    def of(cls, record: FetchRecord) -> FetchNote:
        """Return what a record says without its answers."""
        return cls(**{name: getattr(record, name) for name in cls.__dataclass_fields__})


# Either says what is asked of it here.
Fetched = FetchNote | FetchRecord


@dataclass(frozen=True)
class Asked:
    """What one source was asked, oldest first: fetches, and the moments of all without an error.

    Of `fetches` those may be missing that newer ones supersede: see `compact`.
    """

    fetches: Sequence[Fetched] = ()
    good_at: Sequence[datetime] = ()

    @classmethod
    def of(cls, fetches: Iterable[Fetched]) -> Asked:
        """Return it of all fetches of a source."""
        fetches = list(fetches)
        return cls(fetches, [one.asked_at for one in fetches if one.error is None])

    @property
    def good(self) -> list[Fetched]:
        """The fetches without an error."""
        return [one for one in self.fetches if one.error is None]

    def is_known_by(self, moment: datetime) -> bool:
        """Tell whether none of this was asked later than a moment."""
        last = self.fetches[-1:]
        return all(at <= moment for at in (*self.good_at, *(one.asked_at for one in last)))


def compact(notes: Sequence[FetchNote]) -> list[FetchNote]:
    """Return the notes, oldest first, without those that newer ones supersede.

    What is asked for next, how far an input is known, and why no further, is the same with and
    without these. Kept are the newest note of all, of each month the newest that say all that an
    older one does, and the first that reports a split. It holds for moments after the newest fetch:
    for an earlier one every record counts.
    """
    first_reports = _first_to_report_splits(notes)
    newer: dict[date, list[FetchNote]] = defaultdict(list)
    kept: list[FetchNote] = []
    for number in reversed(range(len(notes))):
        note = notes[number]
        is_superseded = note.error is not None or all(
            _is_superseded(note, month, newer[month]) for month in note.window.months
        )
        if kept and is_superseded and number not in first_reports:
            continue
        kept.append(note)
        if note.error is None:
            for month in note.window.months:
                newer[month].append(note)
    return kept[::-1]


def _first_to_report_splits(notes: Sequence[FetchNote]) -> set[int]:
    found, seen = set(), set[Split]()
    for number, note in enumerate(notes):
        if note.error is None and note.splits - seen:
            found.add(number)
            seen |= note.splits
    return found


def _is_superseded(note: FetchNote, month: date, newer: Sequence[FetchNote]) -> bool:
    found = (other for other in newer if _supersedes(other, note, month))
    return len(list(islice(found, _KEPT_PER_MONTH))) == _KEPT_PER_MONTH


def _supersedes(newer: FetchNote, older: FetchNote, month: date) -> bool:
    """Tell whether an answer says all that an older one says about the same month."""
    return (
        newer.asked_at >= older.asked_at
        and newer.missed == older.missed
        and newer.paths >= older.paths
        and set(newer.gaps) <= set(older.gaps)
        and _tables_with_rows(newer, month) >= _tables_with_rows(older, month)
    )


def _tables_with_rows(note: FetchNote, month: date) -> set[str]:
    return {table for table, months in note.present.items() if f"{month:%Y-%m}" in months}


# --- the file -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Noted:
    """The notes of the records with these names; those that newer ones supersede may be absent.

    `good_at` are the moments of all that had no error.
    """

    names: Sequence[str] = ()
    notes: Sequence[FetchNote] = ()
    good_at: Sequence[datetime] = ()

    @property
    def asked(self) -> Asked:
        """What the records say together."""
        return Asked(self.notes, self.good_at)

    def with_new(self, names: Sequence[str], notes: Sequence[FetchNote]) -> Noted:
        """Add the notes of newer records; `names` are those of all."""
        good_at = [note.asked_at for note in notes if note.error is None]
        return Noted(names, [*self.notes, *notes], [*self.good_at, *good_at])

    def compacted(self) -> Noted:
        """Leave out the notes that newer ones supersede."""
        return replace(self, notes=compact(self.notes))


def read(path: Path, names: Sequence[str]) -> Noted:
    """Return the notes of the first of these records, or of none where the file is of no use.

    It is not where it was made from other records, or by other code.
    """
    try:
        content = json.loads(path.read_bytes())
        count = content["count"]
        if content["made_of"] != _made_of(names[:count]) or count > len(names):
            return Noted()
        texts = [frozenset(each) for each in content["texts"]]
        notes = [_from_json(each, content["texts"], texts) for each in content["notes"]]
        moments = [datetime.fromisoformat(each) for each in content["good_at"]]
        return Noted(names[:count], notes, moments)
    except (OSError, LookupError, TypeError, ValueError, AttributeError):
        return Noted()


def write(path: Path, noted: Noted, scratch: Path) -> None:
    """Keep what is noted."""
    texts: dict[tuple[str, ...], int] = {}
    notes = [_to_json(note, texts) for note in noted.notes]
    content = {
        "made_of": _made_of(noted.names),
        "count": len(noted.names),
        "good_at": [f"{moment}" for moment in noted.good_at],
        "texts": list(texts),
        "notes": notes,
    }
    with replacing(path, scratch) as unfinished:
        unfinished.write_text(json.dumps(content, separators=(",", ":")), encoding="utf-8")


def _made_of(names: Sequence[str]) -> str:
    return hashlib.sha256("\n".join([_code(), *names]).encode()).hexdigest()


@cache
def _code() -> str:
    package = Path(__file__).parents[1]
    return hashlib.sha256(b"".join((package / name).read_bytes() for name in _CODE)).hexdigest()


def _to_json(note: FetchNote, texts: dict[tuple[str, ...], int]) -> list[Any]:
    """Return a note as a list; texts that many notes repeat are kept once, and named by number."""

    def numbered(found: Iterable[str]) -> int:
        return texts.setdefault(tuple(found), len(texts))

    return [
        f"{note.window.start}",
        f"{note.window.end}",
        f"{note.now}",
        f"{note.kept_at}",
        numbered(note.gaps),
        note.error,
        [[publisher, symbol, f"{day}", ratio] for publisher, symbol, day, ratio in note.splits],
        note.present,
        note.doubtful,
        numbered(sorted(note.missed)),
        numbered(sorted(note.served)),
        numbered(sorted(note.paths)),
        [note.failed, note.refused, note.unread],
    ]


def _from_json(
    note: Sequence[Any], lists: Sequence[Sequence[str]], sets: Sequence[frozenset[str]]
) -> FetchNote:
    start, end, now, kept_at, gaps, error, splits, present, doubtful, *parts, told = note
    missed, served, paths = (sets[number] for number in parts)
    failed, refused, unread = told
    return FetchNote(
        window=Window(date.fromisoformat(start), date.fromisoformat(end)),
        now=datetime.fromisoformat(now),
        kept_at=datetime.fromisoformat(kept_at),
        gaps=lists[gaps],
        error=error,
        splits=frozenset(
            (publisher, symbol, date.fromisoformat(day), ratio)
            for publisher, symbol, day, ratio in splits
        ),
        present=present,
        doubtful=doubtful,
        missed=missed,
        served=served,
        paths=paths,
        failed=failed,
        refused=refused,
        unread=unread,
    )
