"""What a publisher sends is bounded in time, size and depth, and it cannot send us elsewhere."""

from __future__ import annotations

import gzip
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources import publishers
from liquidity_pipeline.sources.answers import load_json, refusal
from liquidity_pipeline.sources.errors import RejectedError, TransientError
from liquidity_pipeline.sources.http import HttpClient

pytestmark = pytest.mark.slow

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
Talk = Callable[[socket.socket, str], None]


@pytest.fixture
def server() -> Iterator[Callable[[Talk], str]]:
    """Give `server(talk)`: a root URL below which `talk(connection, request)` answers."""
    listeners: list[socket.socket] = []

    def start(talk: Talk) -> str:
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve(connection: socket.socket) -> None:
            with connection:
                try:
                    talk(connection, connection.recv(65536).decode())
                except OSError:
                    return  # the client has hung up, as it should

        def accept() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.close()


@pytest.fixture
def ask(tmp_path: Path) -> Callable[..., HttpClient]:
    def make(root: str, **changes: float) -> HttpClient:
        quick = {"http_retries": 0, "http_backoff": 0.0, "http_timeout": 0.3}
        return HttpClient(Settings(tmp_path, endpoints=root, **(quick | changes)))

    return make


def drip(connection: socket.socket, text: bytes, pause: float = 0.05) -> None:
    """Send byte after byte, each well within the time-out, for six seconds at most."""
    until = time.monotonic() + 6
    for place in range(len(text)):
        if time.monotonic() > until:
            return
        connection.sendall(text[place : place + 1])
        time.sleep(pause)


def answer(body: bytes, extra: bytes = b"") -> bytes:
    return HEAD + extra + b"Content-Length: %d\r\n\r\n" % len(body) + body


LONG = b'{"data": "' + b"x" * 10_000 + b'"}'


@pytest.mark.parametrize(
    ("at_once", "dripped", "problem"),
    [
        (HEAD + b"Content-Length: 10012\r\n\r\n", LONG, "a body too slow to wait for"),
        (HEAD + b"\r\n", LONG, "a body too slow to wait for"),
        (
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
            b"1\r\n \r\n" * 2000,
            "a body too slow to wait for",
        ),
        (b"HTTP/1.1 200 OK\r\n", b"X-Pad: 1\r\n" * 900, "no answer in time"),
        (b"", b"HTTP/1.1 200 " + b"O" * 9000, "no answer in time"),
    ],
    ids=["body of known length", "body to the end", "chunks", "headers", "status line"],
)
def test_dripping_bytes_do_not_hold_a_request_for_ever(server, ask, at_once, dripped, problem):
    def talk(connection: socket.socket, request: str) -> None:
        connection.sendall(at_once)
        drip(connection, dripped)

    started = time.monotonic()
    with pytest.raises(TransientError, match=problem):
        ask(server(talk)).get("nyfed", "/api")
    assert time.monotonic() - started < 4, "the server would have gone on for six seconds"


def test_bytes_that_decompress_to_nothing_end_too(server, ask, monkeypatch):
    monkeypatch.setattr("liquidity_pipeline.sources.transfer._LONGEST_TIMEOUTS", 3)

    def talk(connection: socket.socket, request: str) -> None:
        connection.sendall(HEAD + b"Content-Encoding: gzip\r\nContent-Length: 9000\r\n\r\n")
        # A gzip header whose file name never ends.
        drip(connection, b"\x1f\x8b\x08\x08\0\0\0\0\0\x03" + b"n" * 8000)

    started = time.monotonic()
    with pytest.raises(TransientError, match="a body that"):
        ask(server(talk)).get("nyfed", "/api")
    assert time.monotonic() - started < 4


def test_a_slow_line_that_keeps_up_is_waited_for(server, ask):
    body = b'{"data": "' + b"x" * 40_000 + b'"}'

    def talk(connection: socket.socket, request: str) -> None:
        whole = answer(body)
        for place in range(0, len(whole), 4096):  # about 40 kB a second, far longer than 0.3 s
            connection.sendall(whole[place : place + 4096])
            time.sleep(0.1)

    assert ask(server(talk)).get("nyfed", "/api").body == body


