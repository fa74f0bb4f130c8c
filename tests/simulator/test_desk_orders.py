"""Orders on the wire: what is taken, what is locked, what becomes of them, in both dialects."""

import time
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from http.client import HTTPException
from itertools import count
from typing import Any

import pytest

from app.simulator import Simulator
from app.simulator.desk import desk
from tests.simulator.clients import Answer
from tests.simulator.signing import SECRET, Client, name_of

MARKET = "KRW-BTC"
_numbers = count(1)


@pytest.fixture(scope="module")
def shared() -> Iterator[Simulator]:
    with Simulator(markets=6, speed=0, rate_limit=None) as running:
        yield running


@pytest.fixture
def sim(shared: Simulator) -> Iterator[Simulator]:
    shared.set_price(MARKET, 100_000_000)
    yield shared
    shared.clear_faults()


def client(sim: Simulator, exchange: str = "upbit", **balances: str) -> Client:
    access = f"access-of-orders-{next(_numbers):06d}"
    sim.add_account(exchange, access, SECRET, balances or {"KRW": "1000000", "BTC": "1"})
    return Client(sim, exchange, access)


@pytest.fixture
def upbit(sim: Simulator) -> Client:
    return client(sim)


@pytest.fixture
def bithumb(sim: Simulator) -> Client:
    return client(sim, "bithumb")


def body(**fields: str | None) -> dict[str, str]:
    usual: dict[str, str | None] = {
        "market": MARKET, "side": "bid", "ord_type": "limit", "price": "90000000",
        "volume": "0.001",
    }  # fmt: skip
    return {name: value for name, value in (usual | fields).items() if value is not None}


def spend(won: str, **fields: str | None) -> dict[str, str]:
    return body(**({"ord_type": "price", "price": won, "volume": None} | fields))


def place(one: Client, **fields: str | None) -> Any:
    answer = one.post("/v1/orders", body(**fields))
    assert answer.status == 201, answer.text
    return answer.json


def show(one: Client, number: str) -> Any:
    return one.get("/v1/order", ("uuid", number)).json


# Upbit.


def test_order_is_taken_with_201_and_waits_with_its_fee_locked(sim: Simulator) -> None:
    rich = client(sim, KRW="50000")
    sim.set_price(MARKET, 160_000_000)
    row = place(rich, price="155772000", volume="0.0001")

    assert (row["state"], row["trades_count"]) == ("wait", 0)
    assert (row["locked"], row["reserved_fee"]) == ("15584.9886", "7.7886")
    assert (row["remaining_volume"], row["executed_volume"]) == ("0.0001", "0")
    numbers = {name: value for name, value in row.items() if name != "trades_count"}
    assert all(isinstance(value, str) for value in numbers.values())


def test_sale_of_the_documented_example_pays_the_documented_fee(sim: Simulator) -> None:
    one = client(sim, BTC="6")
    sim.set_price(MARKET, 1375)
    row = place(one, side="ask", ord_type="market", price=None, volume="5.377594")
    done = show(one, row["uuid"])

    assert (done["state"], done["paid_fee"]) == ("done", "3.697095875")
    assert done["trades"][0]["funds"] == "7394.19175"
    assert "price" not in done


def test_purchase_ends_cancelled_unless_it_fits(upbit: Client, sim: Simulator) -> None:
    sim.set_price(MARKET, 30_000_000)
    rest = show(upbit, upbit.post("/v1/orders", spend("10000")).json["uuid"])
    fits = show(upbit, upbit.post("/v1/orders", spend("30000")).json["uuid"])

    assert (rest["state"], rest["executed_volume"]) == ("cancel", "0.00033333")
    assert fits["state"] == "done"
    assert "volume" not in rest
    assert sim.balances(upbit.access)["KRW"].locked == 0


def test_cancel_answers_wait_and_gives_back(upbit: Client, sim: Simulator) -> None:
    number = place(upbit)["uuid"]
    answer = upbit.delete("/v1/order", ("uuid", number))

    assert (answer.status, answer.json["state"]) == (200, "wait")
    assert show(upbit, number)["state"] == "cancel"
    assert sim.balances(upbit.access)["KRW"].free == 1_000_000


def test_cancelling_is_refused_for_what_is_over_and_what_never_was(upbit: Client) -> None:
    number = place(upbit)["uuid"]
    upbit.delete("/v1/order", ("uuid", number))

    assert name_of(upbit.delete("/v1/order", ("uuid", number))) == (400, "bad_request")
    gone = upbit.delete("/v1/order", ("identifier", "nobody"))
    assert name_of(gone) == (404, "order_not_found")
    assert name_of(upbit.delete("/v1/order")) == (400, "invalid_parameter")


