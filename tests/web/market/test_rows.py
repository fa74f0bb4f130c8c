"""Rows of the list: worked out from a coin and its week, drawn once."""

from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask

from app.clock import utcnow
from app.services import market
from app.web.market import rows
from app.web.market.asked import Asked
from app.web.market.rows import CoinRow, coin_rows, drawn, in_order
from tests.web.conftest import Speaking
from tests.web.market.conftest import Trade


@pytest.fixture
def row(app: Flask, trade: Trade) -> CoinRow:
    trade("BTC", "110", prev="100", low="90", high="130", name="비트코인")
    with app.app_context():
        now = utcnow()
        [found] = coin_rows(market.catalogue(now), "", now)
    return found


def test_move_and_place_are_worked_out(row: CoinRow) -> None:
    assert (row.move, row.place) == (Decimal(10), Decimal(50))


@pytest.mark.parametrize(("price", "place"), [("80", 0), ("140", 100)])
def test_price_outside_the_days_range_stands_at_its_end(
    row: CoinRow, price: str, place: int
) -> None:
    assert rows._place(replace(row.coin, price=Decimal(price))) == place


@pytest.mark.parametrize("missing", ["price", "low", "high"])
def test_place_isnt_guessed(row: CoinRow, missing: str) -> None:
    assert rows._place(replace(row.coin, **{missing: None})) is None
    assert rows._place(replace(row.coin, low=Decimal(5), high=Decimal(5))) is None


def test_week_orders_by_its_change_and_no_week_stands_last(row: CoinRow) -> None:
    week = [(Decimal(100), Decimal(x)) for x in (90, 120)]
    falling, rising = (replace(row, line=line) for line in week)
    none = replace(row, line=(Decimal(1),))

    assert in_order([none, falling, rising], Asked(sort="week")) == [rising, falling, none]


def test_row_that_is_unchanged_is_drawn_once(
    row: CoinRow, speaking: Speaking, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows._drawn.cache_clear()
    with speaking("ko"):
        first = drawn([row], None)
        assert drawn([replace(row)], None) == first
    assert (rows._drawn.cache_info().misses, rows._drawn.cache_info().hits) == (1, 1)


def test_languages_and_stars_are_kept_apart(row: CoinRow, speaking: Speaking) -> None:
    with speaking("ko"):
        korean, starred = drawn([row], []), drawn([row], ["BTC"])
    with speaking("en"):
        english = drawn([row], [])
        warned = replace(row, coin=replace(row.coin, cautions=("PRICE_FLUCTUATIONS",)))
        assert "가격 급등락" not in drawn([warned], [])

    assert "비트코인 관심 코인" in korean
    assert "favourite" in english
    assert 'aria-pressed="true"' in starred
    assert 'aria-pressed="false"' in korean
