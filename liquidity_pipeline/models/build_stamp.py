"""Whether what was built is still what would be built: the inputs, and the moment they hold until.

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


def fingerprint(files: Iterable[Path]) -> str:
    """Return one hash of names, sizes and times of change; files are only ever replaced whole."""
    digest = hashlib.sha256()
    for path in sorted(files):
        state = path.stat()
        digest.update(f"{path}\0{state.st_size}\0{state.st_mtime_ns}\n".encode())
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
        """Say that what stands there is no longer one complete build."""
        self._path.unlink(missing_ok=True)

    def holds(self, inputs: str, now: datetime) -> bool:
        """Tell whether a build from these inputs at this moment would give what stands there."""
        try:
            content = json.loads(self._path.read_text())
            since = datetime.fromisoformat(content["from"])
            until = datetime.fromisoformat(content["until"])
        except (FileNotFoundError, KeyError, ValueError):
            return False
        return content["inputs"] == inputs and since <= now < until