@pytest.mark.parametrize("coding", [None, b"gzip", b"deflate"])
def test_a_body_larger_than_plausible_is_refused_before_it_fills_the_memory(
    server, ask, monkeypatch, coding
):
    nyfed = publishers.PUBLISHERS["nyfed"]
    small = {**publishers.PUBLISHERS, "nyfed": type(nyfed)(**vars(nyfed) | {"largest_body": 10**6})}
    monkeypatch.setattr("liquidity_pipeline.sources.http.PUBLISHERS", small)
    body = b'"' + b" " * 30_000_000 + b'"'
    squeezed = {None: lambda b: b, b"gzip": gzip.compress, b"deflate": zlib.compress}[coding](body)
    extra = b"Content-Encoding: " + coding + b"\r\n" if coding else b""

    def talk(connection: socket.socket, request: str) -> None:
        connection.sendall(answer(squeezed, extra))

    with pytest.raises(TransientError, match="a body of more than 1,000,000 bytes"):
        ask(server(talk), http_timeout=5).get("nyfed", "/api")


def test_the_limit_of_every_publisher_is_far_below_the_memory_of_a_small_machine():
    assert all(p.largest_body <= 2**28 for p in publishers.PUBLISHERS.values())


def test_a_body_that_is_not_what_its_encoding_says_is_named(server, ask):
    def talk(connection: socket.socket, request: str) -> None:
        connection.sendall(answer(b"no gzip at all", b"Content-Encoding: gzip\r\n"))

    with pytest.raises(TransientError, match="a body that cannot be decompressed"):
        ask(server(talk)).get("nyfed", "/api")


@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"a":' * 200_000, b"[NaN]", b"-Infinity"])
def test_json_that_nobody_should_send_is_a_declared_error(server, ask, body):
    def talk(connection: socket.socket, request: str) -> None:
        connection.sendall(answer(body))

    with pytest.raises(TransientError, match="got broken JSON"):
        ask(server(talk)).get("nyfed", "/api")
    with pytest.raises(ValueError, match=r"nested too deeply|no JSON number"):
        load_json(body)


@pytest.mark.parametrize(
    "target", ["http://localhost:{port}/x", "//localhost:{port}/x", "http://127.0.0.1:9/x"]
)
def test_a_redirect_to_another_host_is_not_followed(server, ask, target):
    asked: list[str] = []

    def talk(connection: socket.socket, request: str) -> None:
        asked.append(request.split()[1])
        location = target.format(port=connection.getsockname()[1]).encode()
        connection.sendall(
            b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location + b"\r\n\r\n"
        )

    found = ask(server(talk)).get("nyfed", "/api")
    error = refusal(found)
    assert type(error) is RejectedError
    assert "HTTP 302 to " in str(error)
    assert "a redirect that is not followed" in str(error)
    assert asked == ["/nyfed/api"]


def test_a_redirect_within_the_host_is_followed_and_its_end_recorded(server, ask):
    def talk(connection: socket.socket, request: str) -> None:
        if request.split()[1] == "/moved":
            connection.sendall(answer(b"{}"))
        else:
            connection.sendall(
                b"HTTP/1.1 301 Moved\r\nContent-Length: 0\r\nConnection: close\r\n"
                b"Location: /moved\r\n\r\n"
            )

    root = server(talk)
    found = ask(root).get("nyfed", "/api")
    assert (found.body, found.url) == (b"{}", f"{root}/moved")


def test_a_connection_is_used_again_after_a_whole_answer(server, ask):
    connections: list[int] = []

    def talk(connection: socket.socket, request: str) -> None:
        connections.append(connection.fileno())
        while request:
            connection.sendall(answer(b"{}"))
            request = connection.recv(65536).decode()

    client = ask(server(talk))
    for _ in range(3):
        assert client.get("nyfed", "/api").json() == {}
    assert len(connections) == 1
