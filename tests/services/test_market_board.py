"""The live board: what is on it, and how long it stays the same."""

from datetime import timedelta
from decimal import Decimal

from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.market import FeedSource, Ticker
from app.models import MarketFeed
from app.services import market
from tests import factories as make
from tests.fakes import FakeMarket

NOW = make.NOW
SECOND = timedelta(seconds=1)


def trade(code: str, turnover: float) -> None:
    row = Ticker(f"KRW-{code}", Decimal(100), NOW, NOW, turnover_24h=turnover)
    market.store_tickers(market=FakeMarket(row), now=NOW)


def feed(source: FeedSource) -> None:
    with transaction() as session:
        session.merge(MarketFeed(id=1, source=source, since=NOW, heard_at=NOW))


def codes(now: object = NOW) -> list[str]:
    return [coin.code for coin in market.live_board(NOW).coins]


def test_board_holds_traded_coins_with_a_price_by_turnover(session: Session) -> None:
    for code, turnover in (("A", 1.0), ("B", 9.0)):
        make.make_coin(code)
        trade(code, turnover)
    make.make_coin("UNSEEN", price=None)
    make.make_coin("GONE", delisted_at=NOW)

    assert codes() == ["B", "A"]


def test_top_is_the_twenty_with_the_largest_turnover(session: Session) -> None:
    for number in range(22):
        make.make_coin(f"C{number:02}")
        trade(f"C{number:02}", float(number))

    assert [coin.code for coin in market.live_board(NOW).top] == [
        f"C{number:02}" for number in range(21, 1, -1)
    ]


def test_named_coins_are_picked_and_unknown_ones_are_absent(session: Session) -> None:
    make.make_coin("A")
    make.make_coin("B")

    found = market.live_board(NOW).pick(["B", "NONE", "B"])

    assert [coin.code for coin in found] == ["B"]


def test_age_is_that_of_the_newest_price(session: Session) -> None:
    make.make_coin("A", observed_at=NOW - 5 * SECOND)
    make.make_coin("B", observed_at=NOW - 2 * SECOND)

    board = market.live_board(NOW)

    assert (board.as_of, board.age_s(NOW)) == (NOW - 2 * SECOND, 2.0)
    assert board.age_s(NOW - 3 * SECOND) == 0.0


def test_board_without_prices_has_no_age_and_no_source(session: Session) -> None:
    board = market.live_board(NOW)

    assert (board.coins, board.age_s(NOW), board.source) == ((), None, FeedSource.NONE)


def test_board_stays_the_same_object_until_it_is_read_anew(session: Session) -> None:
    make.make_coin("A")

    first = market.live_board(NOW)

    assert market.live_board(NOW + 0.9 * SECOND) is first
    assert market.live_board(NOW + SECOND) is not first


def test_another_source_is_another_board(session: Session) -> None:
    make.make_coin("A")
    feed(FeedSource.STREAM)
    assert market.live_board(NOW).source is FeedSource.STREAM

    feed(FeedSource.POLLING)

    assert market.live_board(NOW + SECOND).source is FeedSource.POLLING
