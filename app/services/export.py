"""Everything we hold of a person, for that person, row by row: memory stays flat."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import select

from app.domain.errors import NotFound
from app.extensions import db
from app.models import (
    Backtest,
    Ballot,
    Bot,
    ClientSession,
    Coin,
    Favourite,
    Identity,
    LedgerEntry,
    LinkedAccount,
    Order,
    Picture,
    User,
    Vote,
)

_BATCH = 500
#: A spreadsheet takes a cell that begins so for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
Row = dict[str, Any]

_ACCOUNT = (
    User.id,
    User.nickname,
    User.is_staff,
    User.points,
    User.right_count,
    User.settled_count,
    User.language,
    User.theme,
    User.created_at,
)
_SIGN_INS = (
    Identity.id,
    Identity.provider,
    Identity.subject,
    Identity.linked_at,
    Identity.last_used_at,
)
_PICTURE = (Picture.user_id, Picture.digest, Picture.media_type, Picture.fetched_at)
_SESSIONS = (
    ClientSession.id,
    ClientSession.device,
    ClientSession.is_web,
    ClientSession.created_at,
    ClientSession.last_seen_at,
    ClientSession.expires_at,
    ClientSession.revoked_at,
)
_VOTES = (
    Vote.id,
    Coin.code.label("coin"),
    Vote.direction,
    Vote.range_pct,
    Vote.duration,
    Vote.state,
    Vote.created_at,
    Vote.finished_at,
    Vote.tracked_at,
    Vote.created_price,
    Vote.final_price,
    Vote.outcome,
    Vote.void_reason,
    Vote.base_rate_hits,
    Vote.base_rate_windows,
)
_ANSWERS = (
    Ballot.vote_id,
    Ballot.choice,
    Ballot.is_whale,
    Ballot.created_at,
    Vote.state.label("vote_state"),
    Vote.outcome,
)
_LEDGER = (
    LedgerEntry.id,
    LedgerEntry.created_at,
    LedgerEntry.reason,
    LedgerEntry.amount,
    LedgerEntry.vote_id,
)
#: Without the keys, which never leave the server again.
_EXCHANGES = (
    LinkedAccount.id,
    LinkedAccount.exchange,
    LinkedAccount.last_four,
    LinkedAccount.state,
    LinkedAccount.can_trade,
    LinkedAccount.can_withdraw,
    LinkedAccount.expires_at,
    LinkedAccount.linked_at,
    LinkedAccount.unlinked_at,
)
_BOTS = (
    Bot.id,
    Bot.mode,
    Bot.exchange,
    Bot.state,
    Bot.settings,
    Bot.confirmed_at,
    Bot.halted_at,
    Bot.created_at,
)
_ORDERS = (
    Order.id,
    Order.bot_id,
    Order.market,
    Order.side,
    Order.reason,
    Order.state,
    Order.executed_volume,
    Order.executed_funds,
    Order.paid_fee,
    Order.created_at,
    Order.ended_at,
)
_BACKTESTS = (Backtest.id, Backtest.asked, Backtest.state, Backtest.result, Backtest.created_at)
_FAVOURITES = (Favourite.coin_id, Coin.code.label("coin"), Favourite.created_at)


@dataclass(frozen=True, slots=True)
class Query:
    """What is read of one kind of data, and the ascending column among it to go along."""

    statement: Any
    key: Any


def as_json(*, user_id: int, now: datetime) -> Iterator[str]:
    """One JSON object in pieces: when it was made, and each kind of data under its name.

    Times are ISO 8601 in UTC, prices texts with their exact digits. Raises NotFound before the
    first piece where there is no such person.
    """
    _require(user_id)
    return _json_pieces(user_id, now)


def as_csv(*, user_id: int, kind: str) -> Iterator[str]:
    """One kind of data as CSV in pieces, with a heading, and marked as UTF-8 for spreadsheets.

    Texts that a spreadsheet would take for a formula have an apostrophe before them. Raises
    NotFound for an unknown kind or person before the first piece.
    """
    if kind not in KINDS:
        raise NotFound
    _require(user_id)
    return _csv_pieces(KINDS[kind](user_id))


def _require(user_id: int) -> None:
    found = select(User.id).where(User.id == user_id, User.deleted_at.is_(None))
    if db.session.scalar(found) is None:
        raise NotFound


def _json_pieces(user_id: int, now: datetime) -> Iterator[str]:
    yield f'{{"made_at": {json.dumps(_plain(now))}'
    for name, wanted in KINDS.items():
        yield f', "{name}": ['
        for number, row in enumerate(_rows(wanted(user_id))):
            yield (",\n" if number else "\n") + json.dumps(_plain_row(row), ensure_ascii=False)
        yield "]"
    yield "}\n"


def _csv_pieces(wanted: Query) -> Iterator[str]:
    yield "\ufeff" + _line(wanted.statement.selected_columns.keys())
    for row in _rows(wanted):
        yield _line([_cell(value) for value in row.values()])


def _line(cells: Iterable[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue()


def _cell(value: object) -> str:
    plain = _plain(value)
    if plain is None:
        return ""
    text = str(plain)
    return f"'{text}" if isinstance(plain, str) and text.startswith(_FORMULA) else text


def _plain_row(row: Row) -> Row:
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    if isinstance(value, StrEnum):
        return value.value
    return f"{value:f}" if isinstance(value, Decimal) else value


def _rows(wanted: Query) -> Iterator[Row]:
    """Batch by batch along the key, so that a slow reader holds no transaction open."""
    last = 0
    while True:
        statement = wanted.statement.where(wanted.key > last).order_by(wanted.key).limit(_BATCH)
        batch = db.session.execute(statement).all()
        db.session.rollback()
        for row in batch:
            yield dict(row._mapping)
        if len(batch) < _BATCH:
            return
        last = batch[-1]._mapping[wanted.key.name]


def _account(user_id: int) -> Query:
    return Query(select(*_ACCOUNT).where(User.id == user_id), User.id)


def _sign_ins(user_id: int) -> Query:
    return Query(select(*_SIGN_INS).where(Identity.user_id == user_id), Identity.id)


def _picture(user_id: int) -> Query:
    return Query(select(*_PICTURE).where(Picture.user_id == user_id), Picture.user_id)


def _sessions(user_id: int) -> Query:
    return Query(select(*_SESSIONS).where(ClientSession.user_id == user_id), ClientSession.id)


def _votes(user_id: int) -> Query:
    asked = select(*_VOTES).join(Coin, Coin.id == Vote.coin_id).where(Vote.creator_id == user_id)
    return Query(asked, Vote.id)


def _answers(user_id: int) -> Query:
    given = select(*_ANSWERS).join(Vote, Vote.id == Ballot.vote_id).where(Ballot.user_id == user_id)
    return Query(given, Ballot.vote_id)


def _ledger(user_id: int) -> Query:
    return Query(select(*_LEDGER).where(LedgerEntry.user_id == user_id), LedgerEntry.id)


def _favourites(user_id: int) -> Query:
    kept = select(*_FAVOURITES).join(Coin, Coin.id == Favourite.coin_id)
    return Query(kept.where(Favourite.user_id == user_id), Favourite.coin_id)


def _exchanges(user_id: int) -> Query:
    return Query(select(*_EXCHANGES).where(LinkedAccount.user_id == user_id), LinkedAccount.id)


def _bots(user_id: int) -> Query:
    return Query(select(*_BOTS).where(Bot.user_id == user_id), Bot.id)


def _orders(user_id: int) -> Query:
    sent = select(*_ORDERS).join(Bot, Bot.id == Order.bot_id).where(Bot.user_id == user_id)
    return Query(sent, Order.id)


def _backtests(user_id: int) -> Query:
    return Query(select(*_BACKTESTS).where(Backtest.user_id == user_id), Backtest.id)


#: Every kind of data we hold of a person, by the name it is given out under.
KINDS: dict[str, Callable[[int], Query]] = {
    "account": _account,
    "sign_ins": _sign_ins,
    "picture": _picture,
    "sessions": _sessions,
    "votes": _votes,
    "answers": _answers,
    "ledger": _ledger,
    "favourites": _favourites,
    "exchanges": _exchanges,
    "bots": _bots,
    "orders": _orders,
    "backtests": _backtests,
}
