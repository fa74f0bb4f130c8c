"""Rows that lie, over a real socket."""

import json
from decimal import Decimal

import pytest

from app.simulator import Simulator
from tests.simulator.clients import ask, minutes, ticker

ALL = "/v1/ticker/all?quote_currencies=KRW"


def test_missing_leaves_one_coin_out(faulty: Simulator) -> None:
    faulty.fault("missing", code="KRW-ETH")
    codes = {row["market"] for row in ask(faulty, ALL).json}

    assert len(codes) == 4
    assert "KRW-ETH" not in codes


def test_missing_may_be_all(faulty: Simulator) -> None:
    faulty.fault("missing", all=True)

    assert ask(faulty, ALL).json == []


def test_nan_stands_in_the_text(faulty: Simulator) -> None:
    faulty.fault("nan")

    assert ask(faulty, ALL).text.count('"trade_price":NaN') == 1


@pytest.mark.parametrize(("mode", "sign"), [("zero", 0), ("negative", -1)])
def test_zero_and_negative_change_the_last_price(faulty: Simulator, mode: str, sign: int) -> None:
    honest = ticker(faulty)["trade_price"]
    faulty.fault(mode)

    assert ticker(faulty)["trade_price"] == honest * sign
    assert ticker(faulty, "KRW-ETH")["trade_price"] > 0


def test_value_faults_take_all_coins_and_another_field(faulty: Simulator) -> None:
    faulty.fault("zero", all=True, field="opening_price")
    rows = ask(faulty, ALL).json

    assert {row["opening_price"] for row in rows} == {0}
    assert all(row["trade_price"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("value", "kind"),
    [("string", str), ("text", str), ("null", type(None)), ("object", dict), ("array", list),
     ("bool", bool)],
)  # fmt: skip
def test_wrong_type_stands_where_a_number_belongs(
    faulty: Simulator, value: str, kind: type
) -> None:
    faulty.fault("wrong_type", value=value)

    assert type(ticker(faulty)["trade_price"]) is kind
    assert type(minutes(faulty)[0]["trade_price"]) is kind


def test_jump_is_tenfold_and_agrees_with_itself(faulty: Simulator) -> None:
    before = ticker(faulty)
    faulty.fault("jump")
    after = ticker(faulty)

    assert after["trade_price"] == before["trade_price"] * 10
    assert after["low_price"] <= after["trade_price"] <= after["high_price"]
    change = after["trade_price"] - after["prev_closing_price"]
    assert after["signed_change_price"] == change
    assert minutes(faulty)[0]["trade_price"] == minutes(faulty)[0]["high_price"]


def test_jump_may_hit_one_group_alone(faulty: Simulator) -> None:
    honest = minutes(faulty)[0]
    faulty.fault("jump", group="ticker", all=True, factor=0.1)

    assert minutes(faulty)[0] == honest
    assert ticker(faulty)["trade_price"] == honest["trade_price"] / 10


def test_value_faults_add_up(faulty: Simulator) -> None:
    faulty.fault("nan", code="KRW-BTC")
    faulty.fault("zero", code="KRW-ETH")
    faulty.fault("missing", code="KRW-XRP")
    body = ask(faulty, ALL).text

    assert "NaN" in body
    assert len(json.loads(body)) == 4


def test_later_value_faults_come_on_top_of_earlier_ones(faulty: Simulator) -> None:
    honest = ticker(faulty)["trade_price"]
    for mode in ("jump", "negative"):
        faulty.fault(mode)
    assert ticker(faulty)["trade_price"] == honest * -10

    for mode in ("nan", "jump", "wrong_type", "zero"):
        faulty.fault(mode)
    assert "NaN" in ask(faulty, "/v1/ticker", markets="KRW-BTC").text


def test_untouched_rows_stay_as_they_were(faulty: Simulator) -> None:
    honest = ticker(faulty, "KRW-ETH")
    faulty.fault("jump")
    faulty.fault("nan")

    assert ticker(faulty, "KRW-ETH") == honest


def test_prices_of_a_spoilt_row_keep_their_other_digits(faulty: Simulator) -> None:
    honest = ticker(faulty)
    faulty.fault("zero", field="high_price")
    row = ticker(faulty)

    assert row == honest | {"high_price": Decimal(0)}
