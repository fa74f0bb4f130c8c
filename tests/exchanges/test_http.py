"""Whatever a server does, a call ends in time, in bounds and in one of our own errors."""

import gzip
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from app.exchanges.base import RateLimited, Rejected, Unavailable, UnknownMarket
from app.exchanges.http import HttpClient, TooLarge, within
from app.exchanges.pacing import Gate, Pacer
from tests.exchanges.stub import Answer, Stub, certificate, hang_up, reply

NOT_FOUND = '{"error":{"name":404,"message":"Code not found"}}'


@pytest.fixture
def gate() -> Gate:
    return Pacer(["any"], per_second=1e6, max_wait_s=0).gate("any")


@pytest.fixture
def client(stub: Stub) -> Iterator[HttpClient]:
    one = HttpClient(stub.url, max_bytes=100_000, sleep=lambda _: None)
    yield one
    one.close()


@pytest.fixture
def hasty(stub: Stub) -> Iterator[HttpClient]:
    one = HttpClient(stub.url, total_timeout=0.7, sleep=lambda _: None)
    yield one
    one.close()


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[Stub]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate(tmp_path))
    with Stub(tls=context) as server:
        yield server


def seconds_until_unavailable(client: HttpClient, gate: Gate) -> float:
    started = time.perf_counter()
    with pytest.raises(Unavailable):
        client.text("/x", {}, gate)
    return time.perf_counter() - started


