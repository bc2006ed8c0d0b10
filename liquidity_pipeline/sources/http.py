"""One HTTP client for all publishers: session, politeness, retries, and a first look at the body.

A body is accepted when it is complete and of the expected form; a page of HTML with status 200 is
a failure. What a body means is for the publisher's module.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote, urlencode

import requests
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.answers import Answer, is_page, load_json
from liquidity_pipeline.sources.errors import (
    TransientError,
)
from liquidity_pipeline.sources.outages import Outages
from liquidity_pipeline.sources.publishers import PUBLISHERS, Form, Params
from liquidity_pipeline.sources.transfer import TransferError, bounded_session, read_body

# Transient besides every 5xx: time-out, too early, too many requests.
_TRANSIENT_STATUS = frozenset({408, 425, 429})
_KEPT_HEADERS = ("content-type", "date", "etag", "last-modified", "location", "retry-after")
# A publisher that throttles by another status is asked once more this many back-offs later, before
# the request is taken to be wrong.
_BACKOFFS_AFTER_THROTTLING = 5


class HttpClient:
    """Ask publishers over HTTP, at their pace and with retries. Safe to share between threads.

    `sandbox_url` is the address at which `liquidity sandbox` serves; leave `endpoints` out to ask
    the real services.

    >>> client = HttpClient(Settings(Path("data"), endpoints=sandbox_url))
    >>> answer = client.get("nyfed", "/api/rates/secured/sofr/last/1.json")
    >>> answer.status
    200
    >>> sorted(answer.json())
    ['refRates']
    """

    def __init__(self, settings: Settings) -> None:
        """Raise SettingsError if the settings give a URL to a publisher that does not exist."""
        publishers.refuse_unknown_names(settings)
        self._settings = settings
        self._session = bounded_session()
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
        self._outages = Outages()
        self._refused: set[tuple[str, str]] = set()

    def get(
        self, publisher: str, path: str, params: Params | None = None, *, form: Form = "json"
    ) -> Answer:
        """Return the publisher's answer to one request, retrying what is transient.

        Raises TransientError when every attempt failed, and without an attempt where others just
        did: see `outages`. A refusal (4xx) is returned, not raised: it is an answer too, and the
        archive keeps it.
        """
        url = self._url(publisher, path, params)
        answer = self._ask(publisher, path, url, form)
        endpoint = publisher, publishers.endpoint(publisher, path)
        may_be_throttled = answer.status in PUBLISHERS[publisher].throttles_by
        # An endpoint that said the same after the pause means what it says.
        if may_be_throttled and self._settings.http_retries and endpoint not in self._refused:
            time.sleep(_BACKOFFS_AFTER_THROTTLING * self._settings.http_backoff)
            answer = self._ask(publisher, path, url, form)
            if answer.status in PUBLISHERS[publisher].throttles_by:
                self._refused.add(endpoint)
        elif not may_be_throttled:
            self._refused.discard(endpoint)
        return answer

    def _ask(self, publisher: str, path: str, url: str, form: Form) -> Answer:
        endpoint, attempts, retry = publishers.endpoint(publisher, path), 0, self._retry
        while True:
            # Before each attempt: another thread may have found out meanwhile.
            if reason := self._outages.reason(publisher, endpoint):
                raise TransientError(reason, publisher=publisher, url=url)
            attempts += 1
            try:
                answer = self._attempt(publisher, path, url, form)
            except _AttemptError as failure:
                if attempts >= self._allowed(publisher, endpoint, failure):
                    error = _final(publisher, url, form, failure, attempts)
                    self._outages.failed(
                        publisher,
                        endpoint,
                        error,
                        throttled=failure.throttled,
                        unreachable=failure.unreachable,
                    )
                    raise error from failure
                retry = retry.increment("GET", url, error=failure)
                _pause(retry, failure)
            else:
                self._outages.answered(publisher, endpoint)
                return answer

    def _attempt(self, publisher: str, path: str, url: str, form: Form) -> Answer:
        self._wait_for_turn(publisher)
        response = self._send(publisher, url)
        try:
            largest = PUBLISHERS[publisher].largest_body
            body = read_body(response, self._settings.http_timeout, largest)
        except TransferError as error:
            raise _AttemptError(str(error), _Came(response)) from error
        came = _Came(response, body)
        if came.status >= 500 or came.status in _TRANSIENT_STATUS:
            raise _AttemptError(f"HTTP {came.status}", came)
        if came.status == 200:
            _check_form(came, form)
        return Answer(
            publisher=publisher,
            path=path,
            url=response.url,
            status=came.status,
            headers={k: response.headers[k] for k in _KEPT_HEADERS if k in response.headers},
            body=body,
            fetched_at=datetime.now(UTC).replace(tzinfo=None),
        )

    def _send(self, publisher: str, url: str) -> requests.Response:
        """Return the answer's head; its body is still to be read."""
        try:
            return self._session.get(
                url,
                headers=dict(PUBLISHERS[publisher].headers),
                timeout=self._settings.http_timeout,
                stream=True,
            )
        except requests.RequestException as error:
            unreachable = isinstance(error, requests.ConnectionError | requests.Timeout)
            raise _AttemptError(_name_failure(error), unreachable=unreachable) from error

    def _url(self, publisher: str, path: str, params: Params | None) -> str:
        query = f"?{urlencode(dict(params), quote_via=quote)}" if params else ""
        return f"{publishers.base_url(self._settings, publisher)}{quote(path)}{query}"

    def _wait_for_turn(self, publisher: str) -> None:
        """Keep the publisher's least interval between the starts of two requests."""
        interval = publishers.interval(self._settings, publisher)
        with self._turn[publisher]:
            pause = self._last.get(publisher, -interval) + interval - time.monotonic()
            if pause > 0:
                time.sleep(pause)
            self._last[publisher] = time.monotonic()

    def _allowed(self, publisher: str, endpoint: str, failure: _AttemptError) -> int:
        """Return how many attempts a request has in all, after this failure."""
        if self._outages.has_failed(publisher, endpoint, unreachable=failure.unreachable):
            return 1
        attempts = self._settings.http_retries + 1
        if failure.throttled:
            attempts = min(attempts, PUBLISHERS[publisher].throttled_attempts or attempts)
        return attempts


