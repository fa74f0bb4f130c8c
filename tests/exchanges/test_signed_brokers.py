"""Upbit and Bithumb when they fail, refuse and lie: what is sure, what is open, what is told."""

import logging
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.exchanges import (
    ExchangeName,
    KeyCheck,
    KeyProblem,
    Keys,
    KeyState,
    OrderIntent,
    OrderKind,
    OrderState,
    Side,
)
from app.exchanges.base import (
    BadCredentials,
    Broker,
    ExchangeError,
    OrderRefused,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    Unavailable,
    UnknownMarket,
)
from app.exchanges.http import HttpClient
from app.simulator import Simulator
from tests.exchanges.stub import Stub, reply
from tests.exchanges.venues import (
    MARKET,
    Venue,
    fresh_keys,
    signed_broker,
    signed_venue,
    url_of,
)

START = {"KRW": "1000000", "BTC": "0.5"}
BUY = OrderIntent("buy", MARKET, Side.BUY, OrderKind.MARKET, funds=Decimal(10_000))
LIMIT = OrderIntent(
    "limit", MARKET, Side.BUY, OrderKind.LIMIT, volume=Decimal("0.001"), price=Decimal(90_000_000)
)
BOTH = list(ExchangeName)


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(markets=3, speed=0, rate_limit=None) as running:
        yield running


@pytest.fixture
def sim(shared: Simulator) -> Iterator[Simulator]:
    shared.clear_faults()
    yield shared
    shared.clear_faults()


@pytest.fixture(params=BOTH)
def venue(request: pytest.FixtureRequest, sim: Simulator) -> Venue:
    return signed_venue(request.param, sim, START)


def check(exchange: ExchangeName, sim: Simulator, keys: Keys) -> KeyCheck:
    return signed_broker(exchange, url_of(exchange, sim), keys).check_key()


def at_stub(stub: Stub, exchange: ExchangeName, keys: Keys | None = None) -> Broker:
    """A broker whose exchange says what the test tells it to."""
    return signed_broker(exchange, stub.url, keys or fresh_keys())


# What becomes of an order.


@pytest.mark.parametrize(
    ("mode", "options", "arrives"),
    [
        *(("timeout", {}, 0), ("timeout_after_accept", {}, 1), ("dead", {}, 0)),
        *(("dead", {"accepted": True}, 1), ("cut", {}, 1), ("empty", {}, 1)),
        *(("html", {"status": 200}, 0), ("html", {"status": 503, "accepted": True}, 1)),
        *(("5xx", {"status": status}, 0) for status in (500, 502, 503, 504)),
        ("5xx", {"status": 502, "accepted": True}, 1),
    ],
)
def test_order_without_a_usable_answer_is_in_doubt_and_sent_once(
    venue: Venue, sim: Simulator, mode: str, options: dict[str, object], arrives: int
) -> None:
    before = sim.requests["/v1/orders"] + sim.requests["/v2/orders"]
    sim.fault(mode, group="order", **options)  # type: ignore[arg-type]

    with pytest.raises(OutcomeUnknown):
        venue.broker.place(BUY)

    assert sim.requests["/v1/orders"] + sim.requests["/v2/orders"] == before + 1
    assert venue.count_orders() == arrives
    sim.clear_faults()
    report = venue.broker.order("buy")
    assert (report is not None) == bool(arrives)
    assert report is None or report.executed_funds == 10_000


@pytest.mark.parametrize("mode", ["429", "418"])
def test_order_that_came_too_soon_was_surely_not_taken(
    venue: Venue, sim: Simulator, mode: str
) -> None:
    sim.fault(mode, group="order")
    with pytest.raises(RateLimited):
        venue.broker.place(BUY)

    assert venue.count_orders() == 0


def test_order_during_maintenance_is_refused(venue: Venue, sim: Simulator) -> None:
    sim.fault("maintenance", group="order")
    with pytest.raises(OrderRefused) as caught:
        venue.broker.place(BUY)

    assert caught.value.code == "market_offline"
    assert venue.count_orders() == 0


def test_order_in_a_delisted_market_is_refused(venue: Venue, sim: Simulator) -> None:
    sim.fault("delist", code=MARKET)
    with pytest.raises(OrderRefused):
        venue.broker.place(BUY)


