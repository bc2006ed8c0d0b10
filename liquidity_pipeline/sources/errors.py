"""What can go wrong between a publisher and us.

A transient failure may pass by itself and is retried; everything else is permanent and never is.
Every message names the source, the URL, what was expected and what came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence


class PublisherError(Exception):
    """Base of all failures of a source.

    `payload` is the SHA-256 under which the archive keeps the body, once it is known.
    """

    def __init__(
        self, problem: str, *, publisher: str = "", url: str = "", payload: str = ""
    ) -> None:
        super().__init__(problem)
        self.problem, self.publisher, self.url, self.payload = problem, publisher, url, payload

    def __str__(self) -> str:
        """Say who, what and where."""
        who = f"{self.publisher}: " if self.publisher else ""
        return f"{who}{self.detail}"

    @property
    def detail(self) -> str:
        """What happened and where, without the publisher's name."""
        where = [f"asked: {self.url}"] if self.url else []
        where += [f"archived as {self.payload[:12]}"] if self.payload else []
        return f"{self.problem} ({', '.join(where)})" if where else self.problem

    @property
    def as_gap(self) -> str:
        """What is to be said where it costs a part of a source only."""
        return self.detail if self.payload else self.problem


class TransientError(PublisherError):
    """Time-outs, resets, 429, 5xx, a maintenance page, a cut-off body: worth another attempt.

    `status` and `body` are what came last, if an answer came at all; the archive keeps them.
    """

    status: int = 0
    body: bytes = b""

    @property
    def as_gap(self) -> str:
        """What happened and at which address, and that nothing is to be done."""
        address = self.url.partition("?")[0]
        where = f", at {address}" if address else ""
        return f"{self.problem}{where}; the next run asks again"


class NotServedError(PublisherError):
    """The publisher does not have this endpoint, series or symbol."""


class RejectedError(PublisherError):
    """The publisher refused the request: ours is wrong, or its interface has changed."""


class UnexpectedPayloadError(PublisherError):
    """The answer arrived and is not what the contract says: label, column, unit, count."""


class EmptyAnswerError(PublisherError):
    """An answer without rows where the calendar says that rows are due."""


class ReplayError(ValueError):
    """The archive cannot answer what a source asks it: about our records, not about a publisher."""


class NotRecordedError(ReplayError):
    """A recorded fetch did not make a request that the source makes today."""


def most_hopeful(failures: Sequence[PublisherError]) -> PublisherError:
    """Return the failure to report of several: the first that may pass by itself, if any."""
    passing = (failure for failure in failures if isinstance(failure, TransientError))
    return next(passing, failures[0])


def as_one(failures: Mapping[str, PublisherError]) -> PublisherError:
    """Return one error for those of several things: transient if one of them is."""
    one = most_hopeful(list(failures.values()))
    problems = "; ".join(f"{what}: {failure.problem}" for what, failure in failures.items())
    return type(one)(problems, publisher=one.publisher, url=one.url, payload=one.payload)
