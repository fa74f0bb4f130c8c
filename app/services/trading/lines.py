"""The log of a run: one line per event, kept in the database, told in the contract's format."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.runs import BotMode, LogKind
from app.extensions import db
from app.models import Bot, BotRun, RunLine

MOST_LINES = 200
MOST_RUNS = 20


@dataclass(frozen=True, slots=True)
class Line:
    """What happened: a code for the sentence, and what fills it in."""

    id: int
    at: datetime
    kind: LogKind
    code: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """From a start of a bot to its end, which an open one hasn't."""

    id: int
    started_at: datetime
    ended_at: datetime | None


def add_line(
    session: Session, *, run_id: int, kind: LogKind, code: str, now: datetime, **params: object
) -> None:
    """Write a line inside an open transaction; amounts are kept as plain text."""
    told = {
        name: f"{value:f}" if isinstance(value, Decimal) else value
        for name, value in params.items()
    }
    text = json.dumps(told, ensure_ascii=False, default=str)
    session.add(RunLine(run_id=run_id, at=now, kind=kind, code=code, params=text))


def add_line_once(
    session: Session, *, run_id: int, kind: LogKind, code: str, now: datetime, **params: object
) -> None:
    """As `add_line`, but once per code, `market` and `day`, however often it happens."""
    mentions = f'"market": "{params.get("market", "")}"'
    last = session.scalar(
        select(RunLine)
        .where(RunLine.run_id == run_id, RunLine.code == code, RunLine.params.contains(mentions))
        .order_by(RunLine.id.desc())
        .limit(1)
    )
    if last is None or json.loads(last.params).get("day") != str(params.get("day")):
        add_line(session, run_id=run_id, kind=kind, code=code, now=now, **params)


def list_lines(*, user_id: int, bot_id: int, most: int = MOST_LINES) -> Sequence[Line]:
    """The newest lines of a bot's last run, newest first; none for somebody else's bot."""
    run_id = (
        select(func.max(BotRun.id))
        .join(Bot, Bot.id == BotRun.bot_id)
        .where(Bot.id == bot_id, Bot.user_id == user_id)
        .scalar_subquery()
    )
    rows = db.session.scalars(
        select(RunLine).where(RunLine.run_id == run_id).order_by(RunLine.id.desc()).limit(most)
    )
    return [_line(row) for row in rows]


def list_runs(*, user_id: int, mode: BotMode) -> Sequence[Run]:
    """The newest runs of a person's bot, newest first."""
    rows = db.session.scalars(
        select(BotRun)
        .join(Bot, Bot.id == BotRun.bot_id)
        .where(Bot.user_id == user_id, Bot.mode == mode)
        .order_by(BotRun.id.desc())
        .limit(MOST_RUNS)
    )
    return [Run(row.id, row.started_at, row.ended_at) for row in rows]


def run_log(*, user_id: int, run_id: int) -> Sequence[Line]:
    """All lines of a run, oldest first. Raises NotFound for a run of somebody else's bot."""
    own = select(BotRun.id).join(Bot, Bot.id == BotRun.bot_id)
    if db.session.scalar(own.where(BotRun.id == run_id, Bot.user_id == user_id)) is None:
        raise NotFound
    rows = db.session.scalars(select(RunLine).where(RunLine.run_id == run_id).order_by(RunLine.id))
    return [_line(row) for row in rows]


def capital_told(params: str | None) -> Decimal | None:
    """The won that were entrusted to a bot when a run began, by its first line."""
    told = json.loads(params or "{}").get("capital")
    return None if told is None else Decimal(told)


def first_prices(params: str | None) -> dict[str, Decimal]:
    """The prices that a run's first line holds, by market."""
    told = json.loads(params or "{}").get("prices", {})
    return {market: Decimal(price) for market, price in told.items()}


def _line(row: RunLine) -> Line:
    return Line(row.id, row.at, row.kind, row.code, json.loads(row.params))
