"""The exchange without sockets."""

from app.simulator.exchange import Exchange, Settings
from app.simulator.server import Request
from tests.simulator.conftest import START


def exchange(rate_limit: int | None = 10) -> Exchange:
    return Exchange(Settings(1, 3, 0, START, None, rate_limit, "shortest", "404", False))


def test_refused_requests_are_counted_too() -> None:
    one = exchange(rate_limit=1)
    request = Request("GET", "/v1/market/all", {}, "10.0.0.1")

    statuses = [one.respond(request).status for _ in range(3)]

    assert statuses == [200, 429, 429]
    assert one.requests["/v1/market/all"] == 3


def test_unknown_paths_are_counted_together() -> None:
    one = exchange()
    for number in range(50):
        one.respond(Request("GET", f"/v1/candles/minutes/{number + 300}", {}, "10.0.0.1"))

    assert dict(one.requests) == {"other": 50}


def test_warming_up_counts_nothing() -> None:
    one = exchange()

    one.warm_up()

    assert not one.requests


def test_codes_are_those_listed() -> None:
    one = exchange()
    one.delist("KRW-ETH")

    assert "KRW-BTC" in one.codes()
    assert "KRW-ETH" not in one.codes()
