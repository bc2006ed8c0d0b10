"""What was already sent: the active alerts and the settlement calendar of the last check.

The state is one small JSON file in the data directory. It is replaced only after the messages were
delivered, so an alert that could not be sent is sent by the next check.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from liquidity_pipeline.storage.files import replacing


@dataclass
class State:
    """`active`: level by key of each alert that was told and has not ended.

    `calendar`: net settlement in USD bn by ISO day, as told last.
    """

    active: dict[str, str] = field(default_factory=dict)
    calendar: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> State:
        """Read the state; raise ValueError, naming the file, when it is damaged."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(dict(content["active"]), dict(content["calendar"]))
        except FileNotFoundError:
            return cls()
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"{path} is damaged ({error}). Delete it: every active alert is then sent again."
            ) from error

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        content = {"active": self.active, "calendar": self.calendar}
        with replacing(path, path.parent / ".alerts") as unfinished:
            unfinished.write_text(json.dumps(content, indent=1, sort_keys=True))