def test_order_is_found_by_number_or_name_and_the_number_wins(upbit: Client) -> None:
    first, second = place(upbit, identifier="one"), place(upbit, identifier="two")

    assert upbit.get("/v1/order", ("identifier", "two")).json["uuid"] == second["uuid"]
    both = upbit.get("/v1/order", ("uuid", first["uuid"]), ("identifier", "two"))
    assert both.json["uuid"] == first["uuid"]
    assert name_of(upbit.get("/v1/order", ("uuid", "x"))) == (404, "order_not_found")


def test_nobody_finds_another_s_order(sim: Simulator) -> None:
    alice, bob = client(sim), client(sim)
    number = place(alice, identifier="hers")["uuid"]

    assert bob.get("/v1/order", ("uuid", number)).status == 404
    assert bob.get("/v1/order", ("identifier", "hers")).status == 404


def test_name_is_used_up_for_ever_also_by_a_refused_order(upbit: Client) -> None:
    assert upbit.post("/v1/orders", body(identifier="a", volume="1")).status == 400
    assert name_of(upbit.post("/v1/orders", body(identifier="a"))) == (
        400, "duplicated_identifier",
    )  # fmt: skip
    number = place(upbit, identifier="b")["uuid"]
    upbit.delete("/v1/order", ("uuid", number))
    assert name_of(upbit.post("/v1/orders", body(identifier="b"))) == (
        400, "duplicated_identifier",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("order", "name"),
    [
        (spend("4999"), "under_min_total_bid"),
        (body(volume="0.00005"), "under_min_total_bid"),
        (body(side="ask", ord_type="market", price=None, volume="0.00004"), "under_min_total_ask"),
        (spend("1000000001"), "over_krw_funds_bid"),
        (body(price="90000001"), "invalid_parameter"),
        (spend("1000000"), "insufficient_funds_bid"),
        (body(side="ask", ord_type="market", price=None, volume="2"), "insufficient_funds_ask"),
        (body(market="KRW-NOSUCH"), "notfoundmarket"),
        (body(market="BTC-ETH"), "notfoundmarket"),
        (body(side="buy"), "invalid_parameter"),
        (body(ord_type="market"), "create_bid_error"),
        (body(side="ask", ord_type="price", volume=None), "create_ask_error"),
        (body(side="ask", ord_type="market"), "create_ask_error"),
        (spend("5000", volume="1"), "create_bid_error"),
        (body(price=None), "invalid_parameter"),
        (body(volume="1e-3"), "invalid_parameter"),
        (body(volume="0.000000001"), "invalid_parameter"),
        (body(volume="-1"), "invalid_parameter"),
        (body(volume="0"), "invalid_parameter"),
        (body(time_in_force="soon"), "invalid_time_in_force"),
        (spend("5000", time_in_force="ioc"), "invalid_time_in_force"),
        (spend("5000", ord_type="best"), "invalid_time_in_force"),
        (spend("5000", ord_type="best", time_in_force="post_only"), "invalid_time_in_force"),
        (body(identifier="x" * 65), "invalid_parameter"),
        ({"market": MARKET}, "invalid_parameter"),
    ],
)
def test_order_is_refused_by_name_and_changes_nothing(
    upbit: Client, sim: Simulator, order: dict[str, str], name: str
) -> None:
    before = sim.balances(upbit.access)

    assert name_of(upbit.post("/v1/orders", order)) == (400, name)
    assert (sim.balances(upbit.access), sim.orders(upbit.access)) == (before, [])


def test_order_on_trial_is_checked_and_thrown_away(upbit: Client, sim: Simulator) -> None:
    assert upbit.post("/v1/orders/test", body(identifier="trial")).status == 200
    refused = upbit.post("/v1/orders/test", spend("5000000"))

    assert name_of(refused) == (400, "insufficient_funds_bid")
    assert sim.orders(upbit.access) == []
    assert place(upbit, identifier="trial")["identifier"] == "trial"


@pytest.mark.parametrize(
    ("price", "in_force", "state", "volume"),
    [
        ("110000000", "ioc", "done", "0.001"),
        ("90000000", "ioc", "cancel", "0"),
        ("110000000", "fok", "done", "0.001"),
        ("90000000", "fok", "cancel", "0"),
        ("110000000", "post_only", "cancel", "0"),
        ("90000000", "post_only", "wait", "0"),
    ],
)
def test_time_in_force_decides_at_once(
    upbit: Client, price: str, in_force: str, state: str, volume: str
) -> None:
    row = show(upbit, place(upbit, price=price, time_in_force=in_force)["uuid"])

    assert (row["state"], row["executed_volume"]) == (state, volume)


