"""Whether the stored marts equal a new build: their inputs, and how long these are valid.

Marts depend on files and on the clock. Nothing that they read changes before the next moment at
which something becomes public, or the next midnight in New York.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.calendars import utc
from liquidity_pipeline.contracts.sources import SOURCE_TABLES
from liquidity_pipeline.storage.files import replacing
from liquidity_pipeline.storage.lake import Lake

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

_PACKAGE = Path(__file__).parents[1]
_NOW = "(select now from meta.clock)"


def fingerprint(*folders: tuple[Path, Iterable[Path]]) -> str:
    """Return one hash of the names (relative to their folder) and contents of files.

    Neither the folder's place nor a file's time of change counts, so a copied data directory or
    another checkout of the same code gives the same hash.
    """
    digest = hashlib.blake2b(digest_size=32)
    for folder, files in folders:
        for path in sorted(files):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()


class BuildStamp:
    """The mark that a complete build leaves beside its results. Moments are naive UTC."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "built.json"
        self._scratch = folder / ".unfinished"

    def set(self, inputs: str, now: datetime, holds_until: datetime) -> None:
        """Say that everything was built from these inputs."""
        content = {"inputs": inputs, "from": now.isoformat(), "until": holds_until.isoformat()}
        with replacing(self._path, self._scratch) as path:
            path.write_text(json.dumps(content))

    def clear(self) -> None:
        """Say that the stored marts are no longer one complete build."""
        self._path.unlink(missing_ok=True)

    def holds(self, inputs: str, now: datetime) -> bool:
        """Tell whether a build from these inputs now would give the stored marts."""
        try:
            content = json.loads(self._path.read_text())
            since = datetime.fromisoformat(content["from"])
            until = datetime.fromisoformat(content["until"])
        except (FileNotFoundError, KeyError, ValueError):
            return False
        return content["inputs"] == inputs and since <= now < until


def inputs_of_marts(lake: Lake, reference_dir: Path, coverage: pa.Table) -> str:
    """Return a fingerprint of all that marts are made of: rows, their reach, facts, code."""
    rows = (path for table in SOURCE_TABLES.values() for path in lake.files(table))
    code = [_PACKAGE / name for name in ("calendars.py", "holidays.csv", "universe.py")]
    for room in ("contracts", "engines", "models", "statistics"):
        code += [p for p in (_PACKAGE / room).rglob("*") if p.suffix in (".py", ".sql")]
    files = fingerprint(
        (lake.root, rows),
        (reference_dir, reference_dir.glob("*.*")),
        (_PACKAGE, code),
    )
    # Why an input ends is for people; marts depend on where it does.
    reach = coverage.drop_columns(["reason"]).to_pylist()
    return f"{files} {hashlib.sha256(repr(reach).encode()).hexdigest()}"


def next_change(connection: duckdb.DuckDBPyConnection, today: date) -> datetime:
    """Return the next moment at which what is public changes, or the New York day does.

    `connection` is a session on all source tables; the moment is naive UTC.
    """
    tomorrow = utc(today + timedelta(days=1), time())
    visible = [f"select min(known_by) as moment from meta.calendar_days where known_by > {_NOW}"]
    for table in SOURCE_TABLES.values():
        moments = {"known_at", "announced_at", "results_at"} & set(table.column_names)
        visible += [
            f"select min({moment}) from lake.{table.name} where {moment} > {_NOW}"
            for moment in sorted(moments)
        ]
    ((soonest,),) = connection.execute(
        f"select min(moment) from ({' union all '.join(visible)})"
    ).fetchall()
    return min(tomorrow, soonest) if soonest else tomorrow
