"""One fetch of one source: its window, its clock, its universe, and every answer it was given.

A source asks only through `Fetch.get`. Behind it is the network or the archive, so a source
can be run again from what was archived without knowing it.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from liquidity_pipeline.calendars import new_york_day
from liquidity_pipeline.sources.answers import Answer, KeptBody, is_page, refusal
from liquidity_pipeline.sources.boundary import declared
from liquidity_pipeline.sources.errors import (
    NotServedError,
    PublisherError,
    RejectedError,
    TransientError,
    UnexpectedPayloadError,
    as_one,
)
from liquidity_pipeline.sources.publishers import PUBLISHERS, Form, Params
from liquidity_pipeline.universe import Universe

if TYPE_CHECKING:
    import pyarrow as pa

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

# What costs the part of a source that it happens to, and not the others. An answer without rows
# that are due is none of these: as a gap, it would be taken for an answer.
_COSTS_ONE_PART = (NotServedError, RejectedError, TransientError, UnexpectedPayloadError)


# Provider, its symbol, the first day on the new basis, and the ratio such as 2:1; or the first day
# on which prices were seen to have moved by one factor without a word, and that factor.
Split = tuple[str, str, date, str]


class Transport(Protocol):
    """Where answers come from: the network, or the archive."""

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Return the answer to one request."""
        ...


@dataclass(frozen=True)
class Window:
    """A span of observation days, both ends included, made of whole months."""

    start: date
    end: date

    @classmethod
    def of_months(cls, first: date, last: date) -> Window:
        """Return the window from the first day of `first` to the last day of `last`."""
        return cls(first.replace(day=1), month_end(last))

    @property
    def months(self) -> list[date]:
        """First days of the months in the window."""
        return list(_months(self.start, self.end))


def month_end(day: date) -> date:
    """Return the last day of the month."""
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)


def _months(start: date, end: date) -> Iterator[date]:
    month = start.replace(day=1)
    while month <= end:
        yield month
        month = month_end(month) + timedelta(days=1)


