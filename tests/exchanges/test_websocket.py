"""The line to what an exchange pushes, held against a real server that behaves and misbehaves."""

import os
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from time import monotonic, sleep

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection
from websockets.utils import accept_key

from app.exchanges.base import RateLimited, Unavailable
from app.exchanges.websocket import WebSocket
from tests.exchanges.pushing import Pusher
from tests.exchanges.stub import certificate


@pytest.fixture
def pusher() -> Iterator[Pusher]:
    with Pusher() as server:
        yield server


def open_line(url: str, **options: float) -> WebSocket:
    line = WebSocket(url, **options)  # type: ignore[arg-type]
    line.open()
    return line


def test_text_and_binary_messages_arrive_as_their_bytes(pusher: Pusher) -> None:
    pusher.greeting = ["웨일", b"\x00\xff"]
    with open_line(pusher.url) as line:
        line.send("[]")

        assert [line.receive(5), line.receive(5)] == ["웨일".encode(), b"\x00\xff"]


def test_nothing_in_time_is_none(pusher: Pusher) -> None:
    with open_line(pusher.url) as line:
        began = monotonic()

        assert line.receive(0.05) is None

    assert monotonic() - began < 1


def test_line_says_who_we_are_and_nothing_of_an_origin(pusher: Pusher) -> None:
    with WebSocket(pusher.url, user_agent="whaling/1") as line:
        line.open()
        line.send("[]")
        pusher.wait_for(1)

    assert pusher.headers[0]["user-agent"] == "whaling/1"
    assert "origin" not in pusher.headers[0]


def test_nobody_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

    with pytest.raises(Unavailable, match="ConnectionRefused"):
        open_line(f"ws://127.0.0.1:{port}")


def test_handshake_that_never_comes_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = monotonic()

        with pytest.raises(Unavailable):
            open_line(f"ws://127.0.0.1:{silent.getsockname()[1]}", open_timeout=0.2)

    assert monotonic() - began < 2


@pytest.mark.parametrize(("status", "quiet_s"), [(429, 1), (418, 60)])
def test_handshake_refused_for_haste_says_for_how_long_to_be_quiet(
    status: int, quiet_s: float
) -> None:
    with (
        Pusher(judge=lambda line, _request: line.respond(HTTPStatus(status), "")) as server,
        pytest.raises(RateLimited) as caught,
    ):
        open_line(server.url)

    assert caught.value.retry_after_s == quiet_s


def test_handshake_refused_otherwise_is_unavailable() -> None:
    with (
        Pusher(judge=lambda line, _request: line.respond(HTTPStatus(503), "closed")) as server,
        pytest.raises(Unavailable, match="HTTP 503"),
    ):
        open_line(server.url)


def test_redirect_to_another_address_is_not_followed(pusher: Pusher) -> None:
    def send_away(line: ServerConnection, _request: Request) -> Response:
        answer = line.respond(HTTPStatus.FOUND, "")
        answer.headers["Location"] = pusher.url
        return answer

    with Pusher(judge=send_away) as server, pytest.raises(Unavailable):
        open_line(server.url)

    assert pusher.headers == []


@pytest.mark.parametrize("url", ["http://127.0.0.1", "ws://", "127.0.0.1:80"])
def test_address_that_is_none_is_refused_at_once(url: str) -> None:
    with pytest.raises(ValueError, match="not a WebSocket address"):
        WebSocket(url)


def test_line_that_was_cut_is_unavailable(pusher: Pusher) -> None:
    with open_line(pusher.url) as line:
        line.send("[]")
        pusher.wait_for(1)
        pusher.hang_up()

        with pytest.raises(Unavailable):
            line.receive(5)
        with pytest.raises(Unavailable):
            line.send("[]")


def test_message_beyond_the_cap_ends_the_line(pusher: Pusher) -> None:
    pusher.greeting = [b"x" * 1001]
    with open_line(pusher.url, max_bytes=1000) as line:
        line.send("[]")

        with pytest.raises(Unavailable):
            line.receive(5)


def test_compressed_message_is_held_to_the_same_cap(pusher: Pusher) -> None:
    pusher.greeting = [b"x" * 1_000_000]
    with open_line(pusher.url) as line:
        line.send("[]")

        with pytest.raises(Unavailable):
            line.receive(5)


def test_who_answers_no_ping_is_hung_up_on() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=_shake_hands_and_freeze, args=(server,), daemon=True).start()
        port = server.getsockname()[1]
        with (
            open_line(f"ws://127.0.0.1:{port}", ping_every=0.1, ping_timeout=0.1) as line,
            pytest.raises(Unavailable),
        ):
            line.receive(5)


def _shake_hands_and_freeze(server: socket.socket) -> None:
    line, _ = server.accept()
    with line:
        key = line.recv(4096).split(b"Sec-WebSocket-Key: ")[1].split(b"\r\n")[0].decode()
        line.sendall(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept_key(key)}\r\n\r\n".encode()
        )
        sleep(2)


def test_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*certificate(tmp_path))

    with Pusher(tls=tls) as server, pytest.raises(Unavailable, match="CERTIFICATE"):
        open_line(server.url)


def test_proxy_of_the_environment_is_not_used(
    pusher: Pusher, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "ws_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "")

    with open_line(pusher.url) as line:
        line.send("[]")
        pusher.wait_for(1)


def test_closing_leaves_no_thread_and_is_harmless_twice(pusher: Pusher) -> None:
    before = {thread for thread in threading.enumerate() if thread.name.startswith("Thread")}
    line = open_line(pusher.url)
    line.send("[]")
    pusher.wait_for(1)

    line.close()
    line.close()

    with pytest.raises(Unavailable, match="not open"):
        line.receive(1)
    ours = [
        thread
        for thread in threading.enumerate()
        if thread not in before and "recv_events" in repr(thread)
    ]
    for thread in ours:
        thread.join(2)
    assert not any(thread.is_alive() for thread in ours)


def test_frames_that_nobody_reads_make_the_exchange_wait(pusher: Pusher) -> None:
    """A server that floods us fills its own buffers, not our memory."""
    with open_line(pusher.url) as line:
        line.send("[]")
        pusher.wait_for(1)
        flood = threading.Thread(target=_flood, args=(pusher,), daemon=True)
        flood.start()
        flood.join(1)

        assert flood.is_alive()


def _flood(pusher: Pusher) -> None:
    with suppress(ConnectionClosed):  # as the test ends
        for _ in range(50_000):
            pusher.push(os.urandom(1000))
