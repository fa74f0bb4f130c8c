"""A bot as its owner sees it: how it does, what it waits for today, what it did."""

import csv
import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, localcontext

from sqlalchemy import select

from app.domain.exchanges import ExchangeName, Side
from app.domain.runs import BotMode
from app.domain.trading import day_start, trading_day
from app.extensions import db
from app.models import Bot, BotRun, BotValue, Order
from app.services.market import CatalogueCoin, catalogue
from app.services.trading.bots import BotFacts
from app.services.trading.cases import tried_of
from app.services.trading.plans import Planner
from app.services.trading.positions import bought_of
from app.services.trading.values import money_left, read_prices, worth_of

_ZERO = Decimal(0)
_DIGITS = 60
_POINTS = 400
_SHORTEST = timedelta(seconds=1)
#: A paper order was made on the same signal when it was due at a price no further off than this.
_SAME_SIGNAL_PCT = Decimal("0.5")
_SHEET = (
    "created_at", "market", "side", "reason", "state", "volume", "funds", "signal_price",
    "executed_volume", "executed_funds", "paid_fee", "problem", "client_id",
)  # fmt: skip
#: So that a spreadsheet takes the text for UTF-8.
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class TargetView:
    """One coin of a bot today. Without a plan there is no target, and nothing is bought."""

    coin: CatalogueCoin | None
    market: str
    k: Decimal | None
    open: Decimal | None
    target: Decimal | None
    price: Decimal | None
    is_held: bool
    has_traded: bool

    @property
    def target_pct(self) -> Decimal | None:
        """How far the target lies above the day's open, in percent."""
        return _pct(self.open, self.target)

    @property
    def change_pct(self) -> Decimal | None:
        """How far the price has come from the day's open, in percent."""
        return _pct(self.open, self.price)


@dataclass(frozen=True, slots=True)
class Standing:
    """How a bot does: its worth now, at the start of the run and of the day; what it traded."""

    worth: Decimal
    start: Decimal
    day_start: Decimal
    hold: Decimal | None
    orders: int
    fees: Decimal

    @property
    def gained(self) -> Decimal:
        """Won since the run began."""
        return self.worth - self.start

    @property
    def gained_today(self) -> Decimal:
        """Won since the exchange's day began."""
        return self.worth - self.day_start

    @property
    def gained_pct(self) -> Decimal:
        """The same in percent."""
        return _pct(self.start, self.worth) or _ZERO

    @property
    def today_pct(self) -> Decimal:
        """The same in percent."""
        return _pct(self.day_start, self.worth) or _ZERO

    @property
    def hold_pct(self) -> Decimal | None:
        """What buying at the start and waiting would have brought, in percent."""
        return _pct(self.start, self.hold)


@dataclass(frozen=True, slots=True)
class Drift:
    """Live beside paper on the same signals, or beside the price of the signal itself, in percent.

    Positive is dearer for purchases and cheaper for sales: worse. Signals are the same when they
    are of one exchange, coin, day and reason, at about the same price: bots of other settings, or
    days that begin at another hour, tell nothing of how orders are carried out.
    """

    orders: int
    from_signal_pct: Decimal
    matched: int
    from_paper_pct: Decimal | None


def list_targets(*, bot: BotFacts, now: datetime) -> list[TargetView]:
    """The bot's coins in the order of its settings, then what it holds beside them."""
    idents = [] if bot.id is None else [bot.id]
    held = bought_of(idents).get(bot.id or 0, {})
    day = trading_day(now, bot.exchange)
    tried = tried_of(idents, [day]).get((bot.id or 0, day), {})
    prices, planner = read_prices(now), Planner()
    coins = {f"KRW-{coin.code}": coin for coin in catalogue(now)}
    found = []
    for market in dict.fromkeys((*bot.settings.markets, *held)):
        planned = planner.planned(bot.settings, market, bot.exchange, now)
        found.append(
            TargetView(
                coin=coins.get(market),
                market=market,
                k=planned.k or bot.settings.k,
                open=planned.open,
                target=planned.plan.target if planned.plan else None,
                price=prices.last.get(market),
                is_held=market in held,
                has_traded=any(not one.came_to_nothing for one in tried.get(market, ())),
            )
        )
    return found