@dataclass(frozen=True)
class _Came:
    """What came of an answer: its head, and its body or nothing."""

    head: requests.Response
    body: bytes = b""

    @property
    def status(self) -> int:
        return int(self.head.status_code)


class _AttemptError(Exception):
    """One failed attempt: the answer that was received, or that there was no connection."""

    def __init__(
        self, problem: str, came: _Came | None = None, *, unreachable: bool = False
    ) -> None:
        super().__init__(problem)
        self.came = came
        self.unreachable = unreachable

    @property
    def throttled(self) -> bool:
        """Tell whether the publisher said that it was asked too often."""
        return self.came is not None and self.came.status == 429


def _final(
    publisher: str, url: str, form: Form, failure: _AttemptError, attempts: int
) -> TransientError:
    """Return the error of a request whose last attempt failed, with what came last."""
    error = TransientError(
        f"expected {form.upper()}, got {failure}, after {attempts} attempt(s)",
        publisher=publisher,
        url=url,
    )
    if failure.came is not None:
        error.status, error.body = failure.came.status, failure.came.body
    return error


def _pause(retry: Retry, failure: _AttemptError) -> None:
    """Wait as the answer asks by Retry-After, or ever longer."""
    try:
        retry.sleep(failure.came.head.raw if failure.came is not None else None)
    except InvalidHeader:
        retry.sleep()


def _check_form(came: _Came, form: Form) -> None:
    """Refuse a body that cannot be what was asked for, whatever its status says."""
    start = came.body[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if not start:
        raise _AttemptError("an empty body", came)
    if start[:1] == b"<" if form != "xml" else is_page(start):
        raise _AttemptError("a page of HTML", came)
    if form == "json":
        try:
            load_json(came.body)
        except ValueError as error:
            raise _AttemptError(f"broken JSON ({error})", came) from error


def _name_failure(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return f"no connection ({type(error).__name__})"
    return f"{type(error).__name__}: {error}"