def test_order_on_a_closed_port_is_in_doubt_and_lookups_are_unavailable() -> None:
    with Simulator(markets=2, rate_limit=None) as gone:
        venue = signed_venue(ExchangeName.UPBIT, gone, START)

    with pytest.raises(OutcomeUnknown):
        venue.broker.place(BUY)
    with pytest.raises(Unavailable):
        venue.broker.order("buy")


@pytest.mark.parametrize(
    "answer",
    [
        *('{"uuid": 5}', "{}", "[]", '"ok"', '{"uuid":"u","executed_volume":"-1"}', "null"),
        '{"uuid":"u","identifier":"another","client_order_id":"another"}',
    ],
)
def test_answer_that_can_not_be_read_leaves_the_order_in_doubt(stub: Stub, answer: str) -> None:
    for exchange in BOTH:
        stub.default = reply(answer, status=201)
        broker = at_stub(stub, exchange)

        with pytest.raises(OutcomeUnknown):
            broker.place(BUY)


@pytest.mark.parametrize(
    ("status", "name", "error"),
    [
        (400, "create_bid_error", OrderRefused),
        (400, "over_krw_funds_bid", OrderRefused),
        (400, "cross_trading", OrderRefused),
        (400, "some_name_of_next_year", OrderRefused),
        (403, "some_name_of_next_year", OrderRefused),
        (401, "invalid_query_payload", OrderRefused),
        (401, "jwt_verification", BadCredentials),
        (401, "nonce_used", OutcomeUnknown),
        (422, "order_not_ready", OutcomeUnknown),
        (500, "internal", OutcomeUnknown),
        (400, 500, OrderRefused),
        (200, 503, OutcomeUnknown),
        (200, "invalid_parameter", OrderRefused),
        (200, "out_of_scope", BadCredentials),
        (409, "duplicate_client_order_id", Rejected),
        (302, "found", OutcomeUnknown),
        (408, "", OutcomeUnknown),
    ],
)
def test_refusal_is_told_apart_by_name_then_by_status(
    stub: Stub, status: int, name: object, error: type[ExchangeError]
) -> None:
    text = f'"{name}"' if isinstance(name, str) else name
    stub.default = reply(f'{{"error":{{"name":{text},"message":"안 됩니다"}}}}', status=status)
    broker = at_stub(stub, ExchangeName.UPBIT)

    with pytest.raises(error) as caught:
        broker.place(BUY)

    assert "안 됩니다" not in str(caught.value)
    assert len(stub.asked) == 1


def test_same_name_by_many_threads_makes_one_order(venue: Venue) -> None:
    def place(_: int) -> bool:
        try:
            venue.broker.place(BUY)
        except Rejected:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(place, range(16)))

    assert (taken.count(True), venue.count_orders()) == (1, 1)


def test_partly_filled_purchase_ends_with_what_it_got(venue: Venue, sim: Simulator) -> None:
    sim.fault("partial", share=0.25)
    venue.broker.place(BUY)
    report = venue.broker.order("buy")

    assert report is not None
    assert (report.state, report.executed_funds) == (OrderState.CANCELLED, 2_500)
    assert venue.held()["KRW"] == (Decimal(1_000_000) - 2_500 * Decimal("1.0005"), 0)


def test_partly_filled_bid_goes_on_and_its_fills_stay_what_they_were(
    venue: Venue, sim: Simulator
) -> None:
    sim.fault("partial", share=0.25)
    venue.broker.place(LIMIT)
    venue.set_price(Decimal(90_000_000))
    partly = venue.broker.order("limit")
    sim.clear_faults()
    whole = venue.broker.order("limit")

    assert partly is not None
    assert whole is not None
    assert (partly.state, partly.executed_volume) == (OrderState.OPEN, Decimal("0.00025"))
    assert (whole.state, whole.executed_volume) == (OrderState.FILLED, Decimal("0.001"))
    assert whole.fills[:1] == partly.fills
    assert sum(fill.fee for fill in whole.fills) == whole.paid_fee == 45


def test_partly_filled_open_order_is_listed_with_what_it_spent(
    venue: Venue, sim: Simulator
) -> None:
    sim.fault("partial", share=0.25)
    venue.broker.place(LIMIT)
    venue.set_price(Decimal(90_000_000))

    (listed,), asked = venue.broker.open_orders(), venue.broker.order("limit")

    assert asked is not None
    assert replace(listed, fills=()) == replace(asked, fills=())
    assert (listed.executed_funds, listed.paid_fee) == (22_500, Decimal("11.25"))


