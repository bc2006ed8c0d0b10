"""A hash of what each table of a lake holds, taken again only where a file was replaced.

    lake/.contents.json

The file is derived and may be deleted at any time. The lake has one file for every table and month,
and a run that finds nothing new would read all of them only to see that nothing changed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from liquidity_pipeline.models.build_stamp import fingerprint
from liquidity_pipeline.storage.files import replacing

if TYPE_CHECKING:
    from liquidity_pipeline.contracts.table import Table
    from liquidity_pipeline.storage.lake import Lake

# By name of a table: the state of its files, and a fingerprint of what is in them.
Noted = dict[str, tuple[str, str]]


class LakeContents:
    """The contents of the tables of one lake."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._path = lake.root / ".contents.json"
        self._noted: Noted = {}

    def of(self, tables: Mapping[str, Table]) -> dict[str, str]:
        """Return a fingerprint of each table; raise OSError where a file has gone."""
        noted, found, news = self._noted or self._read(), {}, {}
        for name, table in tables.items():
            state, is_settled = self._lake.settled_state(table)
            before, content = noted.get(name, ("", ""))
            if before != state:
                content = fingerprint((self._lake.root, self._lake.files(table)))
                if is_settled:
                    news[name] = state, content
            found[name] = content
        self._noted = {**noted, **news}
        if news:
            self._write()
        return found

    def _read(self) -> Noted:
        """Return what is noted; nothing where there is no note, or one that is not understood."""
        try:
            noted = json.loads(self._path.read_text(encoding="utf-8"))
            return {name: (state, content) for name, (state, content) in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _write(self) -> None:
        with (
            suppress(OSError),  # it only spares the next run its reading
            replacing(self._path, self._lake.root / ".unfinished") as unfinished,
        ):
            unfinished.write_text(json.dumps(self._noted), encoding="utf-8")
