"""An exchange and a Kakao in variables: they answer what they are told to, or fail as told."""

from datetime import datetime

from app.domain.exchanges import Balance, ExchangeName, KeyCheck, KeyState, OrderReport
from app.domain.identities import AccountEvent, Profile, Proof
from app.domain.market import BadRow, Candle, CandleUnit, Listing, Snapshot, Ticker
from tests import factories as make


class FakeMarket:
    """`Market` by hand: set what it says; `fails`, when set, is raised by each call."""

    source = "fake"

    def __init__(self, *rows: Ticker) -> None:
        self.rows = rows
        self.listed: tuple[Listing, ...] = ()
        self.bad: tuple[BadRow, ...] = ()
        self.last_candles: dict[str, Candle] = {}
        self.history: dict[tuple[str, CandleUnit], list[Candle]] = {}
        self.logos: dict[str, bytes] = {}
        self.fails: Exception | None = None
        self.asked: list[str] = []

    def listings(self) -> Snapshot[Listing]:
        self._note("listings")
        return Snapshot(self.listed, self.bad)

    def tickers(self) -> Snapshot[Ticker]:
        self._note("tickers")
        return Snapshot(self.rows, self.bad)

    def candle_before(self, market: str, moment: datetime) -> Candle | None:
        self._note(f"candle {market} {moment:%d %H:%M}")
        return self.last_candles.get(market)

    def candles(
        self, market: str, unit: CandleUnit, *, until: datetime, count: int
    ) -> list[Candle]:
        self._note(f"candles {market} {unit:d} {until:%m-%d %H:%M} {count}")
        found = [one for one in self.history.get((market, unit), []) if one.opened_at < until]
        return sorted(found, key=lambda one: one.opened_at, reverse=True)[:count]

    def logo(self, code: str) -> bytes | None:
        self._note(f"logo {code}")
        return self.logos.get(code)

    def _note(self, call: str) -> None:
        self.asked.append(call)
        if self.fails is not None:
            raise self.fails


def listing_of(*codes: str) -> FakeMarket:
    """An exchange that lists these coins and says nothing else."""
    market = FakeMarket()
    market.listed = tuple(make.make_listing(code) for code in codes)
    return market


class FakeProvider:
    """`IdentityProvider` by hand: vouches for `person`; `fails`, when set, is raised instead."""

    def __init__(self, subject: str = "1234", **shown: object) -> None:
        self.person = Profile(subject, **shown)  # type: ignore[arg-type]
        self.pictures: dict[str, bytes] = {}
        self.fails: Exception | None = None
        self.fetched: list[str] = []
        self.left: list[str] = []

    def prove(self, proof: Proof, *, now: datetime) -> Profile:
        self._fail()
        return self.person

    def picture(self, url: str) -> bytes | None:
        self.fetched.append(url)
        return self.pictures.get(url)

    def unlink(self, subject: str) -> None:
        self._fail()
        self.left.append(subject)

    def event(self, token: str, *, now: datetime) -> AccountEvent:
        raise NotImplementedError("messages are read by the real client alone")

    def _fail(self) -> None:
        if self.fails is not None:
            raise self.fails


class FakeBroker:
    """An account whose answers are told in advance; `raises` is what the next calls meet."""

    def __init__(self, exchange: ExchangeName = ExchangeName.UPBIT) -> None:
        self.exchange = exchange
        self.check = KeyCheck(KeyState.GOOD, None, True, True, True, False)
        self.held: list[Balance] = []
        self.placed: dict[str, OrderReport] = {}
        self.raises: Exception | None = None

    def check_key(self) -> KeyCheck:
        return self.check

    def balances(self) -> list[Balance]:
        if self.raises is not None:
            raise self.raises
        return self.held

    def order(self, client_id: str) -> OrderReport | None:
        if self.raises is not None:
            raise self.raises
        return self.placed.get(client_id)
