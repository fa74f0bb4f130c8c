"""The board on the wall: the twenty that are traded most."""

import re

from flask.testing import FlaskClient

from tests.web.market.conftest import Trade
from tests.web.visitors import said


def test_twenty_largest_are_shown_in_order(client: FlaskClient, trade: Trade) -> None:
    for number in range(22):
        trade(f"C{number:02}", turnover=1e8 * number)

    page = client.get("/coins/board").text

    assert re.findall(r'data-coin="(\w+)"', page) == [
        f"C{number:02}" for number in range(21, 1, -1)
    ]
    assert 'data-live-codes="top20" data-live-reload' in page


def test_price_stands_large_with_its_change(client: FlaskClient, trade: Trade) -> None:
    trade("PEPE", "0.012", prev="0.01", name="페페")

    assert "1 P 페페 PEPE 0.012 +20.00% +0.002 1억" in said(client.get("/coins/board"))


def test_board_without_prices_says_so(client: FlaskClient) -> None:
    assert "아직 시세를 받지 못했어요" in said(client.get("/coins/board"))


def test_board_is_only_read(client: FlaskClient) -> None:
    assert client.post("/coins/board").status_code == 405
