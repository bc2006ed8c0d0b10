"""One fetch as the archive remembers it: what was asked, when, what came, and what did not."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.sources.fetch import Split, Window
from liquidity_pipeline.sources.publishers import PUBLISHERS

# A parameter that is a number or holds a day says which rows, or which page, are asked for.
_WHICH_ROWS = re.compile(r"^\d+$|\d{4}-\d\d-\d\d")


class AskedAt:
    """When something was asked. `now` is the moment for the asker, `kept_at` the real one."""

    now: datetime
    kept_at: datetime

    @property
    def asked_at(self) -> datetime:
        """The moment for which it was asked: the real one, or an earlier one as of it."""
        return min(self.now, self.kept_at)

    @property
    def day(self) -> date:
        """The New York day of that moment."""
        return new_york_day(self.asked_at)


@dataclass(frozen=True)
class FetchRecord(AskedAt):
    """One fetch as the archive remembers it. Times are naive UTC.

    `now` is the moment of the fetch, which `--as-of` sets back; `kept_at` is when it
    really happened, and gives the order. `present` holds by table and month (YYYY-MM) a digest of
    the keys and the empty cells that came: two answers with the same digest agree on what there
    is. `doubtful` are by table the months of which the answer may lack something unnoticed.
    """

    source: str
    window: Window
    now: datetime
    kept_at: datetime
    universe: dict[str, Any]
    answers: list[dict[str, Any]]
    gaps: list[str]
    error: str | None
    path: Path | None = field(default=None, compare=False)
    splits: frozenset[Split] = frozenset()
    present: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    doubtful: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def is_as_of(self) -> bool:
        """Tell whether the fetch was made as of an earlier day."""
        return self.day < new_york_day(self.kept_at)

    @property
    def stands_for(self) -> datetime:
        """The moment whose state of the publishers the answers show.

        A stand-in answers as of `now`. A live service answers with what it has today, also to a
        fetch that is made as of an earlier day.
        """
        is_live = any(
            answer["url"].startswith(PUBLISHERS[answer["publisher"]].live_url)
            for answer in self.answers
            if answer["publisher"] in PUBLISHERS
        )
        return self.kept_at if is_live else self.asked_at

    @property
    def missed(self) -> frozenset[str]:
        """What was asked for and did not come, whatever days it was asked for."""
        return frozenset(_part(answer) for answer in self.answers if not _came(answer))

    @property
    def failed(self) -> bool:
        """Tell whether a request got no answer, or one that says nothing: the next one may."""
        return any(
            answer["failure"] is not None or answer.get("useless", False) for answer in self.answers
        )

    @property
    def refused(self) -> bool:
        """Tell whether a publisher refused a request, which does not say that it lacks the answer.

        A client that asks too often, or from the wrong place, is refused.
        """
        return any(
            answer["failure"] is None
            and answer["publisher"] in PUBLISHERS
            and answer["status"] not in (HTTPStatus.OK, *PUBLISHERS[answer["publisher"]].not_there)
            for answer in self.answers
        )

    @property
    def unread(self) -> bool:
        """Tell whether an answer came that could not be understood, or not wholly."""
        return any(answer.get("unread") for answer in self.answers)

    @property
    def served(self) -> frozenset[str]:
        """What was asked for and came completely."""
        return frozenset(_part(answer) for answer in self.answers if _came(answer)) - self.missed

    @property
    def paths(self) -> frozenset[str]:
        """The paths of the addresses that were asked."""
        return frozenset(str(answer["path"]) for answer in self.answers)

    def to_json(self) -> str:
        """Return the record as JSON text."""
        return json.dumps(
            {
                "source": self.source,
                "window": [self.window.start.isoformat(), self.window.end.isoformat()],
                "now": self.now.isoformat(),
                "kept_at": self.kept_at.isoformat(),
                "universe": self.universe,
                "answers": self.answers,
                "gaps": self.gaps,
                "error": self.error,
                "splits": [[*split[:2], f"{split[2]}", split[3]] for split in sorted(self.splits)],
                "present": self.present,
                "doubtful": self.doubtful,
            },
            indent=1,
        )

    @classmethod
    def load(cls, path: Path) -> FetchRecord:
        """Read a record; raise ValueError that names the file when it is damaged."""
        try:
            content = json.loads(path.read_text())
            start, end = (date.fromisoformat(day) for day in content["window"])
            return cls(
                source=content["source"],
                window=Window(start, end),
                now=datetime.fromisoformat(content["now"]),
                kept_at=datetime.fromisoformat(content["kept_at"]),
                universe=content["universe"],
                answers=content["answers"],
                gaps=content["gaps"],
                error=content["error"],
                path=path,
                splits=frozenset(
                    (publisher, symbol, date.fromisoformat(day), ratio)
                    for publisher, symbol, day, ratio in content.get("splits", [])
                ),
                present=content.get("present", {}),
                doubtful=content.get("doubtful", {}),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"{path} is not a fetch record ({error}).") from error


def _came(answer: dict[str, Any]) -> bool:
    read = answer["failure"] is None and not answer.get("unread")
    return read and answer["status"] == HTTPStatus.OK


def _part(answer: dict[str, Any]) -> str:
    """Return the same name for requests that differ only in days, pages and other numbers."""
    params = {k: v for k, v in answer["params"].items() if not _WHICH_ROWS.search(str(v))}
    return request_key(answer["publisher"], answer["path"], params)


def request_key(publisher: str, path: str, params: dict[str, Any]) -> str:
    """Return the same text for equal requests."""
    return json.dumps([publisher, path, params], sort_keys=True)
