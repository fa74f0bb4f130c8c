"""What a bot is worth: its money by its own orders, and its coins at prices of now."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from typing import cast

from sqlalchemy import delete, func, select, tuple_

from app.db import table_of, transaction, upsert
from app.domain.exchanges import Side
from app.domain.market import is_fresh
from app.domain.runs import LogKind
from app.domain.trading import Bought, day_start
from app.extensions import db
from app.models import BotRun, BotValue, Order, RunLine
from app.services.market import catalogue
from app.services.trading.cases import Case
from app.services.trading.lines import capital_told, first_prices

#: A price this old decides nothing any more.
FRESH_FOR = timedelta(seconds=60)
#: Each noted value is kept so long, then the first of each day.
KEEP_EACH_VALUE = timedelta(days=7)
_ZERO = Decimal(0)
_STEP = Decimal("0.00000001")
_DIGITS = 60


@dataclass(frozen=True, slots=True)
class Prices:
    """The board as the bots see it: `now` holds fresh prices alone, `last` the last ones known."""

    now: Mapping[str, Decimal]
    last: Mapping[str, Decimal]


def read_prices(now: datetime) -> Prices:
    """The prices of all active coins by market; one that is old is no price of now."""
    coins = [coin for coin in catalogue(now) if coin.price is not None]
    last = {f"KRW-{coin.code}": coin.price for coin in coins if coin.price is not None}
    fresh = {
        f"KRW-{coin.code}"
        for coin in coins
        if coin.is_active
        and coin.observed_at is not None
        and is_fresh(coin.observed_at, now, FRESH_FOR)
    }
    return Prices({market: price for market, price in last.items() if market in fresh}, last)


def money_left(bot_ids: Iterable[int]) -> dict[int, Decimal]:
    """What each bot's orders brought less what they took, fees included; nothing for no orders."""
    moved: dict[int, Decimal] = defaultdict(Decimal)
    rows = db.session.execute(
        select(Order.bot_id, Order.side, Order.executed_funds, Order.paid_fee).where(
            Order.bot_id.in_(list(bot_ids)), Order.executed_volume != _ZERO
        )
    )
    with localcontext(prec=_DIGITS):
        for bot_id, side, funds, fee in rows:
            moved[bot_id] += -(funds + fee) if side is Side.BUY else funds - fee
    return moved


def worth_of(
    capital: Decimal, moved: Decimal, held: Mapping[str, Bought], prices: Prices
) -> Decimal:
    """What a bot is worth; a coin without any price counts as what it cost."""
    with localcontext(prec=_DIGITS):
        coins = sum(
            (
                one.volume * prices.last[market] if market in prices.last else one.cost
                for market, one in held.items()
            ),
            _ZERO,
        )
        return (capital + moved + coins).quantize(_STEP, ROUND_HALF_EVEN)


def worth_at_day_start(case: Case, worth: Decimal) -> Decimal:
    """What the bot was worth when the exchange's day began, or when it first ran on it.

    Won that came or went since then count as if they had been there: they are no gain and no loss.
    """
    rows = db.session.execute(
        select(BotValue.value, BotValue.run_id)
        .join(BotRun, BotRun.id == BotValue.run_id)
        .where(BotRun.bot_id == case.bot_id, BotValue.at >= day_start(case.day, case.exchange))
        .order_by(BotValue.at)
        .limit(1)
    )
    for value, run_id in rows:
        then = capital_told(_first_lines([run_id]).get(run_id)) or case.settings.capital
        return value + case.settings.capital - then
    return worth


def note_values(cases: Iterable[Case], prices: Prices, now: datetime) -> int:
    """Write down what each run is worth, and what buying and waiting would be; how many were."""
    running = {case.bot_id: case for case in cases if case.run_id is not None}
    moved = money_left(running)
    started = _started([case.run_id for case in running.values() if case.run_id is not None])
    rows = []
    for bot_id, case in running.items():
        worth = worth_of(case.settings.capital, moved[bot_id], case.held, prices)
        start_value, first = started[case.run_id or 0]
        hold = held_since(start_value, first, prices)
        rows.append({"run_id": case.run_id, "at": now, "value": worth, "hold": hold})
    if rows:
        with transaction() as session:
            session.execute(upsert(table_of(BotValue)).on_conflict_do_nothing(), rows)
    return len(rows)


def thin_values(*, now: datetime) -> int:
    """Keep of older days the first value of each run, and its newest; returns how many went."""
    old = BotValue.at < now - KEEP_EACH_VALUE
    first = select(BotValue.run_id, func.min(BotValue.at)).where(old)
    newest = select(BotValue.run_id, func.max(BotValue.at)).group_by(BotValue.run_id)
    place = tuple_(BotValue.run_id, BotValue.at)
    surplus = delete(BotValue).where(
        old,
        place.not_in(first.group_by(BotValue.run_id, func.date(BotValue.at))),
        place.not_in(newest),
    )
    with transaction() as session:
        return cast(int, session.execute(surplus).rowcount)  # type: ignore[attr-defined]


def held_since(
    start_value: Decimal, first: Mapping[str, Decimal], prices: Prices
) -> Decimal | None:
    """What the money would be had it been spread evenly over the coins at their first prices."""
    grown = [
        prices.last[market] / price for market, price in first.items() if market in prices.last
    ]
    if not grown or len(grown) < len(first):
        return None
    return (start_value * sum(grown, _ZERO) / len(grown)).quantize(_STEP, ROUND_HALF_EVEN)


def _started(run_ids: list[int]) -> dict[int, tuple[Decimal, dict[str, Decimal]]]:
    told = _first_lines(run_ids)
    rows = db.session.execute(select(BotRun.id, BotRun.start_value).where(BotRun.id.in_(run_ids)))
    return {run_id: (start, first_prices(told.get(run_id))) for run_id, start in rows}


def _first_lines(run_ids: list[int]) -> dict[int, str]:
    rows = db.session.execute(
        select(RunLine.run_id, RunLine.params).where(
            RunLine.run_id.in_(run_ids), RunLine.kind == LogKind.START
        )
    )
    return dict(rows.all())