def test_slow_order_stays_open_until_it_is_filled(venue: Venue, sim: Simulator) -> None:
    sim.fault("slow_fill", seconds=0.3)
    venue.broker.place(BUY)
    first = venue.broker.order("buy")
    time.sleep(0.35)
    second = venue.broker.order("buy")

    assert first is not None
    assert second is not None
    assert (first.state, second.state) == (OrderState.OPEN, OrderState.FILLED)


def test_order_that_is_still_being_taken_down_is_not_denied(venue: Venue, sim: Simulator) -> None:
    venue.broker.place(BUY)
    sim.fault("not_ready", group="account")

    with pytest.raises(Unavailable):
        venue.broker.order("buy")


def test_errors_under_status_200_are_errors(venue: Venue, sim: Simulator) -> None:
    sim.fault("error_200")

    assert venue.broker.order("nobody") is None
    with pytest.raises(OrderRefused):
        venue.broker.place(OrderIntent("x", MARKET, Side.BUY, OrderKind.MARKET, funds=Decimal(1)))


def test_cancel_that_fails_says_so_and_may_be_asked_again(venue: Venue, sim: Simulator) -> None:
    venue.broker.place(LIMIT)
    sim.fault("dead", group="order")
    with pytest.raises(Unavailable):
        venue.broker.cancel("limit")
    sim.clear_faults()
    venue.broker.cancel("limit")

    report = venue.broker.order("limit")
    assert report is not None
    assert report.state is OrderState.CANCELLED


def test_many_open_orders_are_read_page_by_page(sim: Simulator) -> None:
    for exchange in BOTH:
        venue = signed_venue(exchange, sim, {"KRW": "1000000"})
        for number in range(105):
            name = f"order-{number}"
            venue.broker.place(
                OrderIntent(
                    name,
                    MARKET,
                    Side.BUY,
                    OrderKind.LIMIT,
                    volume=Decimal("0.0001"),
                    price=Decimal(50_000_000),
                )
            )

        assert {each.client_id for each in venue.broker.open_orders()} == {
            f"order-{number}" for number in range(105)
        }


@pytest.mark.parametrize("exchange", BOTH)
@pytest.mark.parametrize(
    "answers",
    [
        ["[5]"],
        ['[{"uuid":"u","state":"wait","executed_volume":"x"}]'],
        ['[{"uuid":"u","state":"wait","executed_volume":"1"}]', "gone"],
        ["[" + ",".join(['{"uuid":"u","state":"wait"}'] * 100) + "]"] * 20,
    ],
    ids=["no rows", "bad row", "gone meanwhile", "no end"],
)
def test_open_orders_that_can_not_be_told_whole_are_not_told(
    stub: Stub, exchange: ExchangeName, answers: list[str]
) -> None:
    gone = reply('{"error":{"name":"order_not_found"}}', status=404)
    stub.default = gone if answers[-1] == "gone" else reply("[]")
    stub.script = [reply(text) for text in answers if text != "gone"]
    if exchange is ExchangeName.BITHUMB and stub.default is gone:
        stub.script.append(reply("[]"))  # of those that watch
    broker = at_stub(stub, exchange)

    with pytest.raises(Unavailable):
        broker.open_orders()


def test_order_that_is_filled_while_it_is_cancelled_is_no_error(stub: Stub) -> None:
    stub.script = [
        reply('{"uuid":"C1","state":"wait","client_order_id":"buy"}'),
        reply('{"error":{"name":"order_not_found"}}', status=404),
    ]
    broker = at_stub(stub, ExchangeName.BITHUMB)
    broker.cancel("buy")

    assert stub.asked == ["/v1/order?client_order_id=buy", "/v2/order?order_id=C1"]


# Reading.


@pytest.mark.parametrize("mode", ["timeout", "dead", "5xx", "html", "cut", "maintenance", "429"])
def test_failing_lookup_is_unavailable_and_never_none(
    venue: Venue, sim: Simulator, mode: str
) -> None:
    venue.broker.place(BUY)
    sim.fault(mode, group="account")

    for ask in (
        lambda: venue.broker.order("buy"),
        venue.broker.balances,
        venue.broker.open_orders,
        lambda: venue.broker.rules(MARKET),
    ):
        with pytest.raises(Unavailable):
            ask()


