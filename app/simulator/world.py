"""The invented exchange: which markets it lists, and what happens to them."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from threading import Lock

from app.simulator.market import Market
from app.simulator.names import Coin, coins
from app.simulator.ticks import from_units, on_tick, to_units
from app.simulator.tree import Character, Tree, draws

CODE = re.compile(r"(KRW|BTC|USDT)-[A-Z0-9]{1,20}")
CAUTIONS = (
    "PRICE_FLUCTUATIONS",
    "TRADING_VOLUME_SOARING",
    "DEPOSIT_AMOUNT_SOARING",
    "GLOBAL_PRICE_DIFFERENCES",
    "CONCENTRATION_OF_SMALL_ACCOUNTS",
)
MOST_MARKETS = 2_000
_LONGEST_NAME = 100
_OPENED_MS = 1_506_297_600_000  # 2017-09-25, when the first markets began
_STEADY = {"USDT", "USDC"}
_MAJORS = 12


class UnknownCode(LookupError):
    """No such market, or not listed (any more)."""


def to_ms(moment: datetime) -> int:
    """Epoch milliseconds of an aware time, rounded down."""
    if moment.tzinfo is None:
        raise ValueError("moment must be an aware time")
    gap = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return gap.days * 86_400_000 + gap.seconds * 1000 + gap.microseconds // 1000


class World:
    """The markets of one seed. Prices are a function of seed, code and time; only listings and
    prices set by hand are remembered."""

    def __init__(self, seed: int = 1, markets: int = 200) -> None:
        if not 1 <= markets <= MOST_MARKETS:
            raise ValueError(f"markets must lie between 1 and {MOST_MARKETS}")
        self.seed = seed
        self._lock = Lock()
        self._markets: dict[str, Market] = {}
        for coin in _shuffled(_pairs(coins(markets, seed)), seed):
            self._markets[coin.code] = self._market(coin)

    def listed(self) -> list[Market]:
        """All listed markets, in the exchange's (arbitrary) order."""
        with self._lock:
            return [market for market in self._markets.values() if market.listed]

    def market(self, code: str) -> Market:
        """A listed market, or UnknownCode."""
        market = self._markets.get(code)
        if market is None or not market.listed:
            raise UnknownCode(code)
        return market

    def known(self, code: str) -> Market | None:
        """A market that is listed, or once was."""
        return self._markets.get(code)

    def price(self, code: str, moment: datetime) -> Decimal:
        """The last trade price at a moment (inclusive). UnknownCode without market or trade."""
        market = self._markets.get(code)
        deal = market.last(to_ms(moment) + 1) if market else None
        if deal is None:
            raise UnknownCode(code)
        return from_units(deal.units)

    def set_price(self, code: str, price: object | None, moment: datetime) -> None:
        """Trade at `price` now and at nothing else from now on; None lets the price go again.

        It may be off the market's tick, as old recordings are. ValueError when it isn't a price of
        at most 8 decimals, UnknownCode when there is no market.
        """
        market = self.market(code)
        with self._lock:
            if price is None:
                market.release(to_ms(moment))
            else:
                market.at_price(_more_than_nothing(price), to_ms(moment), pinned=True)

    def list_market(
        self,
        code: str,
        moment: datetime,
        korean_name: str | None = None,
        english_name: str | None = None,
        price: object | None = None,
    ) -> None:
        """List a new market, its first trade now at `price`, or bring a delisted one back.

        ValueError for a code that can't be one, a market already listed or what is no price.
        """
        if not isinstance(code, str) or not CODE.fullmatch(code):
            raise ValueError("code must look like KRW-ABC")
        for name in (korean_name, english_name):
            if name is not None and not (isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME):
                raise ValueError(f"a name must be text of 1 to {_LONGEST_NAME} characters")
        with self._lock:
            known = self._markets.get(code)
            if known is None:
                known = self._new(code, price, to_ms(moment))
            elif known.listed:
                raise ValueError(f"{code} is listed already")
            elif price is not None:
                known.at_price(_more_than_nothing(price), to_ms(moment), pinned=False)
            known.korean = korean_name or known.korean
            known.english = english_name or known.english
            known.listed = True
            self._markets[code] = known

    def delist(self, code: str) -> None:
        """Take a market off the list; its past stays. UnknownCode when it isn't listed."""
        market = self.market(code)
        with self._lock:
            market.listed = False

    def relist(self, code: str) -> None:
        """Bring a delisted market back; one that is listed stays so."""
        self._mark(code, listed=True)

    def unlist(self, code: str) -> None:
        """As delist, but a market that is gone already is no error."""
        self._mark(code, listed=False)

    def _mark(self, code: str, *, listed: bool) -> None:
        with self._lock:
            self._markets[code].listed = listed

    def _new(self, code: str, price: object | None, ms: int) -> Market:
        if len(self._markets) >= MOST_MARKETS * 2:
            raise ValueError("too many markets")
        quote, base = code.split("-")
        units = on_tick(quote, 100.0) if price is None else _more_than_nothing(price)
        coin = Coin(code, base, base.capitalize(), float(from_units(units)))
        market = self._market(coin)
        market.listed_ms = ms
        at_listing = market.tree.last(ms + 1)
        if at_listing is not None:
            market.base *= float(units) / max(1, market.units(at_listing.price))
        market.at_price(units, ms, pinned=False)
        return market

    def _market(self, coin: Coin) -> Market:
        key = f"{self.seed}/{coin.code}".encode()
        roll = draws(key[:64], -100, 0)
        cautions = frozenset(
            name for name, number in zip(CAUTIONS, roll, strict=False) if number < 3_000
        )
        tree = Tree(key[:64], _character(coin, roll))
        return Market(
            coin.code, coin.korean, coin.english, coin.won, tree, _OPENED_MS,
            warning=roll[5] < 2_000 and coin.code != "KRW-BTC", cautions=cautions,
        )  # fmt: skip


