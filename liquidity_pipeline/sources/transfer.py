"""Limits on an answer: time, size, and redirects.

`requests` bounds the wait for the next byte only. Here an answer's head must be complete within
the time-out, its body must keep up a least speed, and neither may be larger than is plausible.
"""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import DecodeError, HTTPError, ReadTimeoutError
from urllib3.response import BaseHTTPResponse

_PIECE = 2**16
# After the time-out has passed, a body that has come more slowly than this is given up.
LEAST_BYTES_PER_SECOND = 4096
# However fast it comes: no body is waited for longer than this many time-outs.
_LONGEST_TIMEOUTS = 20
_LATE_HEAD = "the head of the answer was not complete in time"


class TransferError(Exception):
    """A body that was given up: too slow, too large, or broken off."""


class _PunctualMixin:
    """A connection whose answer's whole head must come within the time-out."""

    sock: socket.socket
    timeout: float | None

    def getresponse(self) -> Any:
        connection = self.sock
        with _alarm(self.timeout or 0, lambda: connection.shutdown(socket.SHUT_RDWR)) as late:
            try:
                response = super().getresponse()  # type: ignore[misc]
            except Exception as error:
                if late.is_set():
                    raise TimeoutError(_LATE_HEAD) from error
                raise
        if late.is_set():
            raise TimeoutError(_LATE_HEAD)
        return response


class _PunctualConnection(_PunctualMixin, HTTPConnection):
    pass


class _PunctualTlsConnection(_PunctualMixin, HTTPSConnection):
    pass


class _Pool(HTTPConnectionPool):
    ConnectionCls = _PunctualConnection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _PunctualTlsConnection


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Follow a redirect within the host that was asked; any other is left as the answer."""
        target = super().get_redirect_target(resp)
        if target is None or not resp.url:
            return None
        asked, sent = urlsplit(resp.url), urlsplit(urljoin(resp.url, target))
        same_place = (asked.scheme, asked.netloc) == (sent.scheme, sent.netloc)
        secured = sent.scheme == "https" and asked.hostname == sent.hostname
        return target if same_place or secured else None


def bounded_session() -> requests.Session:
    """Return a session whose requests cannot hang and do not leave the host that was asked.

    Every request must be given a time-out in seconds.
    """
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    return session


def read_body(response: requests.Response, timeout: float, largest: int) -> bytes:
    """Return the decompressed body of a streamed response.

    Raises TransferError for one that is larger than `largest` bytes, slower than
    LEAST_BYTES_PER_SECOND once `timeout` seconds have passed, or shorter than announced.
    """
    start, pieces, size = time.monotonic(), [], 0
    raw: BaseHTTPResponse = response.raw
    with contextlib.closing(response), _alarm(timeout * _LONGEST_TIMEOUTS, raw.shutdown):
        while piece := _next_piece(raw):
            pieces.append(piece)
            size += len(piece)
            if size > largest:
                raise TransferError(f"a body of more than {largest:,} bytes")
            seconds = time.monotonic() - start
            if seconds > timeout + size / LEAST_BYTES_PER_SECOND:
                raise TransferError(
                    f"a body too slow to wait for: {size:,} bytes in {seconds:.1f} s"
                )
        with contextlib.suppress(HTTPError, OSError):
            raw.release_conn()
    return b"".join(pieces)


def _next_piece(raw: BaseHTTPResponse) -> bytes:
    """Return some decompressed bytes, or b"" at the end of the body."""
    try:
        return raw.read1(_PIECE, decode_content=True) or b""
    except ReadTimeoutError as error:
        raise TransferError("a body that stopped coming") from error
    except DecodeError as error:
        raise TransferError("a body that cannot be decompressed") from error
    except (HTTPError, OSError) as error:
        raise TransferError("a body that broke off") from error


@contextlib.contextmanager
def _alarm(seconds: float, ring: Callable[[], object]) -> Iterator[threading.Event]:
    """Call `ring` unless the block has ended within the time; give an event that says so."""
    rung = threading.Event()

    def when_over() -> None:
        rung.set()
        with contextlib.suppress(OSError, ValueError):
            ring()

    timer = threading.Timer(seconds, when_over)
    timer.daemon = True
    timer.start()
    try:
        yield rung
    finally:
        timer.cancel()