def test_fill_or_kill_takes_no_part_and_immediate_takes_one(upbit: Client, sim: Simulator) -> None:
    sim.fault("partial", share=0.5)
    kill = show(upbit, place(upbit, price="110000000", time_in_force="fok")["uuid"])
    now = show(upbit, place(upbit, price="110000000", time_in_force="ioc")["uuid"])

    assert (kill["state"], kill["executed_volume"]) == ("cancel", "0")
    assert (now["state"], now["executed_volume"]) == ("cancel", "0.0005")
    assert sim.balances(upbit.access)["KRW"].locked == 0


def test_best_order_trades_like_one_at_the_market(upbit: Client) -> None:
    order = spend("100000", ord_type="best", time_in_force="ioc")
    row = show(upbit, upbit.post("/v1/orders", order).json["uuid"])

    assert (row["state"], row["executed_volume"]) == ("done", "0.001")


def test_post_only_order_that_rests_is_filled_later(upbit: Client, sim: Simulator) -> None:
    number = place(upbit, time_in_force="post_only")["uuid"]
    assert show(upbit, number)["state"] == "wait"
    sim.set_price(MARKET, 90_000_000)

    assert show(upbit, number)["state"] == "done"


def test_lists_part_what_is_open_from_what_is_over(upbit: Client) -> None:
    waits, gone = place(upbit)["uuid"], place(upbit, identifier="gone")["uuid"]
    upbit.delete("/v1/order", ("uuid", gone))

    def numbers(answer: Answer) -> list[str]:
        assert answer.status == 200, answer.text
        return [row["uuid"] for row in answer.json]

    both = (("states[]", "wait"), ("states[]", "watch"))
    assert numbers(upbit.get("/v1/orders/open")) == [waits]
    assert numbers(upbit.get("/v1/orders/open", *both)) == [waits]
    assert numbers(upbit.get("/v1/orders/open", ("market", "KRW-ETH"))) == []
    assert numbers(upbit.get("/v1/orders/closed", ("state", "cancel"))) == [gone]
    assert numbers(upbit.get("/v1/orders/uuids", ("identifiers[]", "gone"))) == [gone]
    assert numbers(upbit.get("/v1/orders/uuids", ("uuids[]", waits))) == [waits]


def test_list_comes_in_pages_newest_first_with_funds_and_without_trades(upbit: Client) -> None:
    numbers = [place(upbit, volume="0.0001")["uuid"] for _ in range(5)]
    first = upbit.get("/v1/orders/open", ("page", "1"), ("limit", "2")).json
    last = upbit.get("/v1/orders/open", ("page", "3"), ("limit", "2")).json

    assert [row["uuid"] for row in first] == numbers[:2:-1]
    assert [row["uuid"] for row in last] == numbers[:1]
    assert first[0]["executed_funds"] == "0"
    assert "trades" not in first[0]


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/v1/orders/open", [("state", "done")]),
        ("/v1/orders/open", [("state", "wait"), ("states[]", "wait")]),
        ("/v1/orders/open", [("limit", "101")]),
        ("/v1/orders/open", [("page", "0")]),
        ("/v1/orders/open", [("page", "x")]),
        ("/v1/orders/closed", [("limit", "1001")]),
        ("/v1/orders/uuids", []),
        ("/v1/orders/uuids", [("uuids[]", "a"), ("identifiers[]", "b")]),
    ],
)
def test_list_that_can_not_be_asked_for_is_refused(
    upbit: Client, path: str, sent: list[tuple[str, str]]
) -> None:
    assert name_of(upbit.get(path, *sent)) == (400, "invalid_parameter")


def test_cancel_with_a_body_is_refused(upbit: Client) -> None:
    answer = upbit.ask("DELETE", "/v1/order", [("uuid", "x")], body='{"uuid":"x"}')

    assert name_of(answer) == (400, "QUERY_PARAMETER_NOT_SUPPORTED")


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_wrong_method_is_refused(upbit: Client, method: str) -> None:
    assert upbit.ask(method, "/v1/orders", []).status == 405


