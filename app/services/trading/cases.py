"""What the engine looks at: all bots with something to do, read in a handful of queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from sqlalchemy import and_, exists, or_, select

from app.domain.exchanges import UNSETTLED, ExchangeName, OrderState, Side
from app.domain.runs import BotMode, BotState, OrderReason
from app.domain.trading import (
    BotSettings,
    Bought,
    Tried,
    settings_from_json,
    trading_day,
)
from app.extensions import db
from app.models import Bot, BotRun, Order
from app.services.trading.positions import bought_of

_AWAKE = (BotState.RUNNING, BotState.STOPPING)


@dataclass(frozen=True, slots=True)
class Pending:
    """An order that isn't settled."""

    id: int
    client_id: str
    market: str
    side: Side
    reason: OrderReason
    state: OrderState
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class Case:
    """One bot as it is now. `tried` are the day's purchases by market, whatever became of them."""

    bot_id: int
    user_id: int
    mode: BotMode
    exchange: ExchangeName
    account_id: int | None
    state: BotState
    halt_sells: bool
    settings: BotSettings
    run_id: int | None
    day: date
    pending: tuple[Pending, ...] = ()
    held: Mapping[str, Bought] = field(default_factory=dict)
    tried: Mapping[str, tuple[Tried, ...]] = field(default_factory=dict)

    def has_traded(self, market: str) -> bool:
        """Whether the market was bought on this day, or may have been."""
        return any(not one.came_to_nothing for one in self.tried.get(market, ()))


def read_cases(now: datetime) -> list[Case]:
    """All bots that run, stop, are halted and not at rest yet, or have an order in the air.

    Four queries, however many bots there are.
    """
    bots = _bots()
    idents = [bot.id for bot, _ in bots]
    pending, held = _pending(idents), bought_of(idents)
    days = {name: trading_day(now, name) for name in ExchangeName}
    tried = tried_of(idents, set(days.values()))
    return [
        Case(
            bot_id=bot.id,
            user_id=bot.user_id,
            mode=bot.mode,
            exchange=bot.exchange,
            account_id=bot.account_id,
            state=bot.state,
            halt_sells=bot.halt_sells,
            settings=settings_from_json(bot.settings),
            run_id=run_id,
            day=days[bot.exchange],
            pending=tuple(pending.get(bot.id, ())),
            held=held.get(bot.id, {}),
            tried=tried.get((bot.id, days[bot.exchange]), {}),
        )
        for bot, run_id in bots
    ]


def _bots() -> list[tuple[Bot, int | None]]:
    in_the_air = exists().where(Order.bot_id == Bot.id, Order.state.in_(UNSETTLED))
    query = (
        select(Bot, BotRun.id)
        .outerjoin(BotRun, and_(BotRun.bot_id == Bot.id, BotRun.ended_at.is_(None)))
        .where(
            or_(
                Bot.state.in_(_AWAKE),
                and_(Bot.state == BotState.HALTED, BotRun.id.is_not(None)),
                in_the_air,
            )
        )
        .order_by(Bot.id)
    )
    return [(bot, run_id) for bot, run_id in db.session.execute(query)]


def _pending(idents: list[int]) -> dict[int, list[Pending]]:
    found: dict[int, list[Pending]] = defaultdict(list)
    rows = db.session.scalars(
        select(Order).where(Order.bot_id.in_(idents), Order.state.in_(UNSETTLED)).order_by(Order.id)
    )
    for row in rows:
        found[row.bot_id].append(
            Pending(row.id, row.client_id, row.market, row.side, row.reason, row.state, row.sent_at)
        )
    return found


def tried_of(
    idents: list[int], days: Iterable[date]
) -> dict[tuple[int, date], dict[str, tuple[Tried, ...]]]:
    """The purchases that each bot tried on these days, by market."""
    found: dict[tuple[int, date], dict[str, tuple[Tried, ...]]] = defaultdict(dict)
    rows = db.session.execute(
        select(
            Order.bot_id, Order.day, Order.market,
            Order.state, Order.executed_volume, Order.ended_at,
        ).where(Order.bot_id.in_(idents), Order.day.in_(days), Order.side == Side.BUY)
    )  # fmt: skip
    for bot_id, day, market, state, volume, ended_at in rows:
        of_day = found[bot_id, day]
        of_day[market] = (*of_day.get(market, ()), Tried(state, volume, ended_at))
    return found