def _more_than_nothing(price: object) -> int:
    units = to_units(price)
    if not units:
        raise ValueError("a price must be more than 0")
    return units


def _pairs(listed: list[Coin]) -> Iterable[Coin]:
    """Every coin against KRW, some also against BTC and USDT; `won` becomes the quote's price."""
    bitcoin, dollar = 146_918_000.0, 1_452.0
    for coin in listed:
        yield coin._replace(code=f"KRW-{coin.code}")
    for coin in listed[1:41]:
        yield coin._replace(code=f"BTC-{coin.code}", won=max(4e-7, coin.won / bitcoin))
    for coin in listed[:20]:
        yield coin._replace(code=f"USDT-{coin.code}", won=max(4e-7, coin.won / dollar))


def _shuffled(pairs: Iterable[Coin], seed: int) -> list[Coin]:
    return sorted(pairs, key=lambda coin: draws(f"{seed}/{coin.code}".encode()[:64], -101, 0))


def _character(coin: Coin, roll: tuple[int, ...]) -> Character:
    quote, base = coin.code.split("-")
    chance = roll[6] / 65_536
    major = base in {"BTC", "ETH", "XRP", "SOL", "DOGE", "USDT"}
    swing = 0.03 if base in _STEADY else 0.3 if major else 0.6 + 0.35 * chance
    busy = 1.0 if major else 0.03 + 0.95 * chance**0.7
    daily = (2e11 if major else 4e8 * 100**chance) if quote == "KRW" else 3e6 * chance + 1e5
    in_quote = daily / {"KRW": 1.0, "BTC": 146_918_000.0, "USDT": 1_452.0}[quote]
    if quote != "KRW":
        busy = busy * 0.1 if major else 0.0008 + 0.02 * chance**3
    trades = 14 if major and quote == "KRW" else 4
    return Character(swing, busy, max(1, int(in_quote / coin.won * 1e8)), trades)
