"""Each exchange is found by the name that it gives as its source."""

from app.exchanges.registry import MARKETS


def test_each_market_is_listed_under_its_own_source() -> None:
    assert {name: market.source for name, market in MARKETS.items()} == {"upbit": "upbit"}
