"""What the stream says about a market at a moment: rows of tickers, trades and candles."""

import zlib
from decimal import Decimal

from app.simulator.market import DAY_MS, Deal, Market
from app.simulator.rows import Quotation, at_ms, change
from app.simulator.stream.wording import CANDLE, SNAPSHOT, TICKER, TRADE
from app.simulator.ticks import from_units, tick
from app.simulator.wire import Row
from app.simulator.world import World

_EXACT = Decimal("1E-8")


class StreamRows:
    """The same figures that the quotation endpoints give, as the stream words them."""

    def __init__(self, world: World, quotation: Quotation) -> None:
        self._world = world
        self._quotation = quotation

    def row(
        self, kind: str, code: str, ms: int, stream_type: str = SNAPSHOT, *, gone: bool = False
    ) -> Row | None:
        """A row of one kind as of a moment (inclusive), None where there is nothing to tell.

        A market that is not listed has nothing, but for the ticker (`gone`) that says DELISTED.
        """
        market = self._world.known(code)
        if market is None or not (market.listed or (gone and kind == "ticker")):
            return None
        head: Row = {"type": kind, "code": code, "stream_type": stream_type}
        if kind == "ticker":
            return self._ticker(market, ms, head)
        if kind == "trade":
            return _trade(market, ms, head)
        return self._candle(market, ms, head)

    def _ticker(self, market: Market, ms: int, head: Row) -> Row | None:
        figures = self._quotation.ticker_of(market, ms + 1)
        if figures is None:
            return None
        volume = figures["acc_trade_volume"]
        assert isinstance(volume, Decimal)  # noqa: S101 - rows hold values of every type
        sold = (volume * _sold_share(market)).quantize(_EXACT)
        said = figures | head | {
            "ask_bid": _side(figures["trade_timestamp"]),
            "acc_ask_volume": sold,
            "acc_bid_volume": volume - sold,
            "market_state": "ACTIVE" if market.listed else "DELISTED",
            "is_trading_suspended": not market.listed,
            "delisting_date": None if market.listed else at_ms(ms).strftime("%Y-%m-%d"),
            "market_warning": "CAUTION" if market.warning else "NONE",
        }  # fmt: skip
        return {name: said[name] for name in TICKER}

    def _candle(self, market: Market, ms: int, head: Row) -> Row | None:
        minutes = int(str(head["type"]).removeprefix("candle.").removesuffix("m"))
        found = self._quotation.candles_of(market, minutes, ms + 1, 1, ms + 1)
        if not found:
            return None
        said = found[0] | head
        return {name: said[name] for name in CANDLE}


def _trade(market: Market, ms: int, head: Row) -> Row | None:
    deal = market.last(ms + 1)
    if deal is None:
        return None
    moment = at_ms(deal.ms)
    before = market.last(deal.ms // DAY_MS * DAY_MS)
    previous = before.units if before else deal.units
    said = head | change(deal.units, previous) | {
        "timestamp": ms,
        "trade_date": moment.strftime("%Y-%m-%d"),
        "trade_time": moment.strftime("%H:%M:%S"),
        "trade_timestamp": deal.ms,
        "trade_price": from_units(deal.units),
        "trade_volume": from_units(deal.volume),
        "ask_bid": _side(deal.ms),
        "prev_closing_price": from_units(previous),
        "sequential_id": deal.ms * 10_000,
        **_best(market, deal),
    }  # fmt: skip
    return {name: said[name] for name in TRADE}


def _best(market: Market, deal: Deal) -> Row:
    """The best prices beside a trade: who sold took the best bid, who bought the best ask."""
    step = tick(market.quote, deal.units)
    sold = _side(deal.ms) == "ASK"
    ask, bid = (deal.units + step, deal.units) if sold else (deal.units, deal.units - step)
    return {
        "best_ask_price": from_units(ask),
        "best_ask_size": from_units(deal.volume * 3),
        "best_bid_price": from_units(max(1, bid)),
        "best_bid_size": from_units(deal.volume * 2),
    }


def _side(deal_ms: object) -> str:
    return "ASK" if int(str(deal_ms)) % 2 else "BID"


def _sold_share(market: Market) -> Decimal:
    """The share of a day's volume that was sold; it stays, so that both volumes only grow."""
    return Decimal(40 + zlib.crc32(market.code.encode()) % 21) / 100
