"""What all publishers share: request, reply, the world they publish from, and its clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from liquidity_pipeline.sandbox import clock
from liquidity_pipeline.sandbox.clock import Release
from liquidity_pipeline.sandbox.economy import Economy

T = TypeVar("T")

HTML = "text/html; charset=utf-8"
NOT_FOUND_PAGE = (
    '<!DOCTYPE html>\n<html lang="en">\n<head><title>404 Not Found</title></head>\n'
    "<body><h1>404 Not Found</h1></body>\n</html>\n"
)


@dataclass(frozen=True)
class Request:
    """A GET request below the publisher's prefix; `query` keeps order and repetition."""

    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]

    @property
    def parameters(self) -> dict[str, str]:
        """The query as a mapping; the last of repeated parameters wins."""
        return dict(self.query)


@dataclass(frozen=True)
class Reply:
    """An answer as it goes on the wire."""

    status: int
    body: str | bytes
    content_type: str | None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - an answer of the publisher, not an error of the sandbox
    """Raised to answer at once, with the publisher's error body."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@dataclass
class World:
    """An economy, the moment from which it is looked at, and the first day that is served."""

    economy: Economy
    start: int
    moment: Callable[[], int]
    kept: dict[str, Any] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """Epoch seconds of the clock."""
        return self.moment()

    @property
    def today(self) -> int:
        """New York's date at the clock, as a day number."""
        return clock.new_york_day(self.now)

    def last_public(self, release: Release) -> int:
        """Return the newest day whose figure this release has made public."""
        return clock.last_public(release, self.now)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Return what `make` built at the first call under this name."""
        if name not in self.kept:
            self.kept[name] = make()
        kept: T = self.kept[name]
        return kept


def not_found() -> Reply:
    """Answer a path that does not exist, as a web server does."""
    return Reply(404, NOT_FOUND_PAGE, HTML)


def compact(document: Any) -> str:
    """Write JSON without spaces."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)
