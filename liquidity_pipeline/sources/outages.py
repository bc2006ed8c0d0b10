"""Which endpoints and publishers failed a moment ago, and how patiently they are asked meanwhile.

An endpoint that has used up all attempts of one request is tried without retries until it answers,
and after a few such requests it is not asked at all for a while: a source that asks once a week of
twenty years would else wait a thousand times. Others of the publisher's endpoints may well answer,
so a publisher counts as down only when two of them could not be reached and none has answered, or
when it says that it is asked too often.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from liquidity_pipeline.sources.errors import TransientError

# So many failed requests in a row end the asking; the first of them had all its attempts.
FAILED_REQUESTS = 3
# So many endpoints without a connection make an outage of the publisher.
_UNREACHABLE_ENDPOINTS = 2
# Then nothing is asked for this long, and one attempt shows whether it answers again.
_OUTAGE_SECONDS = 120.0
# A publisher that still says 429 after the last attempt is left alone for longer than a daily run
# takes: a client that goes on asking is refused for longer.
_THROTTLED_SECONDS = 600.0


@dataclass
class _Rest:
    """Why something is not asked, and until when; the reason is the first failure."""

    first: TransientError
    failed: int = 0
    until: float = 0.0

    @property
    def is_on(self) -> bool:
        return time.monotonic() < self.until


@dataclass
class Outages:
    """What one HTTP client has found out. Safe to share between threads.

    An endpoint is a publisher and the name of `publishers.endpoint`.
    """

    _endpoints: dict[tuple[str, str], _Rest] = field(default_factory=dict)
    _publishers: dict[str, _Rest] = field(default_factory=dict)
    _unreachable: dict[str, set[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reason(self, publisher: str, endpoint: str) -> str | None:
        """Return why the endpoint is not to be asked now, or None."""
        with self._lock:
            rest = self._publishers.get(publisher)
            if rest is not None and rest.is_on:
                return f"not asked: it was down a moment ago ({rest.first.problem})"
            rest = self._endpoints.get((publisher, endpoint))
            if rest is not None and rest.is_on:
                return (
                    f"not asked: {endpoint} failed {FAILED_REQUESTS} times in a row, "
                    f"first: {rest.first.problem}"
                )
            return None

    def has_failed(self, publisher: str, endpoint: str, *, unreachable: bool) -> bool:
        """Tell whether another failure of the endpoint says only what is known already.

        `unreachable` tells whether there was no connection, or no answer in time: this may be known
        from another endpoint of the publisher.
        """
        with self._lock:
            others = self._unreachable.get(publisher, set()) - {endpoint}
            return (publisher, endpoint) in self._endpoints or (unreachable and bool(others))

    def answered(self, publisher: str, endpoint: str) -> None:
        """Take down an answer: the endpoint works, and its publisher can be reached."""
        with self._lock:
            self._endpoints.pop((publisher, endpoint), None)
            self._unreachable.pop(publisher, None)

    def failed(
        self,
        publisher: str,
        endpoint: str,
        error: TransientError,
        *,
        throttled: bool,
        unreachable: bool,
    ) -> None:
        """Take down a request whose last attempt failed."""
        with self._lock:
            rest = self._endpoints.setdefault((publisher, endpoint), _Rest(error))
            rest.failed += 1
            if rest.failed >= FAILED_REQUESTS:
                rest.until = time.monotonic() + _OUTAGE_SECONDS
            found = self._unreachable.setdefault(publisher, set())
            if unreachable:
                found.add(endpoint)
            is_down = unreachable and len(found) >= _UNREACHABLE_ENDPOINTS
            if throttled or is_down:
                seconds = _THROTTLED_SECONDS if throttled else _OUTAGE_SECONDS
                self._publishers[publisher] = _Rest(error, until=time.monotonic() + seconds)