def test_chance_tells_fee_bounds_and_both_balances(upbit: Client) -> None:
    row = upbit.get("/v1/orders/chance", ("market", MARKET)).json

    assert (row["bid_fee"], row["market"]["bid"]["min_total"]) == ("0.0005", "5000")
    assert (row["market"]["max_total"], row["market"]["state"]) == ("1000000000", "active")
    assert (row["bid_account"]["balance"], row["ask_account"]["balance"]) == ("1000000", "1")
    unknown = upbit.get("/v1/orders/chance", ("market", "KRW-NOSUCH"))
    assert name_of(unknown) == (400, "notfoundmarket")


def test_step_of_the_price_is_public(sim: Simulator, upbit: Client) -> None:
    row = upbit.get("/v1/orderbook/instruments", ("markets", MARKET), header="").json[0]

    assert (row["market"], row["tick_size"], row["quote_currency"]) == (MARKET, "1000", "KRW")


# Against the world.


def test_order_is_filled_by_a_price_that_came_and_went(sim: Simulator) -> None:
    one = client(sim)
    number = place(one)["uuid"]
    sim.set_speed(10_000)
    for price in (85_000_000, 100_000_000):
        time.sleep(0.02)
        sim.set_price(MARKET, price)
    sim.set_speed(0)
    row = show(one, number)

    assert (row["state"], row["trades"][0]["price"]) == ("done", "90000000")
    assert sim.balances(one.access)["KRW"].free == 1_000_000 - 90_045


def test_order_is_not_filled_by_a_price_from_before_it(upbit: Client, sim: Simulator) -> None:
    sim.set_price(MARKET, 80_000_000)
    sim.set_price(MARKET, 100_000_000)
    number = place(upbit)["uuid"]

    assert show(upbit, number)["state"] == "wait"


def test_orders_of_a_market_that_goes_are_called_off(sim: Simulator) -> None:
    one = client(sim)
    number = place(one)["uuid"]
    sim.fault("delist", code=MARKET)
    row = show(one, number)

    assert (row["state"], sim.balances(one.access)["KRW"].locked) == ("cancel", 0)


def test_recorded_prices_take_orders_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("recording")
    row = '[{"market":"KRW-BTC","trade_price":50000000.0}]'
    (folder / "ticker_krw.json").write_text(row)
    with Simulator(replay=folder, rate_limit=None) as recorded:
        one = client(recorded)
        done = show(one, one.post("/v1/orders", spend("50000")).json["uuid"])

    assert done["executed_volume"] == "0.001"


# Bithumb.


def test_bithumb_hands_out_a_bare_receipt(bithumb: Client) -> None:
    order = {"market": MARKET, "side": "bid", "order_type": "price", "price": "100000",
             "client_order_id": "mine-1"}  # fmt: skip
    answer = bithumb.post("/v2/orders", order)
    row = answer.json

    assert answer.status == 200
    assert row.keys() == {
        "market", "order_id", "side", "order_type", "created_at", "client_order_id",
    }  # fmt: skip
    assert row["order_id"].startswith("C0101")
    done = bithumb.get("/v1/order", ("client_order_id", "mine-1")).json
    assert (done["uuid"], done["state"], done["paid_fee"]) == (row["order_id"], "done", "250")


def test_bithumb_s_lists_tell_no_funds_and_its_accounts_points(bithumb: Client) -> None:
    order = {"market": MARKET, "side": "bid", "order_type": "limit", "price": "90000000",
             "volume": "0.001"}  # fmt: skip
    number = bithumb.post("/v2/orders", order).json["order_id"]
    (row,) = bithumb.get("/v1/orders", ("state", "wait")).json

    assert row["uuid"] == number
    assert "executed_funds" not in row
    assert row["locked"] == "90225"
    assert bithumb.get("/v1/accounts").json[0]["currency"] == "P"
    assert bithumb.get("/v1/orders", ("uuids[]", number)).json[0]["uuid"] == number


def test_bithumb_cancels_in_both_versions(bithumb: Client) -> None:
    for path, name in (("/v2/order", "order_id"), ("/v1/order", "uuid")):
        order = {"market": MARKET, "side": "bid", "ord_type": "limit", "price": "90000000",
                 "volume": "0.001"}  # fmt: skip
        number = bithumb.post("/v1/orders", order).json["uuid"]

        assert bithumb.delete(path, (name, number)).status == 200
        assert name_of(bithumb.delete(path, (name, number))) == (404, "order_not_found")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"price": "4000", "order_type": "price", "volume": None}, "under_price_limit_bid"),
        ({"price": "90000001"}, "invalid_price_bid"),
        ({"market": "KRW-NOSUCH"}, "currency does not have a valid value"),
        ({"client_order_id": "with space"}, "invalid_parameter"),
        ({"client_order_id": "x" * 37}, "invalid_parameter"),
        ({"price": "1000000001", "order_type": "price", "volume": None}, "invalid_parameter"),
    ],
)
def test_bithumb_refuses_in_its_own_words(
    bithumb: Client, fields: dict[str, str | None], name: str
) -> None:
    order = body(**({"ord_type": None, "order_type": "limit"} | fields))

    assert name_of(bithumb.post("/v2/orders", order)) == (400, name)


