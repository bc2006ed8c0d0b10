"""One HTTP client for all publishers: session, politeness, retries, and a first look at the body.

A body is accepted when it is complete and of the expected form; a page of HTML with status 200 is
a failure. What a body means is for the publisher's module.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from liquidity_pipeline.settings import PUBLISHERS, Settings
from liquidity_pipeline.sources.errors import (
    NotServedError,
    PublisherError,
    RejectedError,
    TransientError,
)

Form = Literal["json", "csv"]
Params = Mapping[str, str | int]

# Transient besides every 5xx: time-out, too early, too many requests.
_TRANSIENT_STATUS = frozenset({408, 425, 429})
_KEPT_HEADERS = ("content-type", "date", "etag", "last-modified", "retry-after")
# After no attempt has reached a publisher, others of its tables fail at once for a while.
_OUTAGE_SECONDS = 120.0
# A publisher that still says 429 after the last attempt is left alone for longer than a daily run
# takes: whoever asks on is refused for longer.
_THROTTLED_SECONDS = 600.0
# Attempts in all where 429 is the answer. Yahoo wants a minute and more between them, which nobody
# should sit through: the next provider is asked at once, and Yahoo again by the next run.
_THROTTLED_ATTEMPTS = {"yahoo": 3}
# NY Fed is said to answer 400 to who asks too fast: it is asked once more, this many back-offs
# later, before the request is taken to be wrong.
_THROTTLES_BY_400 = frozenset({"nyfed"})
_BACKOFFS_AFTER_400 = 5
# What says that a thing is not there. Cboe's files lie in a store that answers 403 to an unknown
# name; of everybody else 403 is a refusal, and says nothing about what they have.
_NOT_THERE = {"cboe": frozenset({403, 404})}
_NOT_THERE_ELSEWHERE = frozenset({404})


@dataclass(frozen=True)
class Answer:
    """One answer of a publisher; `status` is 200, or a refusal that the archive keeps as well.

    `failure` says why all attempts failed where no usable answer came; `status` and `body` are then
    those of the last attempt, or 0 and empty.
    """

    publisher: str
    path: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    fetched_at: datetime
    failure: str | None = None

    def text(self) -> str:
        """Return the body as text, without a byte-order mark."""
        return self.body.decode("utf-8-sig")

    def json(self) -> Any:
        """Return the body as parsed JSON."""
        return json.loads(self.body)


class HttpClient:
    """Ask publishers over HTTP, politely and stubbornly. Safe to share between threads."""

    def __init__(self, settings: Settings, session: requests.Session | None = None) -> None:
        self._settings = settings
        self._session = session or requests.Session()
        self._retry = Retry(
            total=settings.http_retries,
            backoff_factor=settings.http_backoff,
            backoff_jitter=settings.http_backoff / 4,
            backoff_max=60,
            retry_after_max=120,
            respect_retry_after_header=True,
        )
        self._turn = {name: threading.Lock() for name in PUBLISHERS}
        self._last: dict[str, float] = {}
        self._answered: dict[str, float] = {}
        self._outage: dict[str, tuple[float, TransientError]] = {}

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Return the publisher's answer to one request, retrying what is transient.

        Raises TransientError when every attempt failed. A refusal (4xx) is returned, not raised:
        it is an answer too, and the archive keeps it.
        """
        url = self._url(publisher, path, params)
        answer = self._ask(publisher, path, url, form)
        may_be_throttled = answer.status == 400 and publisher in _THROTTLES_BY_400
        if may_be_throttled and self._settings.http_retries:
            time.sleep(_BACKOFFS_AFTER_400 * self._settings.http_backoff)
            answer = self._ask(publisher, path, url, form)
        return answer

    def _ask(self, publisher: str, path: str, url: str, form: Form) -> Answer:
        since, attempts, retry = time.monotonic(), 0, self._retry
        while True:
            # Before each attempt: another thread may have found out meanwhile.
            self._fail_fast(publisher, url)
            attempts += 1
            try:
                answer = self._attempt(publisher, path, url, form)
            except _AttemptError as failure:
                if attempts >= self._allowed(publisher, failure):
                    error = _final(publisher, url, form, failure, attempts)
                    self._rest(publisher, since, failure, error)
                    raise error from failure
                retry = retry.increment("GET", url, error=failure)
                _pause(retry, failure)
            else:
                self._answered[publisher] = time.monotonic()
                return answer

    def _attempt(self, publisher: str, path: str, url: str, form: Form) -> Answer:
        self._wait_for_turn(publisher)
        try:
            response = self._session.get(
                url,
                headers=dict(PUBLISHERS[publisher].headers),
                timeout=self._settings.http_timeout,
            )
        except requests.RequestException as error:
            unreachable = isinstance(error, requests.ConnectionError | requests.Timeout)
            raise _AttemptError(_name_failure(error), unreachable=unreachable) from error
        if response.status_code >= 500 or response.status_code in _TRANSIENT_STATUS:
            raise _AttemptError(f"HTTP {response.status_code}", response)
        if response.status_code == 200:
            _check_form(response, form)
        return Answer(
            publisher=publisher,
            path=path,
            url=url,
            status=response.status_code,
            headers={k: response.headers[k] for k in _KEPT_HEADERS if k in response.headers},
            body=response.content,
            fetched_at=datetime.now(UTC).replace(tzinfo=None),
        )

    def _url(self, publisher: str, path: str, params: Params | None) -> str:
        query = f"?{urlencode(dict(params), quote_via=quote)}" if params else ""
        return f"{self._settings.base_url(publisher)}{quote(path)}{query}"

    def _wait_for_turn(self, publisher: str) -> None:
        """Keep the publisher's least interval between the starts of two requests."""
        interval = self._settings.interval(publisher)
        with self._turn[publisher]:
            pause = self._last.get(publisher, -interval) + interval - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            self._last[publisher] = time.monotonic()

    def _fail_fast(self, publisher: str, url: str) -> None:
        until, error = self._outage.get(publisher, (0.0, None))
        if error is not None and time.monotonic() < until:
            raise TransientError(
                f"not asked: it was down a moment ago ({error.problem})",
                publisher=publisher,
                url=url,
            )

    def _allowed(self, publisher: str, failure: _AttemptError) -> int:
        """Return how many attempts a request has in all, after this failure."""
        attempts = self._settings.http_retries + 1
        if failure.throttled:
            attempts = min(attempts, _THROTTLED_ATTEMPTS.get(publisher, attempts))
        return attempts

    def _rest(
        self, publisher: str, since: float, failure: _AttemptError, error: TransientError
    ) -> None:
        """Leave alone a publisher that is down or throttles.

        One that answered another request since this one was first made is not down: FRED lets a
        single series hang.
        """
        is_down = failure.unreachable and self._answered.get(publisher, since) <= since
        if failure.throttled or is_down:
            seconds = _THROTTLED_SECONDS if failure.throttled else _OUTAGE_SECONDS
            self._outage[publisher] = (time.monotonic() + seconds, error)


