"""A world in which bots trade: simulated exchanges, a clock by hand, and everything that breaks."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.db import table_of, transaction
from app.domain.exchanges import (
    Balance,
    ExchangeName,
    KeyCheck,
    Keys,
    KeyState,
    MarketRules,
    Offer,
    OrderIntent,
    OrderReport,
)
from app.domain.runs import BotMode, BotState, LogKind
from app.domain.trading import BotSettings
from app.exchanges.base import (
    Broker,
    ExchangeError,
    OrderRefused,
    OutcomeUnknown,
    RateLimited,
    Unavailable,
)
from app.exchanges.http import Gate, HttpClient, Reply
from app.extensions import db
from app.models import (
    Bot,
    BotRun,
    CandleSpan,
    LinkedAccount,
    Order,
    Position,
    Quote,
    RunLine,
    StoredCandle,
    User,
)
from app.services import market
from app.services.trading import orders, runs
from app.services.trading.cases import Case
from app.services.trading.engine import Engine
from app.services.trading.errand import Task
from app.services.trading.values import read_prices
from app.simulator import Simulator
from app.simulator.server import Request
from tests.exchanges.venues import SECRET, signed_broker
from tests.factories import make_coin

MARKET = "KRW-BTC"
#: Yesterday's range is four million, so that with k = 0.5 the target is two above the open.
OPEN, TARGET = Decimal(100_000_000), Decimal(102_000_000)
ABOVE, BELOW, STOPPED_OUT = Decimal(103_000_000), Decimal(101_000_000), Decimal(98_000_000)
WON, OWN_COINS = Decimal(2_000_000), Decimal("0.3")
CAPITAL = Decimal(1_000_000)
START = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
DAYS = 12
SETTINGS = BotSettings(codes=("BTC",), k=Decimal("0.5"), share_pct=Decimal(50))
UPBIT, BITHUMB = range(1), range(1, 2)


class Killed(BaseException):
    """The process died at this line."""


class Direct(HttpClient):
    """Asks a simulated exchange without a socket: two thousand schedules are to take seconds."""

    def __init__(self, respond: Callable[[Request], Any]) -> None:
        super().__init__("http://sim.test", sleep=lambda _: None)
        self._respond = respond

    def _exchange(self, call: Any, gate: Gate, deadline: float) -> Reply:
        del deadline
        given = dict(call.params)
        body = call.body or b""
        told = self._respond(
            Request(
                method=call.method,
                path=call.path,
                query=given,
                caller="127.0.0.1",
                body=body,
                raw_query=urlencode(given),
                authorization=call.all_headers().get("Authorization", ""),
            )
        )
        gate.answered(told.status, told.headers)
        return Reply(told.status, told.content_type, told.body)


@dataclass
class Trouble:
    """What goes wrong around one bot, by its own dice; `is_over` makes all well."""

    dice: random.Random
    rate: float = 0.3
    is_over: bool = False
    late: list[tuple[datetime, OrderIntent]] = field(default_factory=list)

    def strikes(self, rate: float | None = None) -> bool:
        return not self.is_over and self.dice.random() < (self.rate if rate is None else rate)

    def maybe_dies(self) -> None:
        if self.strikes(self.rate / 6):
            raise Killed


class Troubled:
    """A broker on a bad line: calls are lost before or after they arrive, refused, or late."""

    def __init__(self, inner: Broker, trouble: Trouble, clock: Callable[[], datetime]) -> None:
        self.exchange = inner.exchange
        self._inner, self._trouble, self._clock = inner, trouble, clock

    def check_key(self) -> KeyCheck:
        return self._inner.check_key()

    def balances(self) -> list[Balance]:
        return self._read(self._inner.balances)

    def rules(self, market: str) -> MarketRules:
        return self._read(lambda: self._inner.rules(market))

    def asks(self, market: str) -> list[Offer]:
        return self._read(lambda: self._inner.asks(market))

    def order(self, client_id: str) -> OrderReport | None:
        return self._read(lambda: self._inner.order(client_id))

    def open_orders(self) -> list[OrderReport]:
        return self._read(self._inner.open_orders)

    def cancel(self, client_id: str) -> None:
        self._read(lambda: self._inner.cancel(client_id))

    def place(self, intent: OrderIntent) -> OrderReport:
        self._trouble.maybe_dies()
        if self._trouble.strikes():
            return self._place_badly(intent)
        report = self._inner.place(intent)
        self._trouble.maybe_dies()
        return report

    def deliver(self) -> None:
        """What was under way for long arrives now."""
        due = [one for one in self._trouble.late if one[0] <= self._clock()]
        self._trouble.late = [one for one in self._trouble.late if one not in due]
        for _, intent in due:
            try:
                self._inner.place(intent)
            except ExchangeError:
                continue  # refused, and nobody is told

    def _place_badly(self, intent: OrderIntent) -> OrderReport:
        kind = self._trouble.dice.randrange(6)
        if kind == 0:
            raise OutcomeUnknown("lost on the way there")
        if kind == 1:
            raise OrderRefused("market_offline")
        if kind == 2:
            raise RateLimited("slow down", 1.0)
        if kind == 3:
            after = timedelta(seconds=self._trouble.dice.uniform(0, 15))
            self._trouble.late.append((self._clock() + after, intent))
            raise OutcomeUnknown("still under way")
        self._inner.place(intent)
        if kind == 4:
            raise Killed
        raise OutcomeUnknown("the answer was lost")

    def _read(self, ask: Callable[[], Any]) -> Any:
        self._trouble.maybe_dies()
        if self._trouble.strikes(self._trouble.rate / 2):
            raise Unavailable("no answer")
        answer = ask()
        self._trouble.maybe_dies()
        return answer


@dataclass
class Trader:
    """One bot, its account at the exchange, and its troubles."""

    bot_id: int
    user_id: int
    access: str
    broker: Troubled
    trouble: Trouble


@dataclass
class BotWorld:
    """All bots of a test under one clock."""

    sim: Simulator
    now: datetime = START
    traders: dict[int, Trader] = field(default_factory=dict)
    deaths: int = 0

    def __post_init__(self) -> None:
        self.engine = self.born()

    def clock(self) -> datetime:
        return self.now

    def born(self) -> Engine:
        """The engine of a server that has just started."""
        return Engine(self.broker_for, live_trading=True, clock=self.clock)

    def broker_for(self, case: Case) -> Broker:
        return self.traders[case.bot_id].broker

    def set_price(self, price: Decimal) -> None:
        """The price at the exchange, and on the board, as of now."""
        self.sim.set_price(MARKET, price)
        with transaction() as session:
            session.execute(
                update(Quote).values(
                    price=price, open=OPEN, observed_at=self.now, traded_at=self.now
                )
            )
        market.coins_now.forget()

    def tick(self, seconds: float, price: Decimal) -> int:
        """Time goes on, the price is this, and every bot does what it has to; how many had."""
        self.now += timedelta(seconds=seconds)
        self.set_price(price)
        for trader in self.traders.values():
            trader.broker.deliver()
        tasks = self.engine.look()
        for task in tasks:
            self._work(task)
        return len(tasks)

    def _work(self, task: Task) -> None:
        try:
            self.engine.work(task)
        except ExchangeError:
            db.session.rollback()
        except Killed:
            db.session.rollback()
            self.deaths += 1
            self.engine = self.born()

    def quiet_down(self) -> None:
        """No more trouble: everything settles, and the next days sell what is left."""
        for trader in self.traders.values():
            trader.trouble.is_over = True
        self._settle(10)
        for _ in range(2):
            self.now += timedelta(days=1)
            self._settle(601)

    def _settle(self, seconds: float) -> None:
        """Let time pass until nobody has anything to do any more, eight times at most."""
        for _ in range(8):
            if not self.tick(seconds, BELOW):
                return


def plant_candles(coin_id: int) -> None:
    """Days and hours that are all alike, from before the start until after the end."""
    first = datetime(2026, 2, 27, 15, tzinfo=UTC)
    made = {
        "coin_id": coin_id, "open": OPEN, "high": OPEN + 2_000_000, "low": OPEN - 2_000_000,
        "close": OPEN, "volume": 1.0, "turnover": 1.0,
    }  # fmt: skip
    hours = [
        made | {"unit": 60, "opened_at": first + timedelta(hours=hour)}
        for hour in range(24 * (DAYS + 4))
    ]
    days = [
        made | {"unit": 1440, "opened_at": datetime(2026, 2, 27, tzinfo=UTC) + timedelta(days=day)}
        for day in range(DAYS + 4)
    ]
    span = {
        "coin_id": coin_id, "unit": 60, "known_from": first, "known_until": hours[-1]["opened_at"],
    }  # fmt: skip
    with transaction() as session:
        session.execute(table_of(StoredCandle).insert(), hours + days)
        session.execute(table_of(CandleSpan).insert(), span)


def plant_traders(
    world: BotWorld, seeds: range, settings: BotSettings, *, over: str = "memory"
) -> None:
    """A person with an account and a running live bot for each seed, odd ones at Bithumb."""
    doors = {name: _door(world.sim, name, over) for name in ExchangeName}
    prices = read_prices(world.now)
    with transaction() as session:
        for seed in seeds:
            exchange = tuple(ExchangeName)[seed % 2]
            keys = Keys(f"trader-access-key-{len(world.traders):020d}", SECRET)
            world.sim.add_account(
                exchange.value, keys.access, keys.secret,
                {"KRW": str(WON), "BTC": str(OWN_COINS)}, fee=Decimal("0.0005"),
            )  # fmt: skip
            bot = _plant_bot(session, exchange, keys, settings)
            runs.open_run(session, bot, prices, world.now)
            trouble = Trouble(random.Random(seed), rate=0.1 + (seed % 5) * 0.1)
            inner = signed_broker(exchange, "http://sim.test", keys, doors[exchange])
            broker = Troubled(inner, trouble, world.clock)
            world.traders[bot.id] = Trader(bot.id, bot.user_id, keys.access, broker, trouble)


def _door(sim: Simulator, exchange: ExchangeName, over: str) -> HttpClient:
    is_upbit = exchange is ExchangeName.UPBIT
    if over == "sockets":
        url = sim.url if is_upbit else sim.bithumb_url
        return HttpClient(url, read_timeout=0.3, sleep=lambda _: None)
    return Direct(sim.respond if is_upbit else sim.respond_as_bithumb)


def _plant_bot(session: Session, exchange: ExchangeName, keys: Keys, settings: BotSettings) -> Bot:
    """A live bot that has been started, and whose it is; inside a transaction."""
    name = keys.access[-12:]
    user = User(nickname=name, nickname_key=name, created_at=START)
    session.add(user)
    session.flush()
    account = LinkedAccount(
        user_id=user.id, exchange=exchange, sealed_keys="sealed",
        fingerprint=keys.access, last_four=keys.last_four, state=KeyState.GOOD,
        can_view=True, can_view_orders=True, can_trade=True, can_withdraw=False,
        checked_at=START, linked_at=START,
    )  # fmt: skip
    session.add(account)
    session.flush()
    bot = Bot(
        user_id=user.id, mode=BotMode.LIVE, exchange=exchange, account_id=account.id,
        state=BotState.RUNNING, settings=settings.to_json(), confirmed_at=START,
        created_at=START, updated_at=START,
    )  # fmt: skip
    session.add(bot)
    session.flush()
    return bot


def trader(world: BotWorld, settings: BotSettings = SETTINGS, seeds: range = UPBIT) -> Trader:
    """One bot without any trouble."""
    plant_traders(world, seeds, settings)
    made = list(world.traders.values())[-1]
    made.trouble.is_over = True
    return made


def orders_of(one: Trader) -> list[Order]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Order).where(Order.bot_id == one.bot_id).order_by(Order.id))
    )


def bot_of(one: Trader) -> Bot:
    db.session.rollback()
    return db.session.get_one(Bot, one.bot_id)


def told(one: Trader, kind: LogKind | None = None) -> list[str]:
    query = (
        select(RunLine.code, RunLine.kind)
        .join(BotRun, BotRun.id == RunLine.run_id)
        .where(BotRun.bot_id == one.bot_id)
        .order_by(RunLine.id)
    )
    db.session.rollback()
    return [code for code, of in db.session.execute(query) if kind in (None, of)]


def failing(monkeypatch: pytest.MonkeyPatch, one: Trader, call: str, *errors: Exception) -> None:
    """The next calls fail so, one after the other; then all is well again."""
    real: Callable[..., Any] = getattr(one.broker._inner, call)
    left = list(errors)

    def answer(*given: Any) -> Any:
        if left:
            raise left.pop(0)
        return real(*given)

    monkeypatch.setattr(one.broker._inner, call, answer)


SEAMS = (
    (orders, "intend"), (orders, "claim"), (orders, "record_report"), (orders, "record_refusal"),
    (orders, "record_missing"), (orders, "record_doubt"), (orders, "give_up"), (runs, "rest"),
)  # fmt: skip


@contextmanager
def mortal(world: BotWorld, dice: random.Random, rate: float) -> Iterator[None]:
    """The process may die right before and right after each committed step of an order."""

    def guarded(deed: Callable[..., Any]) -> Callable[..., Any]:
        def step(**given: Any) -> Any:
            calm = all(trader.trouble.is_over for trader in world.traders.values())
            if not calm and dice.random() < rate:
                raise Killed
            done = deed(**given)
            if not calm and dice.random() < rate:
                raise Killed
            return done

        return step

    with pytest.MonkeyPatch.context() as patch:
        for module, name in SEAMS:
            patch.setattr(module, name, guarded(getattr(module, name)))
        yield


def check_truth(world: BotWorld, trader: Trader) -> dict[str, int]:
    """Hold our books against the exchange's own; what they hold is told for the statistics."""
    db.session.rollback()
    ours = db.session.scalars(select(Order).where(Order.bot_id == trader.bot_id)).all()
    theirs = {str(order.name): order for order in world.sim.orders(trader.access)}
    known = {order.client_id: order for order in ours}
    assert len(theirs) == len(world.sim.orders(trader.access)), "two orders under one name"
    assert set(theirs) <= set(known), "an order that nobody wrote down"
    for name, order in known.items():
        _check_order(order, theirs.get(name))
    _check_signals(ours)
    _check_money(world, trader, ours)
    return {"orders": len(theirs), "never_sent": len(known) - len(theirs)}


