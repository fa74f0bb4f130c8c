"""Upbit's public market data: what we ask, and what we believe of the answers."""

import re
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.candles import LARGEST_PAGE
from app.domain.market import BadRow, Candle, CandleUnit, Listing, Snapshot, Ticker
from app.domain.money import BadPrice
from app.exchanges.base import Unavailable, UnknownMarket
from app.exchanges.http import HttpClient, TooLarge
from app.exchanges.pacing import Pacer
from app.exchanges.upbit_candles import candle_path, last_before, page_before, until_text
from app.exchanges.wire import (
    BadField,
    Row,
    decode_list,
    decode_rows,
    read_figure,
    read_instant,
    read_price,
    read_text,
)

T = TypeVar("T", Listing, Ticker)

_CODE = re.compile(r"[A-Z0-9]{1,20}", re.ASCII)
_QUOTE = "KRW-"
_LONGEST_NAME = 100
_PNG = b"\x89PNG\r\n\x1a\n"
_LARGEST_LOGO = 512 * 1024


class Upbit:
    """The quotation API of Upbit, as `base.Market`. Safe to share between threads."""

    source = "upbit"

    def __init__(
        self,
        base_url: str,
        logo_url: str | None = None,
        pacer: Pacer | None = None,
        http: HttpClient | None = None,
    ) -> None:
        self._http = http or HttpClient(base_url)
        self._logos = HttpClient(logo_url, max_bytes=_LARGEST_LOGO) if logo_url else None
        pacer = pacer or Pacer()
        self._market_gate = pacer.gate("market")
        self._ticker_gate = pacer.gate("ticker")
        self._candle_gate = pacer.gate("candles")
        self._filling_gate = pacer.gate("candles", patient=True)
        # Another host, so a ban there must not silence the prices.
        self._logo_gate = Pacer(["logo"]).gate("logo")

    def listings(self) -> Snapshot[Listing]:
        """All KRW markets with warnings and cautions, each once.

        An answer without a single KRW market is Unavailable: it would delist everything.
        """
        text = self._http.text("/v1/market/all", {"is_details": "true"}, self._market_gate)
        found = _gather(decode_list(text), _listing)
        if not found.rows:
            raise Unavailable("/v1/market/all: no KRW market in it")
        return found

    def tickers(self) -> Snapshot[Ticker]:
        """The last trade of every KRW market, each once; Unavailable when there is none at all."""
        query = {"quote_currencies": "KRW"}
        text = self._http.text("/v1/ticker/all", query, self._ticker_gate)
        found = _gather(decode_list(text), read_ticker)
        if not found.rows and not found.bad:
            raise Unavailable("/v1/ticker/all: no KRW market in it")
        return found

    def candle_before(self, market: str, moment: datetime) -> Candle | None:
        """The last 1-minute candle that opened before `moment` (aware), or None if there is none.

        `to` excludes its own minute. Should the exchange think otherwise one day, its row at
        `moment` is passed over: two are asked for, so that the right one is there too. An answer
        that contradicts itself or the question is Unavailable; it never decides a vote.
        """
        if not _is_market(market):
            raise UnknownMarket(f"not a KRW market: {market!r:.60}")
        query = {"market": market, "to": until_text(moment), "count": "2"}
        path = candle_path(CandleUnit.MINUTE)
        rows = decode_rows(self._http.text(path, query, self._candle_gate))
        try:
            return last_before(rows, market, moment)
        except (BadField, BadPrice) as error:
            raise Unavailable(f"candle of {market} before {moment}: {error}") from error

    def candles(
        self, market: str, unit: CandleUnit, *, until: datetime, count: int
    ) -> list[Candle]:
        """The last `count` (1 to 200) candles that opened before `until` (aware), newest first.

        Gives way to settlement, which asks through `candle_before`. An answer with a single row
        that can't be believed is Unavailable as a whole.
        """
        if not _is_market(market):
            raise UnknownMarket(f"not a KRW market: {market!r:.60}")
        if not 1 <= count <= LARGEST_PAGE:
            raise ValueError(f"1 to {LARGEST_PAGE} candles may be asked for, not {count}")
        query = {"market": market, "to": until_text(until), "count": str(count)}
        rows = decode_list(self._http.text(candle_path(unit), query, self._filling_gate))
        try:
            return page_before(rows, market, unit, until, count)
        except (BadField, BadPrice) as error:
            raise Unavailable(f"candles of {market} before {until}: {error}") from error

    def logo(self, code: str) -> bytes | None:
        """The PNG of a coin's logo; None where there is none, or something else in its place."""
        if self._logos is None or not _CODE.fullmatch(code):
            return None
        try:
            reply = self._logos.fetch(f"/{code}.png", {}, self._logo_gate)
        except TooLarge:
            return None
        if reply.status >= 500:
            raise Unavailable(f"logo of {code}: HTTP {reply.status}")
        return reply.body if reply.status == 200 and reply.body.startswith(_PNG) else None

    def close(self) -> None:
        """Let go of the open lines."""
        self._http.close()
        if self._logos is not None:
            self._logos.close()


