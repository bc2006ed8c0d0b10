"""What `liquidity status` shows, noted at each publication and read without heavy libraries.

    <data-dir>/status.json

The note is derived and may be deleted at any time. It counts only as long as nothing that it was
made of has changed: the lake's files, the fetches, the symbols, the code and the published file.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.ingestion.due_days import Expectation, end_of_month
from liquidity_pipeline.settings import Settings
from liquidity_pipeline.storage.files import mark_of, replacing
from liquidity_pipeline.storage.held_files import every_file

_PACKAGE = Path(__file__).parents[1]
# The code that decides what is due and what is held.
_ROOMS = ("contracts", "ingestion", "sources", "storage")
_FILES = ("calendars.py", "holidays.csv", "universe.py")


def state_of_inputs(settings: Settings, lake: Sequence[str] | None = None) -> str:
    """Return a hash of what freshness rests on; it changes when any file is replaced.

    Files of the lake count by inode, size and time of change, fetches by the newest of each source.
    `lake` are these files where somebody has looked for them just now.
    """
    parts = [*files_of(settings.lake_dir)] if lake is None else [*lake]
    parts += _newest_fetches(settings.archive_dir)
    parts.append(hashlib.sha256(_content(settings.reference_dir / "universe.toml")).hexdigest())
    parts += _marks(_code())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write(
    settings: Settings,
    state: str,
    expected: Iterable[Expectation],
    now: datetime,
    *,
    built_at: datetime,
    made_of: str,
) -> None:
    """Note a publication. `state` was taken before `expected` was; moments are naive UTC.

    `made_of` is a hash of what was published.
    """
    content = {
        "state": state,
        "from": now,
        "until": end_of_month(now),
        "expected": [one.to_json() for one in expected],
        "published": {
            "mark": mark_of(settings.published_file),
            "built_at": built_at,
            "as_of": new_york_day(now),
            "made_of": made_of,
        },
    }
    with replacing(_path(settings), settings.scratch_dir) as unfinished:
        unfinished.write_text(json.dumps(content, default=_iso), encoding="utf-8")


def freshness(settings: Settings) -> list[dict[str, object]] | None:
    """Return the rows of `meta.freshness` as of now; None where the note does not count.

    It does not where other machines fetch into the same lake: no file here says that they did.
    """
    if settings.lake_url is not None:
        return None
    now = settings.now.astimezone(UTC).replace(tzinfo=None)
    try:
        note = _read(settings)
        since, until = (datetime.fromisoformat(note[name]) for name in ("from", "until"))
        if not since <= now < until or note["state"] != state_of_inputs(settings):
            return None
        return [Expectation.from_json(one).row(now) for one in note["expected"]]
    except (OSError, KeyError, TypeError, ValueError):
        return None


def built_at(settings: Settings) -> datetime | None:
    """Return when the published file was built (UTC); None where the note is of another file."""
    moment = _of_published(settings, "built_at")
    return None if moment is None else datetime.fromisoformat(moment).replace(tzinfo=UTC)


def as_of(settings: Settings) -> date | None:
    """Return the last day that the published file uses; None where the note is of another."""
    day = _of_published(settings, "as_of")
    return None if day is None else date.fromisoformat(day)


def made_of(settings: Settings) -> str | None:
    """Return the hash of what was published; None where the note is of another file."""
    return _of_published(settings, "made_of")


def _of_published(settings: Settings, what: str) -> str | None:
    try:
        published = _read(settings)["published"]
        of_this_file = published["mark"] == mark_of(settings.published_file)
        return str(published[what]) if of_this_file else None
    except (OSError, KeyError, TypeError, ValueError):
        return None


def _path(settings: Settings) -> Path:
    return settings.data_dir / "status.json"


def _read(settings: Settings) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_path(settings).read_text(encoding="utf-8"))
    return content


def _iso(value: object) -> str:
    return value.isoformat()  # type: ignore[attr-defined,no-any-return]


def files_of(root: Path) -> Iterator[str]:
    """Yield a mark of every file in the folders of a lake's tables, and not of what is derived."""
    for folder in _folders(root):
        found = every_file(folder)
        for name, mark in zip(found.names, found.marks, strict=True):
            yield f"{folder}/{name} {mark}"


def _newest_fetches(archive: Path) -> Iterator[str]:
    """Yield the newest record of each source: records are never changed, only added."""
    for folder in _folders(archive / "fetches"):
        names = [entry.name for entry in os.scandir(folder) if entry.name.endswith(".json")]
        yield f"{folder.name} {max(names, default='')} {len(names)}"


def _folders(root: Path) -> Sequence[Path]:
    entries = _entries(root)
    return [Path(e.path) for e in entries if e.is_dir() and not e.name.startswith(".")]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        return sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []


def _code() -> Iterator[Path]:
    yield from (_PACKAGE / name for name in _FILES)
    for name in _ROOMS:
        yield from sorted((_PACKAGE / name).rglob("*.py"))


def _marks(paths: Iterable[Path]) -> Iterator[str]:
    for path in paths:
        yield f"{path} {mark_of(path)}"


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