def test_good_answer_is_returned_as_text(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.default = reply('["비트코인"]')

    assert client.text("/v1/x", {"to": "2026-01-31T00:00:00Z"}, gate) == '["비트코인"]'
    assert stub.asked == ["/v1/x?to=2026-01-31T00%3A00%3A00Z"]


def test_packed_answer_is_unpacked(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.default = reply(gzip.compress(b"[1]"), Content_Encoding="gzip")

    assert client.text("/x", {}, gate) == "[1]"


def test_request_names_us_and_carries_no_origin_and_no_cookie(
    client: HttpClient, gate: Gate, stub: Stub
) -> None:
    stub.default = reply(Set_Cookie="track=me; Path=/")

    client.text("/x", {}, gate)
    client.text("/x", {}, gate)

    assert stub.headers[1]["accept-encoding"] == "gzip"
    assert stub.headers[1]["user-agent"] == "whaling"
    assert not {"origin", "cookie", "authorization"} & stub.headers[1].keys()


def test_one_line_is_used_again(client: HttpClient, gate: Gate, stub: Stub) -> None:
    lines = set()

    def answer(handler: object) -> None:
        lines.add(handler.client_address)  # type: ignore[attr-defined]
        reply()(handler)  # type: ignore[arg-type]

    stub.default = answer
    for _ in range(5):
        client.text("/x", {}, gate)

    assert len(lines) == 1


def test_proxy_and_login_of_the_environment_are_ignored(
    client: HttpClient, gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")

    assert client.text("/x", {}, gate) == "[]"


def test_redirect_is_not_followed(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.script = [reply("[]", 302, Location="/elsewhere")]

    with pytest.raises(Unavailable, match="302"):
        client.text("/x", {}, gate)

    assert stub.asked == ["/x"]


@pytest.mark.parametrize("body", [NOT_FOUND, NOT_FOUND[:9], "", '{"error":"?"}'])
def test_404_is_an_unknown_market_whatever_the_body(
    client: HttpClient, gate: Gate, stub: Stub, body: str
) -> None:
    stub.default = reply(body, 404)

    with pytest.raises(UnknownMarket):
        client.text("/x", {}, gate)


@pytest.mark.parametrize("status", [400, 401, 403, 410, 422])
def test_other_4xx_is_a_refusal(client: HttpClient, gate: Gate, stub: Stub, status: int) -> None:
    stub.default = reply('{"error":{"name":400,"message":"Invalid parameter."}}', status)

    with pytest.raises(Rejected, match=str(status)) as caught:
        client.text("/x", {}, gate)

    assert not isinstance(caught.value, UnknownMarket)


@pytest.mark.parametrize(
    "answer",
    [
        *(reply('{"error":{}}', status) for status in (500, 502, 503, 504, 408, 425, 304)),
        *(reply("점검 중입니다", status, Content_Type="text/html") for status in (200, 404)),
        *(reply("\n <!DOCTYPE html>", status) for status in (200, 400, 404, 503)),
        reply(b'["\xff\xfe"]'),
        reply(b"[1]", Content_Encoding="gzip"),
        reply(b"[1,", Content_Length="400", Connection="close"),
    ],
)
def test_failure_maintenance_page_and_garbage_are_unavailable(
    client: HttpClient, gate: Gate, stub: Stub, answer: Answer
) -> None:
    stub.default = answer

    with pytest.raises(Unavailable) as caught:
        client.text("/x", {}, gate)

    assert not isinstance(caught.value, RateLimited)


@pytest.mark.parametrize(("status", "quiet_s"), [(429, 1), (418, 60)])
def test_request_to_slow_down_says_for_how_long(
    client: HttpClient, gate: Gate, stub: Stub, status: int, quiet_s: float
) -> None:
    stub.default = reply("Too many API requests.", status)

    with pytest.raises(RateLimited) as caught:
        client.text("/x", {}, gate)
    with pytest.raises(RateLimited):
        client.text("/x", {}, gate)

    assert caught.value.retry_after_s == quiet_s
    assert len(stub.asked) == 1


@pytest.mark.parametrize("status", [200, 400, 404, 429, 418, 500, 503])
def test_an_answer_is_never_asked_for_again(
    client: HttpClient, gate: Gate, stub: Stub, status: int
) -> None:
    stub.default = reply("[]", status)

    with suppress(Unavailable, Rejected):
        client.text("/x", {}, gate)

    assert len(stub.asked) == 1


def test_broken_line_is_tried_once_more(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.script = [hang_up]

    assert client.text("/x", {}, gate) == "[]"
    assert len(stub.asked) == 2


def test_line_that_stays_broken_is_given_up(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.default = hang_up

    with pytest.raises(Unavailable):
        client.text("/x", {}, gate)

    assert len(stub.asked) == 2


def test_second_try_goes_through_the_gate_too(client: HttpClient, stub: Stub) -> None:
    class CountingGate:
        entered = 0

        def enter(self) -> None:
            self.entered += 1

        def answered(self, *_: object) -> float:
            return 0

    counting = CountingGate()
    stub.script = [hang_up]
    client.text("/x", {}, counting)

    assert counting.entered == 2


def test_closed_port_is_unavailable(gate: Gate) -> None:
    with Stub() as gone:
        pass
    client = HttpClient(gone.url, sleep=lambda _: None)

    with pytest.raises(Unavailable):
        client.text("/x", {}, gate)


def test_silent_server_holds_us_for_two_read_timeouts(gate: Gate, stub: Stub) -> None:
    client = HttpClient(stub.url, read_timeout=0.2, sleep=lambda _: None)
    stub.default = stub.silence

    assert 0.35 < seconds_until_unavailable(client, gate) < 3
    assert len(stub.asked) == 2


@pytest.mark.parametrize(
    ("head", "drop"),
    [
        (b"", b"H"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n[", b" "),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n[\r\n"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 9000\r\n\r\n", b" "),
        (b"HTTP/1.1 429 Slow\r\nContent-Length: 9000\r\n\r\n", b" "),
    ],
)
def test_dribbling_server_holds_us_no_longer_than_the_total(
    hasty: HttpClient, gate: Gate, stub: Stub, head: bytes, drop: bytes
) -> None:
    stub.default = stub.dribble(head, drop)

    assert seconds_until_unavailable(hasty, gate) < 3
    assert stub.asked == ["/x"]


def test_server_that_sends_small_bits_without_a_pause_is_left_in_time(
    hasty: HttpClient, gate: Gate, stub: Stub
) -> None:
    stub.default = stub.dribble(b"HTTP/1.1 200 OK\r\n\r\n", b" ", pause_s=0)

    assert seconds_until_unavailable(hasty, gate) < 3


@pytest.mark.parametrize("status", [b"200 OK", b"302 Found\r\nLocation: /", b"404 Gone"])
def test_endless_body_is_cut_off_at_the_cap(
    client: HttpClient, gate: Gate, stub: Stub, status: bytes
) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nConnection: close\r\n\r\n"
    stub.default = stub.dribble(head, b"[" * 65_536, pause_s=0)

    with pytest.raises(TooLarge):
        client.text("/x", {}, gate)


def test_packed_bomb_is_cut_off_at_the_cap(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.default = reply(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip")

    with pytest.raises(TooLarge):
        client.text("/x", {}, gate)


def test_body_of_exactly_the_cap_is_taken(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.default = reply(b"x" * 100_000)

    assert len(client.fetch("/x", {}, gate).body) == 100_000
    with pytest.raises(TooLarge):
        client.fetch("/x", {}, gate, max_bytes=99_999)


def test_eight_threads_each_get_their_own_answer(gate: Gate, stub: Stub) -> None:
    stub.default = lambda handler: reply(f'["{handler.path}"]')(handler)
    together = threading.Barrier(8)
    patient = HttpClient(stub.url)

    def ask(number: int) -> bool:
        together.wait(5)
        return all(
            patient.text(f"/{number}-{turn}", {}, gate) == f'["/{number}-{turn}"]'
            for turn in range(20)
        )

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(8)))
    patient.close()


def test_certificate_that_nobody_vouches_for_is_refused(gate: Gate, tls: Stub) -> None:
    client = HttpClient(tls.url, sleep=lambda _: None)

    with pytest.raises(Unavailable):
        client.text("/x", {}, gate)

    assert tls.asked == []


def test_deadline_holds_over_tls_too(gate: Gate, tls: Stub, tmp_path: Path) -> None:
    client = HttpClient(tls.url, total_timeout=0.7, sleep=lambda _: None)
    client._session.verify = str(tmp_path / "server.pem")
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n["
    tls.default = tls.dribble(head, b" ")

    assert seconds_until_unavailable(client, gate) < 3
    assert tls.asked == ["/x"]
    client.close()


@pytest.mark.parametrize("url", ["", "api.upbit.com", "ftp://x", "file:///etc", "http://"])
def test_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="not an http address"):
        HttpClient(url)


def test_form_is_sent_with_its_headers(client: HttpClient, gate: Gate, stub: Stub) -> None:
    sent = client.post("/token", {"code": "a&b"}, gate, headers={"Authorization": "Bearer x"})

    assert sent.body == b"[]"
    assert stub.bodies == [b"code=a%26b"]
    assert stub.headers[0]["authorization"] == "Bearer x"


def test_form_is_never_sent_twice(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.default = hang_up

    with pytest.raises(Unavailable):
        client.post("/token", {"code": "once"}, gate)

    assert stub.asked == ["/token"]


def test_form_and_headers_stay_out_of_the_log(
    client: HttpClient, gate: Gate, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stub.script = [hang_up, reply("no", 400)]

    with pytest.raises(Unavailable):
        client.post("/token", {"client_secret": "whisper"}, gate, headers={"X": "whisper"})
    client.post("/token", {"client_secret": "whisper"}, gate, headers={"X": "whisper"})

    assert "whisper" not in caplog.text


def test_signed_call_is_sent_once_with_its_body_as_json(
    client: HttpClient, gate: Gate, stub: Stub
) -> None:
    client.send("POST", "/orders", gate, lambda: {"Authorization": "Bearer x"}, body={"a": "1&2"})

    assert (stub.asked, stub.bodies) == (["/orders"], [b'{"a": "1&2"}'])
    assert stub.headers[0]["content-type"] == "application/json; charset=utf-8"
    assert stub.headers[0]["authorization"] == "Bearer x"


def test_signed_call_is_never_repeated(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.script = [hang_up, reply("{}")]
    with pytest.raises(Unavailable):
        client.send("POST", "/orders", gate, dict, body={"a": "1"})

    assert len(stub.asked) == 1


def test_second_try_of_a_read_is_signed_anew(client: HttpClient, gate: Gate, stub: Stub) -> None:
    stub.script = [hang_up, reply("{}")]
    tokens = iter(["first", "second"])
    client.fetch(
        "/order",
        (("states[]", "a"), ("states[]", "b")),
        gate,
        sign=lambda: {"Authorization": next(tokens)},
    )

    assert [sent["authorization"] for sent in stub.headers] == ["first", "second"]
    assert stub.asked == ["/order?states%5B%5D=a&states%5B%5D=b"] * 2


def test_signature_and_body_stay_out_of_the_log(
    client: HttpClient, gate: Gate, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    stub.script = [hang_up]
    for _ in range(2):
        with suppress(Unavailable):
            client.send("DELETE", "/order", gate, lambda: {"X": "whisper"}, body={"a": "whisper"})

    assert "/order" in caplog.text
    assert "whisper" not in caplog.text


def test_all_calls_of_a_deed_are_over_in_its_time(
    client: HttpClient, gate: Gate, stub: Stub
) -> None:
    stub.default = stub.dribble(b"HTTP/1.1 200 OK\r\n\r\n", b" ")
    started = time.perf_counter()

    with within(0.5):
        for _ in range(3):
            with pytest.raises(Unavailable):
                client.text("/x", {}, gate)

    assert time.perf_counter() - started < 2
    assert stub.asked == ["/x"]
    stub.default = reply("[]")
    assert client.text("/x", {}, gate) == "[]"
