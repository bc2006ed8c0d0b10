"""A hash of what each table of a lake holds, taken again only where a file was replaced.

    lake/.contents.json

The file is derived and may be deleted at any time. The lake has one file for every table and month,
and a run that finds nothing new would read all of them only to see that nothing changed.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from liquidity_pipeline.models.build_stamp import fingerprint
from liquidity_pipeline.storage.files import replacing

if TYPE_CHECKING:
    from liquidity_pipeline.contracts.table import Table
    from liquidity_pipeline.storage.lake import Lake

# A file system counts time in steps of some milliseconds. What was written just now could be
# replaced within the same step and look the same, so its content is not noted yet.
_SETTLED_SECONDS = 0.1


@dataclass
class LakeContents:
    """The contents of the tables of one lake, by the state of their files."""

    lake: Lake
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, tables: Mapping[str, Table]) -> dict[str, str]:
        """Return a fingerprint of each table; raise OSError where a file has gone."""
        before = self._known or self._read()
        self._known = {name: self._taken(table, before.get(name)) for name, table in tables.items()}
        if self._known != before:
            self._write(tables)
        return {name: content for name, (_, content) in self._known.items()}

    def _taken(self, table: Table, before: tuple[str, str] | None) -> tuple[str, str]:
        state = self.lake.state(table)
        if before is not None and before[0] == state:
            return before
        return state, fingerprint((self.lake.root, self.lake.files(table)))

    @property
    def _path(self) -> Path:
        return self.lake.root / ".contents.json"

    def _read(self) -> dict[str, tuple[str, str]]:
        """Return what is noted; nothing where there is no note, or one that is not understood."""
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: (state, content) for name, (state, content) in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self, tables: Mapping[str, Table]) -> None:
        settled = {n: known for n, known in self._known.items() if self._is_settled(tables[n])}
        with (
            suppress(OSError),  # it only spares the next run its reading
            replacing(self._path, self.lake.root / ".unfinished") as unfinished,
        ):
            unfinished.write_text(json.dumps(settled), encoding="utf-8")

    def _is_settled(self, table: Table) -> bool:
        return self.lake.changed_at(table) < time.time() - _SETTLED_SECONDS
