"""One fetch of one source: its window, its clock, its universe, and every answer it was given.

A source asks only through `Fetch.get`. Behind it stands the network or the archive, so a source
can be run again from what was archived without knowing it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeVar

from liquidity_pipeline.settings import NEW_YORK
from liquidity_pipeline.sources.errors import NotServedError, TransientError
from liquidity_pipeline.sources.http import Answer, refusal
from liquidity_pipeline.sources.publishers import Form, Params
from liquidity_pipeline.universe import Universe

if TYPE_CHECKING:
    import pyarrow as pa

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


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

    def widened(self, days: int) -> Window:
        """Return the window that starts earlier: maturities on holidays settle later."""
        return Window(self.start - timedelta(days=days), self.end)


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

    `now` is naive UTC. `answers` and `gaps` grow while the source runs; a gap is something that a
    publisher does not have, named for people, and does not stop the rest.
    """

    window: Window
    now: datetime
    universe: Universe
    transport: Transport
    answers: list[tuple[str, dict[str, str | int], Answer]] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Return a good answer. Raises NotServedError, RejectedError or TransientError."""
        asked = dict(params or {})
        try:
            answer = self.transport.get(publisher, path, params, form=form)
        except TransientError as failure:
            self.answers.append((form, asked, _failed(publisher, path, failure)))
            raise
        self.answers.append((form, asked, answer))
        if (error := refusal(answer)) is not None:
            raise error
        return answer

    def gap(self, text: str) -> None:
        """Name something that could not be had; it is reported and the rest goes on."""
        if text not in self.gaps:
            self.gaps.append(text)

    def or_gap(self, collect: Callable[[], _Result], default: _Result, what: str) -> _Result:
        """Return what `collect` gives, or `default` and a named gap where it is not served."""
        try:
            return collect()
        except NotServedError as error:
            self.gap(f"{what}: {error.problem}")
            return default

    def each(
        self, items: list[_Item], collect: Callable[[_Item], _Result], threads: int = 2
    ) -> list[_Result]:
        """Return `collect(item)` for every item, in order, two requests at a time."""
        with ThreadPoolExecutor(max_workers=threads) as pool:
            return list(pool.map(collect, items))

    @property
    def today(self) -> date:
        """The New York day of `now`."""
        return self.now.replace(tzinfo=UTC).astimezone(NEW_YORK).date()

    @property
    def last_day(self) -> date:
        """The last day worth asking for: the window's end, or today if that comes first."""
        return min(self.window.end, self.today)


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
