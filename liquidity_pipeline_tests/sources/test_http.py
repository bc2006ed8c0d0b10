"""The HTTP client over a real socket: what is waited for, what is tried again, what is not."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from liquidity_pipeline.settings import Settings
from liquidity_pipeline.sources.answers import refusal
from liquidity_pipeline.sources.errors import NotServedError, RejectedError, TransientError
from liquidity_pipeline.sources.http import HttpClient

pytestmark = pytest.mark.slow

GOOD = {"data": [1]}
PATH = "/api/rates"


class Script:
    """A handler that gives one reply after the other, the last for ever, and notes the times."""

    def __init__(self, *replies: Any) -> None:
        self.replies = list(replies)
        self.requests: list[Request] = []
        self.times: list[float] = []

    def __call__(self, request: Request) -> Response:
        self.requests.append(request)
        self.times.append(time.monotonic())
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if callable(reply):
            return reply()
        status, body, *headers = reply if isinstance(reply, tuple) else (200, reply)
        text = body if isinstance(body, str | bytes) else json.dumps(body)
        return Response(text, status, headers[0] if headers else {})


@pytest.fixture(scope="module")
def threaded() -> Iterator[HTTPServer]:
    # One thread per request: a slow answer must not hold up the next attempt.
    with HTTPServer(threaded=True) as server:
        yield server


@pytest.fixture
def httpserver(threaded: HTTPServer) -> Iterator[HTTPServer]:
    yield threaded
    threaded.clear()


@pytest.fixture
def serve(httpserver: HTTPServer) -> Callable[..., Script]:
    def start(*replies: Any, publisher: str = "nyfed", path: str = PATH) -> Script:
        script = Script(*replies)
        httpserver.expect_request(f"/{publisher}{path}").respond_with_handler(script)
        return script

    return start


@pytest.fixture
def client(httpserver: HTTPServer, tmp_path: Path) -> Callable[..., HttpClient]:
    def make(**changes: Any) -> HttpClient:
        root = httpserver.url_for("").rstrip("/")
        quick = {"http_retries": 2, "http_backoff": 0.001, "http_timeout": 5.0}
        return HttpClient(Settings(tmp_path, **({"endpoints": root} | quick | changes)))

    return make


def slow() -> Response:
    time.sleep(0.3)
    return Response("{}")


HTML = (200, "\n<!DOCTYPE html><html>We are down for maintenance</html>")


def test_a_good_answer_carries_body_url_and_the_headers_worth_keeping(serve, client):
    serve((200, b"\xef\xbb\xbf" + b'{"rate": "3.65"}', {"ETag": "7", "Set-Cookie": "secret=1"}))
    answer = client().get("nyfed", PATH, {"startDate": "2026-02-02"})
    assert answer.json() == {"rate": "3.65"}
    assert answer.text() == '{"rate": "3.65"}'
    assert answer.body == b'\xef\xbb\xbf{"rate": "3.65"}'
    assert answer.url.endswith("/nyfed/api/rates?startDate=2026-02-02")
    assert answer.headers["etag"] == "7"
    assert "set-cookie" not in answer.headers
    assert (answer.status, answer.failure) == (200, None)


def test_names_and_values_arrive_as_they_were_meant(serve, client):
    path, label = "/v8/finance/chart/^GSPC", "Treasury General Account (TGA) Closing Balance"
    script = serve(GOOD, path=path)
    filters = {"filter": f"account_type:eq:{label},record_date:gte:2026-02-01", "page[size]": 10}
    client().get("nyfed", path, filters)
    (request,) = script.requests
    assert request.path == f"/nyfed{path}"
    assert dict(request.args) == filters | {"page[size]": "10"}
    assert "page%5Bsize%5D=10" in request.query_string.decode()
    assert "+" not in request.query_string.decode()


def test_too_many_requests_is_waited_for_as_long_as_it_says(serve, client):
    script = serve((429, "slow down", {"Retry-After": "1"}), GOOD)
    assert client().get("nyfed", PATH).json() == GOOD
    assert 1.0 <= script.times[1] - script.times[0] < 2.0


def test_a_retry_after_that_nobody_can_read_does_no_harm(serve, client):
    script = serve((429, "", {"Retry-After": "1.5"}), (503, "", {"Retry-After": "soon"}), GOOD)
    assert client().get("nyfed", PATH).json() == GOOD
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    "bad",
    [
        (429, ""),
        (408, ""),
        (500, "oops"),
        (503, HTML[1]),
        (522, "the origin did not answer Cloudflare"),
        HTML,
        '{"data": [1, 2',
        "",
    ],
    ids=["429", "408", "500", "503", "522", "html", "broken json", "empty"],
)
def test_what_may_pass_by_itself_is_tried_again(serve, client, bad):
    script = serve(bad, bad, GOOD)
    assert client().get("nyfed", PATH).json() == GOOD
    assert len(script.requests) == 3


@pytest.mark.parametrize(
    ("bad", "got"),
    [
        ((500, "oops"), "got HTTP 500"),
        (HTML, "got a page of HTML"),
        ('{"data": [1, 2', "got broken JSON"),
        ("", "got an empty body"),
    ],
)
def test_after_the_last_attempt_the_error_says_who_where_and_what_was_expected(
    serve, client, bad, got
):
    script = serve(bad)
    with pytest.raises(TransientError, match=got) as error:
        client().get("nyfed", PATH, {"page": 2})
    assert len(script.requests) == 3
    message = str(error.value)
    assert message.startswith("nyfed: expected JSON")
    assert "after 3 attempt(s)" in message
    assert "http://" in message
    assert "/nyfed/api/rates?page=2" in message


def test_what_came_last_is_there_for_the_archive(serve, client):
    serve(HTML)
    with pytest.raises(TransientError) as error:
        client(http_retries=0).get("nyfed", PATH)
    assert (error.value.status, error.value.body) == (200, HTML[1].encode())


def test_a_page_of_html_is_no_csv_either(serve, client):
    serve(HTML, "observation_date,IORB\n2026-02-05,3.65\n")
    assert client().get("nyfed", PATH, form="csv").text().startswith("observation_date")


@pytest.mark.parametrize(
    ("publisher", "status", "kind"),
    [
        ("fiscaldata", 400, RejectedError),
        ("nyfed", 401, RejectedError),
        ("nyfed", 404, NotServedError),
        # Cboe's store says 403 of a file that is not there; elsewhere it says nothing of the kind.
        ("cboe", 403, NotServedError),
        ("cboe", 404, NotServedError),
        ("fiscaldata", 403, RejectedError),
        ("fred", 403, RejectedError),
    ],
)
def test_a_refusal_is_an_answer_and_is_not_tried_again(serve, client, publisher, status, kind):
    script = serve((status, '{"message": "No such series:\n XYZ"}'), publisher=publisher)
    answer = client().get(publisher, PATH)
    assert len(script.requests) == 1
    error = refusal(answer)
    assert type(error) is kind
    assert f'HTTP {status}: {{"message": "No such series: XYZ"}}' in str(error)
    assert answer.url in str(error)


@pytest.mark.parametrize(("publisher", "status"), [("nyfed", 400), ("coinbase", 401)])
def test_a_status_by_which_a_publisher_throttles_is_asked_once_more_later(
    serve, client, publisher, status
):
    script = serve((status, "Bad Request"), GOOD, publisher=publisher)
    assert client(http_backoff=0.02).get(publisher, PATH).json() == GOOD
    assert script.times[1] - script.times[0] >= 0.1
    lasting = serve((status, "Bad Request"), publisher=publisher, path="/wrong")
    answer = client().get(publisher, "/wrong")
    assert (answer.status, len(lasting.requests)) == (status, 2)
    assert type(refusal(answer)) is RejectedError


def test_no_retries_are_none_of_a_400_either(serve, client):
    script = serve((400, "Bad Request"))
    assert client(http_retries=0).get("nyfed", PATH).status == 400
    assert len(script.requests) == 1


def test_a_good_answer_is_no_refusal(serve, client):
    serve(GOOD)
    assert refusal(client().get("nyfed", PATH)) is None


def test_an_answer_that_does_not_come_in_time_is_asked_for_again(serve, client):
    script = serve(slow, GOOD)
    assert client(http_timeout=0.1).get("nyfed", PATH).json() == GOOD
    assert len(script.requests) == 2


def test_no_answer_in_time_says_so(serve, client):
    serve(slow)
    with pytest.raises(TransientError, match="no answer in time"):
        client(http_timeout=0.05, http_retries=0).get("nyfed", PATH)


class Broken:
    """A server that sends some bytes on each connection and then resets it, or closes it."""

    def __init__(self, sends: bytes = b"", *, reset: bool = True) -> None:
        self.sends, self.reset, self.attempts = sends, reset, 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.root = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.attempts += 1
            connection.recv(4096)
            connection.sendall(self.sends)
            if self.reset:
                at_once = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
            connection.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(1)


@pytest.fixture
def broken() -> Iterator[Callable[..., Broken]]:
    servers: list[Broken] = []

    def start(*args: Any, **more: Any) -> Broken:
        servers.append(Broken(*args, **more))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


# A whole JSON value, of which the sender said that it is longer.
CUT_OFF = b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"data": [1]}'


def test_a_body_shorter_than_announced_is_no_answer(client, broken):
    server = broken(CUT_OFF, reset=False)
    with pytest.raises(TransientError, match="got a body that broke off"):
        client(endpoints=server.root).get("fred", PATH)
    assert server.attempts == 3


def test_a_cut_off_body_is_no_outage_of_the_publisher(client, broken):
    server = broken(CUT_OFF, reset=False)
    asker = client(endpoints=server.root, http_retries=0)
    for path in (PATH, "/other/table"):
        with pytest.raises(TransientError, match="got a body that broke off"):
            asker.get("fred", path)
    assert server.attempts == 2


def test_a_reset_connection_is_tried_again_and_then_named(client, broken):
    server = broken()
    with pytest.raises(TransientError, match=r"fred: expected JSON, got no connection"):
        client(endpoints=server.root).get("fred", PATH)
    assert server.attempts == 3


def test_a_publisher_of_which_two_endpoints_are_unreachable_is_not_asked_any_more(
    serve, client, broken
):
    server = broken()
    asker = client(publisher_urls={"fred": f"{server.root}/fred"}, http_retries=2)
    with pytest.raises(TransientError, match=r"after 3 attempt\(s\)"):
        asker.get("fred", PATH)
    # The first may have been a matter of that endpoint: one attempt tells.
    with pytest.raises(TransientError, match=r"after 1 attempt\(s\)"):
        asker.get("fred", "/other/table")
    with pytest.raises(TransientError, match="not asked: it was down a moment ago") as error:
        asker.get("fred", "/third/table")
    assert "/fred/third/table" in str(error.value)
    assert server.attempts == 4
    serve(GOOD)
    assert asker.get("nyfed", PATH).json() == GOOD


SOMA = "/api/soma/tsy/get/asof/{day}.json"


@pytest.mark.parametrize("bad", [(503, ""), (500, ""), HTML, '{"data": [', slow])
def test_an_endpoint_that_failed_is_not_waited_for_again(serve, client, bad):
    """A source asks once a week of twenty years: all weeks are one endpoint."""
    weeks = [SOMA.format(day=f"2026-02-{day:02}") for day in range(1, 9)]
    scripts = [serve(bad, path=week) for week in weeks]
    serve(GOOD)
    asker = client(http_timeout=0.1)
    problems = []
    for week in weeks:
        with pytest.raises(TransientError) as error:
            asker.get("nyfed", week)
        problems.append(error.value.problem)
    # All attempts of the first, one of the next two, none of the others.
    assert [len(script.requests) for script in scripts] == [3, 1, 1, 0, 0, 0, 0, 0]
    expected = f"not asked: /api/soma/tsy/get/asof/ failed 3 times in a row, first: {problems[0]}"
    assert set(problems[3:]) == {expected}
    # Another endpoint of the publisher is asked, and an answer of it says nothing of this one.
    assert asker.get("nyfed", PATH).json() == GOOD
    with pytest.raises(TransientError, match="not asked"):
        asker.get("nyfed", weeks[0])


def test_an_endpoint_that_answers_again_gets_all_attempts_again(serve, client):
    asker = client()
    serve((503, ""), path="/products/A/candles", publisher="coinbase")
    serve(GOOD, path="/products/B/candles", publisher="coinbase")
    third = serve((503, ""), path="/products/C/candles", publisher="coinbase")
    with pytest.raises(TransientError):
        asker.get("coinbase", "/products/A/candles")
    assert asker.get("coinbase", "/products/B/candles").json() == GOOD
    with pytest.raises(TransientError, match=r"after 3 attempt\(s\)"):
        asker.get("coinbase", "/products/C/candles")
    assert len(third.requests) == 3


def test_after_a_rest_one_attempt_shows_whether_an_endpoint_answers_again(
    serve, client, monkeypatch
):
    monkeypatch.setattr("liquidity_pipeline.sources.outages._OUTAGE_SECONDS", 0.0)
    script = serve(*[(503, "")] * 6, GOOD, (503, ""))
    asker = client()
    for attempts in (3, 1, 1, 1):
        with pytest.raises(TransientError, match=rf"after {attempts} attempt"):
            asker.get("nyfed", PATH)
    assert asker.get("nyfed", PATH).json() == GOOD
    assert len(script.requests) == 7


def test_a_publisher_that_throttles_to_the_end_is_left_alone(serve, client, monkeypatch):
    monkeypatch.setattr("liquidity_pipeline.sources.outages._OUTAGE_SECONDS", 0.0)
    script = serve((429, "Edge: Too Many Requests"), path="/v8/1", publisher="yahoo")
    others = [serve(GOOD, path=f"/v8/{n}", publisher="yahoo") for n in range(2, 9)]
    asker = client(http_retries=4)
    with pytest.raises(TransientError, match=r"got HTTP 429, after 3 attempt\(s\)"):
        asker.get("yahoo", "/v8/1")
    for n in range(2, 9):
        with pytest.raises(TransientError, match=r"not asked: .*HTTP 429"):
            asker.get("yahoo", f"/v8/{n}")
    assert len(script.requests) == 3
    assert not any(other.requests for other in others)


def test_without_another_provider_throttling_gets_all_attempts(serve, client):
    script = serve((429, ""))
    with pytest.raises(TransientError, match=r"after 5 attempt\(s\)"):
        client(http_retries=4).get("nyfed", PATH)
    assert len(script.requests) == 5


def test_other_failures_of_a_publisher_with_a_fallback_get_all_attempts(serve, client):
    script = serve((500, ""), (429, ""), (500, ""), GOOD, publisher="yahoo")
    assert client(http_retries=4).get("yahoo", PATH).json() == GOOD
    assert len(script.requests) == 4


def test_what_is_being_tried_again_stops_when_the_publisher_is_found_to_be_down(serve, client):
    asker = client(http_retries=2)

    def found_down_meanwhile() -> Response:
        with pytest.raises(TransientError):
            asker.get("nyfed", "/throttled")
        return Response("", 503)

    serve((429, ""), path="/throttled")
    script = serve(found_down_meanwhile, GOOD)
    with pytest.raises(TransientError, match="not asked"):
        asker.get("nyfed", PATH)
    assert len(script.requests) == 1


def test_one_request_that_hangs_while_others_are_answered_is_no_outage(serve, client):
    asker = client(http_timeout=0.2, http_retries=0)

    def hang() -> Response:
        assert asker.get("fred", "/other").json() == GOOD
        return slow()

    serve(GOOD, path="/other", publisher="fred")
    serve(hang, publisher="fred")
    with pytest.raises(TransientError, match="no answer in time"):
        asker.get("fred", PATH)
    assert asker.get("fred", "/other").json() == GOOD


@pytest.mark.parametrize("bad", [(500, ""), HTML, '{"data": ['])
def test_one_bad_answer_is_no_outage_of_the_publisher(serve, client, bad):
    serve(bad)
    serve(GOOD, path="/other/table")
    asker = client(http_retries=0)
    with pytest.raises(TransientError):
        asker.get("nyfed", PATH)
    assert asker.get("nyfed", "/other/table").json() == GOOD


def test_an_outage_is_forgotten_after_a_while(client, broken, monkeypatch):
    monkeypatch.setattr("liquidity_pipeline.sources.outages._OUTAGE_SECONDS", 0.0)
    server = broken()
    asker = client(endpoints=server.root, http_retries=0)
    for path in ("/a", "/b", "/c", "/a"):
        with pytest.raises(TransientError, match="got no connection"):
            asker.get("fred", path)
    assert server.attempts == 4


def test_a_status_that_throttles_is_not_waited_for_again_once_it_has_lasted(serve, client):
    script = serve((400, "Bad Request"))
    asker = client()
    for _ in range(4):
        assert asker.get("nyfed", PATH).status == 400
    assert len(script.requests) == 5


def test_the_interval_is_kept_between_requests_of_several_threads(serve, client):
    script = serve(GOOD)
    asker = client(http_interval=0.1)
    threads = [threading.Thread(target=asker.get, args=("nyfed", PATH)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = sorted(script.times)
    # The server sees a request a moment after it was sent, hence not the full tenth.
    assert all(later - earlier > 0.08 for earlier, later in pairwise(times))
    assert len(times) == 4


def test_publishers_do_not_wait_for_each_other(serve, client):
    serve(GOOD)
    serve(GOOD, publisher="fred")
    asker = client(http_interval=5.0)
    start = time.monotonic()
    asker.get("nyfed", PATH)
    asker.get("fred", PATH)
    assert time.monotonic() - start < 2.0


def test_each_publisher_gets_the_user_agent_that_it_answers(serve, client):
    agents = {}
    for publisher in ("yahoo", "fred", "nyfed", "fiscaldata"):
        script = serve(GOOD, publisher=publisher)
        client().get(publisher, PATH)
        agents[publisher] = script.requests[0].headers["User-Agent"]
    assert agents["yahoo"].startswith("Mozilla/5.0")
    assert agents["fred"].startswith("python-requests/")
    assert "Mozilla" not in agents["nyfed"] + agents["fiscaldata"]