def test_bithumb_names_the_step_in_its_chance(bithumb: Client) -> None:
    row = bithumb.get("/v1/orders/chance", ("market", MARKET)).json

    assert row["market"]["bid"]["price_unit"] == "1000"
    assert row["bid_fee"] == "0.0025"


def test_bithumb_refuses_questions_that_name_nothing(bithumb: Client) -> None:
    assert name_of(bithumb.get("/v1/order")) == (400, "invalid_parameter")
    assert name_of(bithumb.get("/v1/orders", ("state", "x"))) == (400, "invalid_parameter")


@pytest.mark.parametrize("path", ["/v1/market/all", "/_sim", "/"])
def test_bithumb_has_the_signed_side_alone(bithumb: Client, path: str) -> None:
    assert bithumb.get(path).status == 404


# Limits and faults.


def test_each_key_has_patience_of_its_own_and_orders_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "monotonic", lambda: 1000.0)  # all of it within one second
    with Simulator(markets=2, speed=0) as limited:
        alice, bob = client(limited), client(limited)
        questions = [alice.get("/v1/accounts").status for _ in range(45)]
        orders = [alice.post("/v1/orders", spend("5000")).status for _ in range(25)]
        answer = bob.get("/v1/accounts")

    assert questions.count(200) == 30
    assert orders.count(201) == 12
    assert set(questions) | set(orders) == {200, 201, 429}
    assert answer.status == 200
    assert answer.headers["Remaining-Req"] == "group=default; min=600; sec=29"


def test_fault_of_one_group_leaves_the_other_alone(upbit: Client, sim: Simulator) -> None:
    sim.fault("maintenance", group="order")

    assert name_of(upbit.post("/v1/orders", spend("5000"))) == (403, "market_offline")
    assert upbit.get("/v1/accounts").status == 200


@pytest.mark.parametrize(
    ("mode", "options", "taken"),
    [
        *(("5xx", {}, 0), ("html", {}, 0), ("429", {}, 0), ("418", {}, 0), ("maintenance", {}, 0)),
        *(("5xx", {"accepted": True}, 1), ("html", {"accepted": True}, 1)),
        *(("cut", {}, 1), ("empty", {}, 1), ("dead", {}, 0), ("dead", {"accepted": True}, 1)),
    ],
)
def test_failing_answer_tells_nothing_of_whether_the_order_was_taken(
    upbit: Client, sim: Simulator, mode: str, options: dict[str, Any], taken: int
) -> None:
    sim.fault(mode, group="order", **options)
    with suppress(OSError, HTTPException):  # no answer, or half of one
        upbit.post("/v1/orders", spend("5000"), timeout=1)

    assert len(sim.orders(upbit.access)) == taken


@pytest.mark.parametrize(("mode", "taken"), [("timeout", 0), ("timeout_after_accept", 1)])
def test_order_may_be_taken_though_nobody_answers(
    upbit: Client, sim: Simulator, mode: str, taken: int
) -> None:
    sim.fault(mode, group="order")
    with pytest.raises(TimeoutError):
        upbit.post("/v1/orders", spend("5000"), timeout=0.2)

    assert len(sim.orders(upbit.access)) == taken


def test_money_can_come_and_go_from_outside(upbit: Client, sim: Simulator) -> None:
    sim.change_balance(upbit.access, "BTC", "0.5")
    sim.fault("balance_changes", currency="KRW", amount=-2_000_000)
    held = sim.balances(upbit.access)

    assert (held["BTC"].free, held["KRW"].free) == (Decimal("1.5"), 0)


def test_truth_is_a_copy(upbit: Client, sim: Simulator) -> None:
    place(upbit)
    sim.orders(upbit.access)[0].trades.append("x")  # type: ignore[arg-type]
    sim.balances(upbit.access)["KRW"].free = Decimal(0)

    assert sim.orders(upbit.access)[0].trades == []
    assert sim.balances(upbit.access)["KRW"].free > 0
