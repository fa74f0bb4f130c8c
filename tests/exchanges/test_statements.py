"""What the exchanges say of accounts and orders, down to their documented examples."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.exchanges import Balance, OrderState
from app.exchanges.base import (
    BadCredentials,
    ExchangeError,
    InsufficientFunds,
    Maintenance,
    Unavailable,
    UnknownMarket,
)
from app.exchanges.http import Reply
from app.exchanges.private import told
from app.exchanges.refusals import NoSuchOrder, Refused
from app.exchanges.statements import NoFunds, read_balances, read_order, read_rules
from app.exchanges.wire import BadField, decode

TRADE = {
    "uuid": "t-1", "price": "100", "volume": "2", "funds": "200",
    "created_at": "2026-03-02T12:00:00+09:00",
}  # fmt: skip
ORDER = {"uuid": "o-1", "state": "done", "executed_volume": "2", "paid_fee": "0.1"}


def example(recordings: Path, name: str) -> Any:
    return decode((recordings / f"{name}_doc.json").read_text())


def row(**fields: object) -> dict[str, object]:
    return {**ORDER, "trades": [TRADE]} | fields


# The documented examples.


def test_documented_accounts_are_read(recordings: Path) -> None:
    assert read_balances(example(recordings, "accounts")) == [
        Balance("KRW", Decimal(1_000_000), Decimal(0)),
        Balance("BTC", Decimal(2), Decimal(0), Decimal(140_000_000)),
    ]


def test_documented_chance_is_read(recordings: Path) -> None:
    rules = read_rules(example(recordings, "orders_chance_KRW-BTC"), "KRW-BTC", None)

    assert (rules.bid_fee, rules.ask_fee) == (Decimal("0.0005"), Decimal("0.0005"))
    assert (rules.min_total, rules.max_total, rules.tick) == (5_000, 10**9, None)
    assert rules.is_open


def test_documented_sale_is_read_to_the_last_digit(recordings: Path) -> None:
    report = read_order(example(recordings, "order_get_market_sell_done"))

    assert report.exchange_id == "3b67e543-8ad3-48d0-8451-0dad315cae73"
    assert report.state is OrderState.FILLED
    assert report.executed_volume == Decimal("5.377594")
    assert report.executed_funds == Decimal("7394.19175")
    assert report.paid_fee == Decimal("3.697095875")
    (fill,) = report.fills
    assert (fill.price, fill.fee) == (1375, Decimal("3.697095875"))
    assert fill.at == datetime(2025, 8, 9, 7, 44, 0, 597751, tzinfo=UTC)


@pytest.mark.parametrize("name", ["get_limit_buy_wait", "create_201", "cancel_200"])
def test_documented_orders_that_wait_are_open(recordings: Path, name: str) -> None:
    report = read_order(example(recordings, f"order_{name}"))

    assert (report.state, report.executed_volume, report.fills) == (OrderState.OPEN, 0, ())
    assert report.exchange_id


def test_documented_lists_are_read(recordings: Path) -> None:
    (waits,) = example(recordings, "orders_open")
    (closed,) = example(recordings, "orders_closed")

    assert read_order(waits).state is OrderState.OPEN
    with pytest.raises(NoFunds):  # it says how much was bought, but not for how much
        read_order(closed)
    assert read_order({**closed, "executed_funds": "140000000"}).paid_fee == 70_000


def test_documented_errors_mean_what_they_mean(recordings: Path) -> None:
    wanted = {
        "invalid_parameter": Refused, "notfoundmarket": UnknownMarket,
        "insufficient_funds_bid": InsufficientFunds, "over_krw_funds_bid": Refused,
        "invalid_time_in_force": Refused, "bad_request": Refused,
        "QUERY_PARAMETER_NOT_SUPPORTED": Refused, "no_authorization_ip": BadCredentials,
        "market_offline": Maintenance, "order_not_found": NoSuchOrder,
    }  # fmt: skip
    rows = json.loads((recordings / "errors_exchange_doc.json").read_text())

    assert {each["body"]["error"]["name"] for each in rows} == wanted.keys()
    for each in rows:
        body = json.dumps(each["body"]).encode()
        with pytest.raises(ExchangeError) as caught:
            told(Reply(each["http_status"], "application/json", body), "/v1/x")
        assert type(caught.value) is wanted[each["body"]["error"]["name"]]


def test_documented_errors_of_market_data_have_numbers_for_names(recordings: Path) -> None:
    for each in json.loads((recordings / "errors_quotation_doc.json").read_text()):
        body = json.dumps(each["body"]).encode()
        with pytest.raises(ExchangeError) as caught:
            told(Reply(each["http_status"], "application/json", body), "/v1/x")

        assert type(caught.value) is (UnknownMarket if each["http_status"] == 404 else Refused)


# Orders.


@pytest.mark.parametrize(
    ("told_state", "state"),
    [
        *(("wait", OrderState.OPEN), ("watch", OrderState.OPEN), ("done", OrderState.FILLED)),
        *(("cancel", OrderState.CANCELLED), ("trade", OrderState.UNKNOWN)),
        *(("next year's", OrderState.UNKNOWN), (None, OrderState.UNKNOWN), (5, OrderState.UNKNOWN)),
        ("prevented", OrderState.UNKNOWN),
    ],
)
def test_state_is_never_guessed(told_state: object, state: OrderState) -> None:
    assert read_order(row(state=told_state)).state is state


@pytest.mark.parametrize(
    ("left", "state"), [("0", OrderState.CANCELLED), ("0.1", OrderState.UNKNOWN)]
)
def test_prevented_order_is_over_when_nothing_is_left(left: str, state: OrderState) -> None:
    assert read_order(row(state="prevented", remaining_volume=left)).state is state


def test_fresh_order_without_state_was_taken() -> None:
    report = read_order({"order_id": "C0101000002440423556", "client_order_id": "a"}, "a")

    assert (report.exchange_id, report.state) == ("C0101000002440423556", OrderState.OPEN)
    assert (report.client_id, report.executed_funds, report.paid_fee) == ("a", 0, 0)


@pytest.mark.parametrize("field", ["identifier", "client_order_id"])
def test_answer_about_another_order_is_refused(field: str) -> None:
    with pytest.raises(BadField):
        read_order(row(**{field: "bob"}), "alice")

    assert read_order(row(**{field: "alice"}), "alice").client_id == "alice"
    assert read_order(row(), "alice").client_id == "alice"
    assert read_order(row(**{field: "alice"})).client_id == "alice"
    assert read_order(row()).client_id == ""


def test_trades_that_do_not_add_up_are_no_answer_yet() -> None:
    with pytest.raises(BadField):
        read_order(row(executed_volume="3"))


def test_funds_that_the_exchange_tells_win_over_the_sum() -> None:
    assert read_order(row(executed_funds="199.5")).executed_funds == Decimal("199.5")


def test_trade_without_funds_moved_price_times_volume() -> None:
    bare = {name: value for name, value in TRADE.items() if name not in ("funds", "created_at")}
    (fill,) = read_order(row(trades=[bare])).fills

    assert (fill.funds, fill.at) == (200, None)


def test_numbers_may_come_with_or_without_quotes() -> None:
    quoted = row(trades=[TRADE])
    plain = row(
        executed_volume=2,
        paid_fee=Decimal("0.1"),
        trades=[{**TRADE, "price": 100, "volume": Decimal(2), "funds": 200}],
    )

    assert read_order(quoted) == read_order(plain)


@pytest.mark.parametrize(
    "wrong",
    [
        *({"uuid": ""}, {"uuid": None}, {"uuid": 5}, {"executed_volume": "-1"}),
        *({"executed_volume": "NaN"}, {"paid_fee": "x"}, {"trades": [5]}, {"trades": [{}]}),
        {"trades": [{**TRADE, "created_at": "soon"}]},
    ],
)
def test_row_that_can_not_be_right_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadField):
        read_order(row(**wrong))


# Fees.


amounts = st.decimals("0.00000001", "1000000", places=8)
traded = st.lists(st.tuples(amounts, amounts), min_size=1, max_size=8)


@given(traded, st.decimals(0, 50_000, places=6))
def test_fees_of_the_fills_add_up_to_the_fee_that_was_paid(
    trades: list[tuple[Decimal, Decimal]], paid: Decimal
) -> None:
    rows = [
        {"uuid": f"t-{number}", "price": str(price), "volume": str(volume)}
        for number, (price, volume) in enumerate(trades)
    ]
    volume = sum(volume for _, volume in trades)
    report = read_order(row(executed_volume=str(volume), paid_fee=str(paid), trades=rows))

    assert sum(fill.fee for fill in report.fills) == report.paid_fee == paid
    assert min(fill.fee for fill in report.fills) >= 0


def test_fee_of_a_fill_stays_when_further_ones_follow() -> None:
    first, second = {**TRADE, "funds": "333.33333333"}, {**TRADE, "uuid": "t-2", "funds": "0.7"}
    paid = Decimal("333.33333333") * Decimal("0.0005")
    early = read_order(row(paid_fee=str(paid), trades=[first]))
    late = read_order(
        row(executed_volume="4", paid_fee=str(paid + Decimal("0.00035")), trades=[first, second])
    )

    assert early.fills[0] == late.fills[0]


# Rules.


def chance(**fields: object) -> dict[str, object]:
    side = {"currency": "KRW", "min_total": "5000"}
    market = {"id": "KRW-BTC", "bid": side, "ask": side, "max_total": "1000000000"}
    return {"bid_fee": "0.0025", "ask_fee": "0.0004", "market": {**market, **fields}}


def test_price_unit_is_the_step_where_the_chance_names_it() -> None:
    bid = {"min_total": "5000", "price_unit": "500"}
    ask = {"min_total": "6000", "price_unit": 1000}
    rules = read_rules(chance(bid=bid, ask=ask), "KRW-BTC", None)

    assert (rules.tick, rules.min_total) == (1000, 6000)
    assert (rules.bid_fee, rules.ask_fee) == (Decimal("0.0025"), Decimal("0.0004"))


@pytest.mark.parametrize(
    ("state", "is_open"), [("active", True), (None, True), ("preview", False), ("delisted", False)]
)
def test_market_is_open_only_when_it_is_active(state: object, is_open: bool) -> None:
    assert read_rules(chance(state=state), "KRW-BTC", None).is_open is is_open


@pytest.mark.parametrize(
    "wrong",
    [
        chance(id="KRW-ETH"), chance(bid={}), chance(bid=None), chance(ask={"min_total": "-1"}),
        {**chance(), "bid_fee": "1"}, {**chance(), "bid_fee": None}, {**chance(), "market": []}, {},
    ],
)  # fmt: skip
def test_chance_that_can_not_be_right_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadField):
        read_rules(wrong, "KRW-BTC", None)


# Answers that are none.


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", b"{}"),
        (503, "text/html", b"<html>"),
        (403, "text/html", b"<html>"),
        (200, "application/json", b" <!DOCTYPE html>"),
        (200, "application/json", b"{"),
        (404, "application/json", b"nothing here"),
        (200, "application/json", b"\xff"),
        (302, "application/json", b"{}"),
        (500, "application/json", b'{"error":{"name":"order_not_found"}}'),
    ],
)
def test_answer_that_proves_nothing_is_unavailable(status: int, kind: str, body: bytes) -> None:
    with pytest.raises(Unavailable):
        told(Reply(status, kind, body), "/v1/order")


def test_bare_404_does_not_deny_an_order() -> None:
    with pytest.raises(Refused) as caught:
        told(Reply(404, "application/json", b"{}"), "/v1/order")

    assert not isinstance(caught.value, NoSuchOrder)


@pytest.mark.parametrize("name", ["<script>", "a" * 61, None, True, 5.5, {"a": 1}, ""])
def test_name_that_is_none_is_never_repeated(name: object) -> None:
    body = json.dumps({"error": {"name": name, "message": "whisper"}}).encode()
    with pytest.raises(Refused) as caught:
        told(Reply(400, "application/json", body), "/v1/order")

    assert caught.value.name == "http_400"
    assert "whisper" not in str(caught.value)


def test_error_that_is_no_object_is_an_error() -> None:
    with pytest.raises(Refused):
        told(Reply(200, "application/json", b'{"error":"no"}'), "/v1/order")