def test_read_on_a_broken_line_is_tried_again_with_a_fresh_token(stub: Stub) -> None:
    def hang_up(handler: object) -> None:
        handler.close_connection = True  # type: ignore[attr-defined]

    stub.script = [hang_up, reply('[{"currency":"KRW","balance":"1","locked":"0"}]')]
    http = HttpClient(stub.url, sleep=lambda _: None)
    broker = signed_broker(ExchangeName.BITHUMB, stub.url, fresh_keys(), http)

    assert broker.balances()[0].free == 1
    assert len({sent["authorization"] for sent in stub.headers}) == 2


@pytest.mark.parametrize(
    "rows",
    [
        '[{"currency":"KRW","balance":"-1","locked":"0"}]',
        '[{"currency":"KRW","balance":"NaN","locked":"0"}]',
        '[{"currency":"KRW","balance":"1"}]',
        '[{"currency":"KRW","balance":"1","locked":"0"},{"currency":"KRW","balance":"2","locked":"0"}]',
        '[{"currency":"<b>","balance":"1","locked":"0"}]',
        '{"balance":"1"}',
        "[5]",
    ],
)
def test_half_an_account_is_no_account(stub: Stub, rows: str) -> None:
    stub.default = reply(rows)
    broker = at_stub(stub, ExchangeName.UPBIT)

    with pytest.raises(Unavailable):
        broker.balances()


def test_balance_that_changes_under_us_is_seen(venue: Venue, sim: Simulator) -> None:
    sim.fault("balance_changes", currency="KRW", amount=-400_000)

    assert venue.held()["KRW"] == (600_000, 0)


def test_rules_of_a_market_that_is_not_listed_are_unknown(venue: Venue) -> None:
    with pytest.raises(UnknownMarket):
        venue.broker.rules("KRW-NOSUCH")


def test_step_follows_the_price_and_comes_from_the_exchange(sim: Simulator) -> None:
    for exchange in BOTH:
        venue = signed_venue(exchange, sim, START)
        venue.set_price(Decimal("0.52"))

        assert venue.broker.rules(MARKET).tick == Decimal("0.001")


# Keys.


@pytest.mark.parametrize("exchange", BOTH)
def test_key_of_nobody_and_of_another_secret_is_invalid(
    sim: Simulator, exchange: ExchangeName
) -> None:
    keys = fresh_keys()
    refused = KeyCheck(KeyState.REFUSED, KeyProblem.INVALID)
    assert check(exchange, sim, keys) == refused

    sim.add_account(exchange.value, keys.access, keys.secret)
    assert check(exchange, sim, Keys(keys.access, "another-secret-key")) == refused
    assert check(exchange, sim, Keys(keys.access, "")) == refused
    assert check(exchange, sim, keys).state is KeyState.GOOD


def test_key_of_the_other_exchange_is_invalid(sim: Simulator) -> None:
    for own, other in (BOTH, BOTH[::-1]):
        keys = fresh_keys()
        sim.add_account(other.value, keys.access, keys.secret)

        assert check(own, sim, keys) == KeyCheck(KeyState.REFUSED, KeyProblem.INVALID)


@pytest.mark.parametrize("exchange", BOTH)
def test_address_that_is_not_allowed_is_told(sim: Simulator, exchange: ExchangeName) -> None:
    keys = fresh_keys()
    sim.add_account(exchange.value, keys.access, keys.secret, allowed_ips=["203.0.113.5"])

    assert check(exchange, sim, keys) == KeyCheck(KeyState.REFUSED, KeyProblem.ADDRESS_NOT_ALLOWED)


def test_expired_key_is_told_where_the_exchange_tells(sim: Simulator) -> None:
    keys, past = fresh_keys(), sim.now() - timedelta(days=1)
    sim.add_account("upbit", keys.access, keys.secret, expires_at=past)

    assert check(ExchangeName.UPBIT, sim, keys) == KeyCheck(KeyState.REFUSED, KeyProblem.EXPIRED)


