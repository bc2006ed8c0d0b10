"""What can go wrong between a publisher and us.

A transient failure may pass by itself and is retried; everything else is permanent and never is.
Every message names the source, the URL, what was expected and what came.
"""

from __future__ import annotations


class PublisherError(Exception):
    """Base of all failures of a source."""

    def __init__(self, problem: str, *, publisher: str = "", url: str = "") -> None:
        self.problem, self.publisher, self.url = problem, publisher, url
        who = f"{publisher}: " if publisher else ""
        where = f" (asked: {url})" if url else ""
        super().__init__(f"{who}{problem}{where}")


class TransientError(PublisherError):
    """Time-outs, resets, 429, 5xx, a maintenance page, a cut-off body: worth another attempt.

    `status` and `body` are what came last, if an answer came at all; the archive keeps them.
    """

    status: int = 0
    body: bytes = b""


class NotServedError(PublisherError):
    """The publisher does not have this endpoint, series or symbol."""


class RejectedError(PublisherError):
    """The publisher refused the request: ours is wrong, or its interface has changed."""


class UnexpectedPayloadError(PublisherError):
    """The answer arrived and is not what the contract says: label, column, unit, count."""


class EmptyAnswerError(PublisherError):
    """An answer without rows where the calendar says that rows are due."""