def refusal(answer: Answer) -> PublisherError | None:
    """Return the error that a 4xx answer stands for, or None for a good answer."""
    if answer.status == 200:
        return None
    not_there = _NOT_THERE.get(answer.publisher, _NOT_THERE_ELSEWHERE)
    kind = NotServedError if answer.status in not_there else RejectedError
    problem = f"HTTP {answer.status}"
    # A page of HTML says nothing that the status does not.
    if not answer.body.lstrip().startswith(b"<"):
        problem += ": " + " ".join(answer.body[:200].decode("utf-8", "replace").split())
    return kind(problem, publisher=answer.publisher, url=answer.url)


class _AttemptError(Exception):
    """One failed attempt: the answer, if there was one, or whether nobody could be reached."""

    def __init__(
        self, problem: str, response: requests.Response | None = None, *, unreachable: bool = False
    ) -> None:
        super().__init__(problem)
        self.response = response
        self.unreachable = unreachable

    @property
    def throttled(self) -> bool:
        """Tell whether the publisher said that it was asked too often."""
        return self.response is not None and self.response.status_code == 429


def _final(
    publisher: str, url: str, form: Form, failure: _AttemptError, attempts: int
) -> TransientError:
    """Return the error of a request whose last attempt failed, with what came last."""
    error = TransientError(
        f"expected {form.upper()}, got {failure}, after {attempts} attempt(s)",
        publisher=publisher,
        url=url,
    )
    if failure.response is not None:
        error.status, error.body = failure.response.status_code, failure.response.content
    return error


def _pause(retry: Retry, failure: _AttemptError) -> None:
    """Wait as the answer asks by Retry-After, or ever longer."""
    try:
        retry.sleep(failure.response.raw if failure.response is not None else None)
    except InvalidHeader:
        retry.sleep()


def _check_form(response: requests.Response, form: Form) -> None:
    """Refuse a body that cannot be what was asked for, whatever its status says."""
    start = response.content[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise _AttemptError("an empty body", response)
    if start[:1] == b"<":
        raise _AttemptError("a page of HTML", response)
    if form == "json":
        try:
            json.loads(response.content)
        except ValueError as error:
            raise _AttemptError(f"broken JSON ({error})", response) from error


def _name_failure(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "a body that broke off"
    if isinstance(error, requests.ConnectionError):
        return f"no connection ({type(error).__name__})"
    return f"{type(error).__name__}: {error}"