def standing_of(*, bot: BotFacts, now: datetime) -> Standing | None:
    """How the bot's last run does; None before the first one."""
    if bot.id is None or bot.run_id is None:
        return None
    run = db.session.get_one(BotRun, bot.run_id)
    prices = read_prices(now)
    held = bought_of([bot.id]).get(bot.id, {})
    worth = worth_of(bot.settings.capital, money_left([bot.id])[bot.id], held, prices)
    since = day_start(trading_day(now, bot.exchange), bot.exchange)
    first = _value_since(bot.run_id, since)
    newest = db.session.scalar(
        select(BotValue.hold).where(BotValue.run_id == run.id).order_by(BotValue.at.desc()).limit(1)
    )
    rows = db.session.execute(
        select(Order.paid_fee).where(Order.run_id == run.id, Order.executed_volume != _ZERO)
    ).all()
    with localcontext(prec=_DIGITS):
        fees = sum((row.paid_fee for row in rows), _ZERO)
    start = worth if first is None else first
    return Standing(worth, run.start_value, start, newest, len(rows), fees)


def value_curve(*, bot: BotFacts) -> list[tuple[datetime, Decimal, Decimal | None]]:
    """What the last run was worth over time, and buying and waiting; at most some 400 points.

    They lie evenly over its time, of which the older part is kept by the day alone.
    """
    if bot.run_id is None:
        return []
    rows = db.session.execute(
        select(BotValue.at, BotValue.value, BotValue.hold)
        .where(BotValue.run_id == bot.run_id)
        .order_by(BotValue.at)
    ).all()
    if not rows:
        return []
    step = (rows[-1].at - rows[0].at) / _POINTS or _SHORTEST
    first = {(row.at - rows[0].at) // step: row for row in reversed(rows[:-1])}
    return [(row.at, row.value, row.hold) for row in (*reversed(first.values()), rows[-1])]


def drift_of(*, user_id: int) -> Drift | None:
    """How the live bot's orders ended beside their signals; None before the first one."""
    live = _executed(user_id, BotMode.LIVE)
    if not live:
        return None
    paper = {_signal(*one): one[0] for one in _executed(user_id, BotMode.PAPER)}
    with localcontext(prec=_DIGITS):
        off = [_worse(order, order.signal_price) for order, _ in live]
        beside = [
            _worse(order, _paid(twin))
            for order, exchange in live
            if (twin := paper.get(_signal(order, exchange))) and _is_same(order, twin)
        ]
        mean = sum(off, _ZERO) / len(off)
        matched = sum(beside, _ZERO) / len(beside) if beside else None
    return Drift(len(off), mean, len(beside), matched)


def order_sheet(*, user_id: int, mode: BotMode) -> Iterator[str]:
    """All orders of the person's bot as CSV, oldest first."""
    yield _MARK + _line(_SHEET)
    rows = db.session.scalars(
        select(Order)
        .join(Bot, Bot.id == Order.bot_id)
        .where(Bot.user_id == user_id, Bot.mode == mode)
        .order_by(Order.id)
    ).all()
    for row in rows:
        yield _line([_cell(getattr(row, name)) for name in _SHEET])


def _executed(user_id: int, mode: BotMode) -> list[tuple[Order, ExchangeName]]:
    rows = db.session.execute(
        select(Order, Bot.exchange)
        .join(Bot, Bot.id == Order.bot_id)
        .where(Bot.user_id == user_id, Bot.mode == mode, Order.executed_volume != _ZERO)
        .order_by(Order.id)
    )
    return [(order, exchange) for order, exchange in rows]


def _signal(order: Order, exchange: ExchangeName) -> tuple[object, ...]:
    return exchange, order.market, order.day, order.side, order.reason


def _is_same(one: Order, other: Order) -> bool:
    apart = _pct(one.signal_price, other.signal_price)
    return apart is not None and abs(apart) <= _SAME_SIGNAL_PCT


def _paid(order: Order) -> Decimal:
    return order.executed_funds / order.executed_volume


def _worse(order: Order, than: Decimal) -> Decimal:
    off = (_paid(order) - than) / than * 100
    return off if order.side is Side.BUY else -off


def _value_since(run_id: int, moment: datetime) -> Decimal | None:
    return db.session.scalar(
        select(BotValue.value)
        .where(BotValue.run_id == run_id, BotValue.at >= moment)
        .order_by(BotValue.at)
        .limit(1)
    )


def _pct(start: Decimal | None, end: Decimal | None) -> Decimal | None:
    return None if not start or end is None else (end - start) / start * 100


def _cell(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:f}" if isinstance(value, Decimal) else value


def _line(cells: Iterable[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(["" if cell is None else cell for cell in cells])
    return buffer.getvalue()
