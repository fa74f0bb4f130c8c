"""Runs of bots: how one begins and how it ends. At most one is open per bot."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import UNSETTLED
from app.domain.runs import BotState, LogKind
from app.domain.trading import settings_from_json
from app.models import Bot, BotRun, Order
from app.services.trading.lines import add_line
from app.services.trading.positions import bought_of
from app.services.trading.values import Prices, money_left, worth_of

STOPPED, HALTED = "stopped", "halted"


def rest(*, bot_id: int, now: datetime) -> None:
    """End the run of a bot that was stopped or halted, once nothing is in the air any more."""
    with transaction() as session:
        bot = session.get_one(Bot, bot_id, with_for_update=True)
        if has_pending(session, bot_id):
            return
        if bot.state is BotState.STOPPING:
            bot.state, bot.updated_at = BotState.OFF, now
            close_run(session, bot_id=bot_id, reason=STOPPED, now=now)
        elif bot.state is BotState.HALTED:
            close_run(session, bot_id=bot_id, reason=HALTED, now=now)


def stop_for(*, bot_id: int, problem: str, now: datetime) -> None:
    """Stop a bot that can't go on, and say why; a halted one stays halted."""
    with transaction() as session:
        bot = session.get_one(Bot, bot_id, with_for_update=True)
        if bot.state in (BotState.RUNNING, BotState.STOPPING):
            bot.state, bot.updated_at = BotState.OFF, now
        close_run(session, bot_id=bot_id, reason=problem, now=now, kind=LogKind.PROBLEM)


def close_run(
    session: Session, *, bot_id: int, reason: str, now: datetime, kind: LogKind = LogKind.END
) -> None:
    """End the open run, where there is one; inside a transaction."""
    run = open_run_of(session, bot_id)
    if run is not None:
        run.ended_at, run.end_reason = now, reason[:40]
        code = "run_ended" if kind is LogKind.END else "run_broke_off"
        add_line(session, run_id=run.id, kind=kind, code=code, now=now, reason=reason)


def open_run_of(session: Session, bot_id: int) -> BotRun | None:
    """The run that hasn't ended."""
    return session.scalar(select(BotRun).where(BotRun.bot_id == bot_id, BotRun.ended_at.is_(None)))


def open_run(session: Session, bot: Bot, prices: Prices, now: datetime) -> BotRun:
    """Begin a run; inside a transaction. Its first line keeps the prices to compare with."""
    settings = settings_from_json(bot.settings)
    worth = worth_of(
        settings.capital, money_left([bot.id])[bot.id], bought_of([bot.id]).get(bot.id, {}), prices
    )
    run = BotRun(bot_id=bot.id, started_at=now, start_value=worth)
    session.add(run)
    session.flush()
    told = {
        market: f"{prices.last[market]:f}" for market in settings.markets if market in prices.last
    }
    add_line(
        session, run_id=run.id, kind=LogKind.START, code="run_started", now=now, prices=told,
        worth=worth, capital=settings.capital,
    )  # fmt: skip
    return run


def has_pending(session: Session, bot_id: int) -> bool:
    """Whether an order is in the air."""
    query = select(Order.id).where(Order.bot_id == bot_id, Order.state.in_(UNSETTLED)).limit(1)
    return session.scalar(query) is not None
