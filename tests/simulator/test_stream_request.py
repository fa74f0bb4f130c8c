"""What may be asked of the stream, and how anything else is refused."""

import json

import pytest

from app.simulator import Simulator
from app.simulator.stream.request import StreamRefusal, Wish, read
from tests.simulator.listening import listening

TICKET = {"ticket": "t"}
BTC = {"type": "ticker", "codes": ["KRW-BTC"]}


def test_request_holds_all_its_wishes_and_its_format() -> None:
    trades = {"type": "trade", "codes": ["KRW-ETH", "KRW-ETH"], "is_only_realtime": True}
    asked = read(json.dumps([TICKET, BTC, trades, {"format": "SIMPLE"}]))

    assert asked.wishes == (
        Wish("ticker", ("KRW-BTC",)),
        Wish("trade", ("KRW-ETH",), snapshot=False),
    )
    assert (asked.ticket, asked.format, asked.listing) == ("t", "SIMPLE", False)


@pytest.mark.parametrize("name", ["is_only_snapshot", "isOnlySnapshot"])
def test_flags_have_two_spellings(name: str) -> None:
    asked = read(json.dumps([TICKET, BTC | {name: True}]))

    assert asked.wishes == (Wish("ticker", ("KRW-BTC",), realtime=False),)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("", "WRONG_FORMAT"), ("hello", "WRONG_FORMAT"), ("{}", "WRONG_FORMAT"),
        ("[1]", "WRONG_FORMAT"), ("[" * 50_000, "WRONG_FORMAT"), (b"\xff\xfe", "WRONG_FORMAT"),
        ("[]", "NO_TICKET"), (json.dumps([BTC]), "NO_TICKET"),
        (json.dumps([{"ticket": ""}, BTC]), "NO_TICKET"),
        (json.dumps([{"ticket": 5}, BTC]), "NO_TICKET"),
        (json.dumps([TICKET]), "NO_TYPE"), (json.dumps([TICKET, {}]), "NO_TYPE"),
        (json.dumps([TICKET, {"codes": ["KRW-BTC"]}]), "NO_TYPE"),
        (json.dumps([TICKET, {"format": "DEFAULT"}]), "NO_TYPE"),
        (json.dumps([TICKET, {"type": "ticker"}]), "NO_CODES"),
        (json.dumps([TICKET, BTC | {"codes": []}]), "NO_CODES"),
        (json.dumps([TICKET, BTC | {"codes": "KRW-BTC"}]), "WRONG_FORMAT"),
        (json.dumps([TICKET, BTC | {"codes": [1]}]), "WRONG_FORMAT"),
        (json.dumps([TICKET, BTC | {"is_only_snapshot": "true"}]), "WRONG_FORMAT"),
        (json.dumps([TICKET, BTC | {"type": "weather"}]), "INVALID_PARAM"),
        (json.dumps([TICKET, BTC | {"type": 5}]), "INVALID_PARAM"),
        (json.dumps([TICKET, BTC | {"type": "candle.7m"}]), "INVALID_PARAM"),
        (json.dumps([TICKET, BTC, {"format": "XML"}]), "INVALID_PARAM"),
        (json.dumps([TICKET, BTC, {"format": ["SIMPLE"]}]), "INVALID_PARAM"),
        (json.dumps([TICKET, {"method": "HELP"}]), "INVALID_PARAM"),
        (
            json.dumps([TICKET, BTC | {"is_only_snapshot": True, "is_only_realtime": True}]),
            "INVALID_PARAM",
        ),
    ],
)  # fmt: skip
def test_impossible_request_is_refused_by_name(message: str | bytes, name: str) -> None:
    with pytest.raises(StreamRefusal) as refused:
        read(message)

    assert refused.value.name == name


def test_refusal_is_an_error_object_and_the_connection_stays(sim: Simulator) -> None:
    with listening(sim) as client:
        client.connection.send("hello")
        refusal = client.next()
        client.ask("KRW-BTC")
        frame = client.next()

    assert refusal["error"]["name"] == "WRONG_FORMAT"
    assert len(refusal["error"]["message"]) > 5
    assert frame["code"] == "KRW-BTC"


def test_refused_request_leaves_the_subscription_as_it_was(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC") as client:
        client.next()
        client.send([TICKET, {"type": "ticker"}])
        refusal = client.next()
        sim.set_price("KRW-BTC", "1000")

        assert refusal["error"]["name"] == "NO_CODES"
        assert client.next()["trade_price"] == 1000


def test_new_request_replaces_the_whole_set(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC") as client:
        client.next()
        client.ask("KRW-ETH")
        client.next()
        sim.set_price("KRW-BTC", "1000")
        sim.set_price("KRW-ETH", "2000")

        assert [frame["code"] for frame in client.rest(1)] == ["KRW-ETH"]


def test_only_snapshot_is_followed_by_nothing(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC", is_only_snapshot=True) as client:
        first = client.next()
        sim.set_price("KRW-BTC", "1000")

        assert first["stream_type"] == "SNAPSHOT"
        assert client.rest() == []


def test_only_realtime_begins_without_a_snapshot(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC", is_only_realtime=True) as client:
        before = client.rest()
        sim.set_price("KRW-BTC", "1000")

        assert before == []
        assert client.next()["stream_type"] == "REALTIME"


@pytest.mark.parametrize("code", ["KRW-NOTHERE", "krw-btc", ""])
def test_unknown_code_gets_nothing_and_harms_no_other(sim: Simulator, code: str) -> None:
    with listening(sim, code, "KRW-ETH") as client:
        assert [frame["code"] for frame in client.rest(1)] == ["KRW-ETH"]


def test_unknown_code_can_be_refused_instead() -> None:
    with (
        Simulator(markets=2, speed=0, stream_unknown="error") as sim,
        listening(sim, "KRW-BTC", "KRW-NOTHERE") as client,
    ):
        assert client.next()["error"]["name"] == "INVALID_PARAM"
        assert client.rest() == []


def test_listing_tells_what_holds(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC", "KRW-ETH") as client:
        client.many(2)
        client.send([{"ticket": "who"}, {"method": "LIST_SUBSCRIPTIONS"}])
        told = client.next()

    assert told == {
        "method": "LIST_SUBSCRIPTIONS",
        "result": [{"type": "ticker", "codes": ["KRW-BTC", "KRW-ETH"], "level": 0}],
        "ticket": "who",
    }


def test_format_of_a_listing_changes_the_format_of_the_stream(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC") as client:
        client.next()
        client.send([TICKET, {"method": "LIST_SUBSCRIPTIONS"}, {"format": "SIMPLE"}])
        client.next()
        sim.set_price("KRW-BTC", "1000")

        assert client.next()["tp"] == 1000


def test_request_without_a_format_is_answered_in_the_default(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC", form="SIMPLE") as client:
        short = client.next()
        client.ask("KRW-BTC")

        assert (short["cd"], client.next()["code"]) == ("KRW-BTC", "KRW-BTC")


def test_listing_without_a_format_leaves_the_format_as_it_is(sim: Simulator) -> None:
    with listening(sim, "KRW-BTC", form="SIMPLE") as client:
        client.next()
        client.send([TICKET, {"method": "LIST_SUBSCRIPTIONS"}])
        client.next()
        sim.set_price("KRW-BTC", "1000")

        assert client.next()["tp"] == 1000