def _is_market(market: str) -> bool:
    return market.startswith(_QUOTE) and bool(_CODE.fullmatch(market.removeprefix(_QUOTE)))


def _gather(rows: list[object], parse: Callable[[str, Row], T]) -> Snapshot[T]:
    """Parse each row alone. Markets of another quote are none of ours; a second row is left out."""
    good: dict[str, T] = {}
    bad: list[BadRow] = []
    for row in rows:
        name = row.get("market") if isinstance(row, dict) else None
        if isinstance(name, str) and not name.startswith(_QUOTE):
            continue
        try:
            market = _market_of(row, good)
            good[market] = parse(market, row)  # type: ignore[arg-type]  # _market_of saw the dict
        except (BadField, BadPrice) as error:
            bad.append(BadRow(_label(name), str(error)))
    return Snapshot(tuple(good.values()), tuple(bad))


def _label(name: object) -> str:
    """What a bad row calls itself, safe for a log."""
    if not isinstance(name, str):
        return "?"
    return "".join(sign if sign.isascii() and sign.isprintable() else "?" for sign in name[:40])


def _market_of(row: object, seen: dict[str, Any]) -> str:
    if not isinstance(row, dict):
        raise BadField("not an object")
    market = row.get("market")
    if not isinstance(market, str) or not _is_market(market):
        raise BadField("market is not a KRW market code")
    if market in seen:
        raise BadField("market comes twice")
    return market


def _listing(market: str, row: Row) -> Listing:
    event = row.get("market_event")
    event = event if isinstance(event, dict) else {}
    caution = event.get("caution")
    caution = caution if isinstance(caution, dict) else {}
    return Listing(
        market=market,
        code=market.removeprefix(_QUOTE),
        korean_name=read_text(row, "korean_name", _LONGEST_NAME),
        english_name=read_text(row, "english_name", _LONGEST_NAME),
        warning=event.get("warning") is True,
        cautions=tuple(name for name, is_set in caution.items() if is_set is True),
    )


def read_ticker(market: str, row: Row) -> Ticker:
    """The ticker in a row of this market; raises BadField or BadPrice."""
    last = read_price(row, "trade_price")
    high, low = _bound(row, "high_price"), _bound(row, "low_price")
    # Holds also before the first trade of a UTC day: the row then still shows yesterday's range,
    # which is the one that the last trade belongs to.
    if (high is not None and last > high) or (low is not None and last < low):
        raise BadField("trade_price is outside the range of its own day")
    return Ticker(
        market=market,
        price=last,
        traded_at=read_instant(row, "trade_timestamp"),
        stamped_at=read_instant(row, "timestamp"),
        prev_close=_or_none(row, "prev_closing_price"),
        high=high,
        low=low,
        change_rate=read_figure(row, "signed_change_rate"),
        turnover_24h=read_figure(row, "acc_trade_price_24h"),
        open=_or_none(row, "opening_price"),
        turnover_today=read_figure(row, "acc_trade_price"),
        high_52w=_or_none(row, "highest_52_week_price"),
        low_52w=_or_none(row, "lowest_52_week_price"),
    )


def _bound(row: Row, key: str) -> Decimal | None:
    return None if row.get(key) is None else read_price(row, key)


def _or_none(row: Row, key: str) -> Decimal | None:
    """A new listing lacks some, and they decide nothing: a useless one never costs the row."""
    try:
        return read_price(row, key)
    except (BadField, BadPrice):
        return None