@pytest.mark.parametrize("exchange", BOTH)
def test_key_whose_end_has_come_is_refused_even_if_it_still_answers(
    stub: Stub, exchange: ExchangeName
) -> None:
    keys, past = fresh_keys(), "2025-06-11T09:00:00+09:00"
    stub.default = reply(f'[{{"access_key":"{keys.access}","expire_at":"{past}"}}]')
    found = at_stub(stub, exchange, keys).check_key()

    assert (found.state, found.problem) == (KeyState.REFUSED, KeyProblem.EXPIRED)
    assert found.expires_at == datetime(2025, 6, 11, tzinfo=UTC)


@pytest.mark.parametrize("exchange", BOTH)
@pytest.mark.parametrize("right", ["view", "orders", "trade"])
def test_missing_right_is_told_one_by_one(
    sim: Simulator, exchange: ExchangeName, right: str
) -> None:
    keys = fresh_keys()
    rights = {"view", "orders", "trade"} - {right}
    sim.add_account(exchange.value, keys.access, keys.secret, permissions=rights)
    found = check(exchange, sim, keys)

    assert found.can_view == ("view" in rights)
    assert found.can_view_orders == ("orders" in rights)
    assert found.can_trade == ("trade" in rights)
    assert found.problem == (KeyProblem.MISSING_PERMISSION if right == "view" else None)


def test_right_to_withdraw_is_told_at_upbit_and_can_not_be_at_bithumb(sim: Simulator) -> None:
    told = {}
    for exchange in BOTH:
        for rights in ({"view"}, {"view", "withdraw"}):
            keys = fresh_keys()
            sim.add_account(exchange.value, keys.access, keys.secret, permissions=rights)
            told[exchange.value, len(rights)] = check(exchange, sim, keys).can_withdraw

    assert told == {
        ("upbit", 1): False,
        ("upbit", 2): True,
        ("bithumb", 1): None,
        ("bithumb", 2): None,
    }


@pytest.mark.parametrize("exchange", BOTH)
def test_checking_a_key_changes_nothing(sim: Simulator, exchange: ExchangeName) -> None:
    venue = signed_venue(exchange, sim, START)
    before = venue.held()
    venue.broker.check_key()

    assert (venue.held(), venue.count_orders()) == (before, 0)


@pytest.mark.parametrize("exchange", BOTH)
def test_missing_right_is_told_when_an_order_is_sent(
    sim: Simulator, exchange: ExchangeName
) -> None:
    venue = signed_venue(exchange, sim, START, permissions=["view", "orders"])
    with pytest.raises(BadCredentials) as caught:
        venue.broker.place(BUY)

    assert caught.value.problem is KeyProblem.MISSING_PERMISSION


@pytest.mark.parametrize("exchange", BOTH)
def test_blocked_account_is_told(sim: Simulator, exchange: ExchangeName) -> None:
    keys = fresh_keys()
    sim.add_account(exchange.value, keys.access, keys.secret).blocked = True

    assert check(exchange, sim, keys) == KeyCheck(KeyState.REFUSED, KeyProblem.ACCOUNT_BLOCKED)


def test_clock_that_is_wrong_is_told_at_bithumb_and_no_matter_at_upbit(sim: Simulator) -> None:
    sim.fault("skew", seconds=120)
    for exchange, problem in zip(BOTH, (None, KeyProblem.CLOCK), strict=True):
        venue = signed_venue(exchange, sim, START)

        assert venue.broker.check_key().problem is problem


@pytest.mark.parametrize("exchange", BOTH)
@pytest.mark.parametrize(
    ("mode", "problem"),
    [
        ("maintenance", KeyProblem.MAINTENANCE),
        *((mode, KeyProblem.UNREACHABLE) for mode in ("timeout", "dead", "html", "5xx", "429")),
        *((mode, KeyProblem.UNREACHABLE) for mode in ("418", "cut")),
    ],
)
def test_exchange_that_does_not_answer_leaves_the_key_unknown(
    sim: Simulator, exchange: ExchangeName, mode: str, problem: KeyProblem
) -> None:
    venue = signed_venue(exchange, sim, START)
    sim.fault(mode, group="account")

    assert venue.broker.check_key() == KeyCheck(KeyState.UNKNOWN, problem)


