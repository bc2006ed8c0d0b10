"""Whether the marts are still what a build would give: their inputs, and how long these hold.

Marts depend on files and on the clock. Nothing that they read changes before the next moment at
which something becomes public, or the next midnight in New York.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from liquidity_pipeline.storage.files import replacing


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