def _check_order(order: Order, truth: Any) -> None:
    told = (order.executed_volume, order.executed_funds, order.paid_fee)
    assert order.state.is_final, f"{order.client_id} isn't settled"
    if truth is None:
        assert told == (0, 0, 0), "something was executed that the exchange never had"
    else:
        assert told == (truth.executed_volume, truth.executed_funds, truth.paid_fee)
        assert order.state.value in ("filled", "cancelled"), f"{order.state} but it was there"


def _check_signals(ours: Any) -> None:
    """At most one purchase a day, and never more sold than was bought."""
    bought_on = [one.day for one in ours if one.side.value == "buy" and one.executed_volume]
    assert len(bought_on) == len(set(bought_on)), "bought twice on one day"
    held = Decimal(0)
    for one in ours:
        held += one.executed_volume if one.side.value == "buy" else -one.executed_volume
        assert held >= 0, "more sold than bought"


def _check_money(world: BotWorld, trader: Trader, ours: Any) -> None:
    purse = world.sim.balances(trader.access)
    won, coins = WON, OWN_COINS
    for one in ours:
        sign = 1 if one.side.value == "buy" else -1
        won -= sign * one.executed_funds + one.paid_fee
        coins += sign * one.executed_volume
    assert purse["KRW"].free + purse["KRW"].locked == won
    assert purse["BTC"].free + purse["BTC"].locked == coins
    held = db.session.scalar(select(Position.volume).where(Position.bot_id == trader.bot_id))
    assert (held or 0) == coins - OWN_COINS
    assert purse["BTC"].free >= OWN_COINS, "what the person held before was sold"


@contextmanager
def open_world(**about: Any) -> Iterator[BotWorld]:
    """A coin with its candles, a simulated exchange that stands still, and no bot yet."""
    with Simulator(markets=3, speed=0, rate_limit=None, **about) as sim:
        world = BotWorld(sim)
        plant_candles(make_coin("BTC", price=str(OPEN), observed_at=START).id)
        world.set_price(BELOW)
        yield world