@dataclass
class Fetch:
    """The context that a source collects in.

    `now` is naive UTC. `answers`, `gaps` and `unread` grow while the source runs: a gap is
    something that a publisher does not have, named for people, and does not stop the rest; unread
    are the answers that could not be understood, or not wholly, and `useless` those of them of
    which nothing could be read; `splits` say since when a symbol's prices are on another basis;
    `withdrawn` are keys of rows of which nothing will come any more.

    With `keep_body`, which stores a body, the answers are remembered without theirs: those of
    twenty years of weeks would fill the memory.
    """

    window: Window
    now: datetime
    universe: Universe
    transport: Transport
    answers: list[tuple[str, dict[str, str | int], Answer]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)
    unread: list[Answer] = field(default_factory=list)
    useless: list[Answer] = field(default_factory=list)
    splits: set[Split] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    keep_body: Callable[[bytes], KeptBody] | None = None
    _latest: threading.local = field(default_factory=threading.local, repr=False, compare=False)

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Return a good answer. Raises NotServedError, RejectedError or TransientError."""
        asked = dict(params or {})
        try:
            answer = self.transport.get(publisher, path, params, form=form)
        except TransientError as failure:
            self._latest.answer = None
            failed = self._remembered(_failed(publisher, path, failure))
            self.answers.append((form, asked, failed))
            if failure.status == 200 and _says_absent(publisher, failure.body):
                raise NotServedError(
                    f"{path} leads to a page of HTML", publisher=publisher, url=failure.url
                ) from failure
            raise
        self._latest.answer, self._latest.remembered = answer, self._remembered(answer)
        self.answers.append((form, asked, self._latest.remembered))
        if (error := refusal(answer)) is not None:
            raise error
        return answer

    def _remembered(self, answer: Answer) -> Answer:
        if self.keep_body is None:
            return answer
        # What cannot be stored now is stored with the record of the fetch, or fails there.
        with suppress(Exception):
            return replace(answer, body=b"", kept=self.keep_body(answer.body))
        return answer

    def gap(self, text: str) -> None:
        """Name something that could not be had; it is reported and the rest goes on."""
        if text not in self.gaps:
            self.gaps.append(text)

    def understood(self, expected: str, collect: Callable[[], _Result]) -> _Result:
        """Return what `collect` gives; whatever else it raises becomes UnexpectedPayloadError.

        The error names the answer that this thread was given last: that is what was being read.
        """
        with self._located(), declared(expected):
            return collect()

    @contextmanager
    def _located(self) -> Iterator[None]:
        """Complete an error by the answer that was being read, and mark that answer as not read.

        A venue that says in an answer with status 200 that it is busy has answered nothing either.
        """
        self._latest.answer = None
        try:
            yield
        except (UnexpectedPayloadError, TransientError, RejectedError) as error:
            answer: Answer | None = self._latest.answer
            if answer is not None and answer.status == 200 and not error.payload:
                error.publisher = error.publisher or answer.publisher
                error.url = error.url or answer.url
                error.payload = hashlib.sha256(answer.body).hexdigest()
                self.unread.append(self._latest.remembered)
                self.useless.append(self._latest.remembered)
            raise

    def left_out(self, what: str) -> Callable[[str], None]:
        """Return what names rows that are left out of the newest answer to this thread.

        The answer counts as one that did not come whole: its silence about a row withdraws nothing.
        """

        def name(problem: str) -> None:
            self.gap(f"{what}: {problem}")
            if getattr(self._latest, "answer", None) is not None:
                self.unread.append(self._latest.remembered)

        return name

    def split(self, publisher: str, symbol: str, day: date, ratio: str) -> None:
        """Take down a split that a provider of adjusted prices knows of, by its own symbol."""
        self.splits.add((publisher, symbol, day, ratio))

    def or_gap(self, collect: Callable[[], _Result], default: _Result, what: str) -> _Result:
        """Return what `collect` gives; `default` and a named gap where it cannot be had."""
        try:
            return self.understood(what, collect)
        except _COSTS_ONE_PART as error:
            self.gap(f"{what}: {error.as_gap}")
            return default

    def parts(self, parts: Mapping[str, Callable[[], _Result]]) -> list[_Result]:
        """Return what the parts of a source give; one that cannot be had is a named gap.

        Where all fail, raises one error for all, transient if one of them is.
        """
        found: list[_Result] = []
        failures: dict[str, PublisherError] = {}
        for what, collect in parts.items():
            try:
                found.append(self.understood(what, collect))
            except _COSTS_ONE_PART as error:
                failures[what] = error
        if failures and not found:
            raise as_one(failures)
        for what, failure in failures.items():
            self.gap(f"{what}: {failure.as_gap}")
        return found

    def name_failures(
        self, what: str, failures: Mapping[date, PublisherError], several: str
    ) -> None:
        """Name what did not come of some days; days with one reason share a line.

        After an outage they may be hundreds. `several` is what the days are called together.
        """
        alike: dict[str, list[date]] = {}
        for day, failure in failures.items():
            alike.setdefault(failure.problem, []).append(day)
        for days in alike.values():
            first, last = days[0], days[-1]
            which = f"{first}" if len(days) == 1 else f"{len(days)} {several} {first} to {last}"
            self.gap(f"{what} {which}: {failures[first].as_gap}")

    def each(
        self, items: list[_Item], collect: Callable[[_Item], _Result], threads: int = 2
    ) -> list[_Result]:
        """Return `collect(item)` for every item, in order, two requests at a time."""

        def located(item: _Item) -> _Result:
            with self._located():
                return collect(item)

        with ThreadPoolExecutor(max_workers=threads) as pool:
            return list(pool.map(located, items))

    @property
    def today(self) -> date:
        """The New York day of `now`."""
        return new_york_day(self.now)

    @property
    def seen_at(self) -> datetime:
        """The moment (naive UTC) by which the rows of the answers were public: `now`.

        As of an earlier day it is the real moment: what is seen today was not seen then.
        """
        seen = max((answer.fetched_at for _, _, answer in self.answers), default=self.now)
        return seen if new_york_day(seen) > self.today else self.now

    @property
    def last_day(self) -> date:
        """The last day worth asking for: the window's end, or today if that comes first."""
        return min(self.window.end, self.today)


def _says_absent(publisher: str, body: bytes) -> bool:
    """Tell whether a page that came at every attempt is the publisher's word for nothing there."""
    return PUBLISHERS[publisher].page_if_absent and is_page(body)


def _failed(publisher: str, path: str, error: TransientError) -> Answer:
    """Return what is to be remembered of a failure: a source may have gone on without it."""
    return Answer(
        publisher=publisher,
        path=path,
        url=error.url,
        status=error.status,
        headers={},
        body=error.body,
        fetched_at=datetime.now(UTC).replace(tzinfo=None),
        failure=error.problem,
    )


Collected = Mapping[str, "pa.Table"]