@pytest.mark.parametrize("exchange", BOTH)
def test_right_that_can_not_be_told_is_neither_yes_nor_no(
    stub: Stub, exchange: ExchangeName
) -> None:
    strange = reply('{"error":{"name":"of_next_year"}}', status=404)
    stub.script = [reply("[]"), reply("[]"), strange, strange, strange]
    found = at_stub(stub, exchange).check_key()

    assert (found.state, found.can_view) == (KeyState.GOOD, True)
    assert (found.can_view_orders, found.can_trade, found.can_withdraw) == (None, None, None)


def test_locked_right_to_withdraw_is_a_right_all_the_same(stub: Stub) -> None:
    locked = reply('{"error":{"name":"open_api_withdraw_locked"}}', status=403)
    stub.script = [reply("[]"), reply("[]"), reply("{}"), reply("{}"), locked]
    broker = at_stub(stub, ExchangeName.UPBIT)

    assert broker.check_key().can_withdraw is True


def test_wrong_address_that_shows_in_the_middle_refuses_the_key(stub: Stub) -> None:
    moved = reply('{"error":{"name":"no_authorization_ip"}}', status=401)
    stub.script = [reply("[]"), reply("[]"), moved]
    broker = at_stub(stub, ExchangeName.UPBIT)

    assert broker.check_key() == KeyCheck(KeyState.REFUSED, KeyProblem.ADDRESS_NOT_ALLOWED)


def test_bare_401_means_that_the_key_is_not_taken(stub: Stub) -> None:
    stub.default = reply("{}", status=401)
    broker = at_stub(stub, ExchangeName.UPBIT)

    assert broker.check_key() == KeyCheck(KeyState.REFUSED, KeyProblem.INVALID)


@pytest.mark.parametrize("name", ["no_authorization_ip", "no_authorization_i_p", "NotAllowIP"])
def test_both_spellings_of_a_wrong_address_mean_the_same(stub: Stub, name: str) -> None:
    stub.default = reply(f'{{"error":{{"name":"{name}"}}}}', status=401)
    broker = at_stub(stub, ExchangeName.UPBIT)

    assert broker.check_key().problem is KeyProblem.ADDRESS_NOT_ALLOWED


@pytest.mark.parametrize("status", [401, 403])
def test_missing_right_is_understood_under_both_statuses(stub: Stub, status: int) -> None:
    stub.default = reply('{"error":{"name":"out_of_scope"}}', status=status)
    broker = at_stub(stub, ExchangeName.UPBIT)

    with pytest.raises(BadCredentials) as caught:
        broker.balances()
    assert caught.value.problem is KeyProblem.MISSING_PERMISSION


# Secrets.


def test_planted_keys_are_in_no_log_no_error_and_no_address(
    sim: Simulator, stub: Stub, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    for exchange in BOTH:
        venue = signed_venue(exchange, sim, START)
        keys = venue.keys
        assert keys is not None
        echo = reply(f'[{{"access_key":"{keys.access}","secret":"{keys.secret}"', status=200)
        stub.script = [echo] * 20
        lying = at_stub(stub, exchange, keys)
        for mode in ("none", "timeout", "dead", "html", "5xx", "429", "maintenance", "cut"):
            sim.fault(mode)
            for broker in (venue.broker, lying):
                told += failures(broker)
        told += [repr(vars(broker)) for broker in (venue.broker, lying)]
        sim.clear_faults()

    everything = caplog.text + "".join(told) + "".join(stub.asked)
    assert "exchange_broken" in caplog.text
    # Nor are the tokens, in which the access key is packed.
    assert [each for each in ("whispered", "Bearer", "eyJ") if each in everything] == []


def failures(broker: object) -> list[str]:
    """Everything that a broker's calls say when they fail, causes included."""
    told = []
    for ask in (
        lambda: broker.place(BUY),  # type: ignore[attr-defined]
        lambda: broker.order("buy"),  # type: ignore[attr-defined]
        lambda: broker.cancel("buy"),  # type: ignore[attr-defined]
        *(getattr(broker, name) for name in ("balances", "open_orders", "check_key")),
        lambda: broker.rules(MARKET),  # type: ignore[attr-defined]
    ):
        try:
            ask()
        except ExchangeError as error:
            cause: BaseException | None = error
            while cause is not None:
                told.append(f"{cause!r} {cause}")
                cause = cause.__cause__ or cause.__context__
    return told
