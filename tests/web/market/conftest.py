"""A market of a few coins as the exchange tells them now."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest
from flask import Flask

from app.clock import utcnow
from app.domain.market import Ticker
from app.services import market
from tests import factories
from tests.fakes import FakeMarket

Trade = Callable[..., None]


@pytest.fixture
def trade(app: Flask) -> Trade:
    """Let a coin be traded: its price, the close of the day before, the day's range, turnover."""

    def tell(
        code: str,
        price: str = "100",
        *,
        prev: str = "100",
        low: str | None = None,
        high: str | None = None,
        turnover: float = 1e8,
        at: datetime | None = None,
        name: str = "",
    ) -> None:
        now = at or utcnow()
        with app.app_context():
            if market.get_coin(code) is None:
                factories.make_coin(
                    code, price=None, korean_name=name or code, english_name=name or code
                )
            rate = float((Decimal(price) - Decimal(prev)) / Decimal(prev))
            row = Ticker(
                f"KRW-{code}", Decimal(price), now, now, prev_close=Decimal(prev),
                low=low and Decimal(low), high=high and Decimal(high), change_rate=rate,
                turnover_24h=turnover,
            )  # fmt: skip
            market.store_tickers(market=FakeMarket(row), now=now)

    return tell
