"""The answer of a publisher, and a first look at it; how it was fetched is for `http`.

This module loads no library: the archive and the code location need answers, but no HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NoReturn

from liquidity_pipeline.sources.errors import (
    NotServedError,
    PublisherError,
    RejectedError,
    UnexpectedPayloadError,
)
from liquidity_pipeline.sources.publishers import PUBLISHERS


@dataclass(frozen=True)
class KeptBody:
    """A body that the archive has taken over: its SHA-256 and its length in bytes."""

    sha256: str
    size: int


@dataclass(frozen=True)
class Answer:
    """One answer of a publisher; `status` is 200, or a refusal that the archive keeps as well.

    `url` is where the body came from: the last URL where the publisher redirected within its host.
    `failure` says why all attempts failed where no usable answer came; `status` and `body` are then
    those of the last attempt, or 0 and empty. `kept` is where the body went that is no longer in
    `body`.
    """

    publisher: str
    path: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    failure: str | None = None
    kept: KeptBody | None = None

    def text(self) -> str:
        """Return the body as text, without a byte-order mark; raise UnexpectedPayloadError."""
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise self._unexpected(f"expected text in UTF-8 ({error})") from error

    def json(self) -> Any:
        """Return the body as parsed JSON, or raise UnexpectedPayloadError."""
        try:
            return load_json(self.body)
        except ValueError as error:
            raise self._unexpected(f"expected JSON ({error})") from error

    def _unexpected(self, problem: str) -> UnexpectedPayloadError:
        return UnexpectedPayloadError(problem, publisher=self.publisher, url=self.url)


def load_json(body: bytes) -> Any:
    """Return parsed JSON; raise ValueError for anything else, NaN, infinity and depth included."""
    try:
        return json.loads(body, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("its brackets are nested too deeply") from None


def _refuse_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON number")


def refusal(answer: Answer) -> PublisherError | None:
    """Return the error that a 4xx answer means, or None for a good answer."""
    if answer.status == 200:
        return None
    not_there = PUBLISHERS[answer.publisher].not_there
    kind = NotServedError if answer.status in not_there else RejectedError
    problem = f"HTTP {answer.status}"
    if "location" in answer.headers:
        problem += f" to {answer.headers['location'][:200]}, a redirect that is not followed"
    # A page of HTML says nothing that the status does not.
    if not answer.body.lstrip().startswith(b"<"):
        problem += ": " + " ".join(answer.body[:200].decode("utf-8", "replace").split())
    return kind(problem, publisher=answer.publisher, url=answer.url)


def is_page(body: bytes) -> bool:
    """Tell whether a body begins as a page of HTML does."""
    start = body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html"))
