"""The paper books: balances and orders of paper accounts, kept as an exchange would keep them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.exchanges import (
    Balance,
    Fill,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    PaperOrder,
    Side,
)
from app.models import PaperBalance
from app.models import PaperOrder as PaperRow

WON = "KRW"
_ZERO = Decimal(0)
#: Reports begin with it, so that the few that are open are found without reading all.
_OPEN = f'{{"state": "{OrderState.OPEN}"%'


class BotBook:
    """The paper account of one bot; `opening` is the won with which it is opened."""

    def __init__(self, bot_id: int, opening: Decimal, now: datetime) -> None:
        self._bot_id, self._opening, self._now = bot_id, opening, now

    @contextmanager
    def page(self) -> Iterator["BotPage"]:
        """The account for one deed alone, in one transaction."""
        with transaction() as session:
            page = BotPage(session, self._bot_id, self._now)
            if not page.balances():
                page.put_balance(Balance(WON, self._opening, _ZERO))
            yield page


class BotPage:
    """A paper account inside an open transaction."""

    def __init__(self, session: Session, bot_id: int, now: datetime) -> None:
        self._session, self._bot_id, self._now = session, bot_id, now

    def balances(self) -> list[Balance]:
        """All currencies that the account ever held."""
        rows = self._session.scalars(
            select(PaperBalance)
            .where(PaperBalance.bot_id == self._bot_id)
            .order_by(PaperBalance.currency)
        )
        return [Balance(row.currency, row.free, row.locked, row.avg_buy_price) for row in rows]

    def put_balance(self, balance: Balance) -> None:
        """This is what the account holds of a currency now."""
        self._session.merge(
            PaperBalance(
                bot_id=self._bot_id,
                currency=balance.currency,
                free=balance.free,
                locked=balance.locked,
                avg_buy_price=balance.avg_buy_price,
            )
        )
        self._session.flush()

    def find(self, client_id: str) -> PaperOrder | None:
        """An order, or None when the account never had it."""
        row = self._session.get(PaperRow, (self._bot_id, client_id))
        return _read(row) if row else None

    def open_orders(self) -> list[PaperOrder]:
        """The orders that are still open, oldest first."""
        rows = self._session.scalars(
            select(PaperRow)
            .where(PaperRow.bot_id == self._bot_id, PaperRow.report.like(_OPEN))
            .order_by(PaperRow.created_at, PaperRow.client_id)
        )
        return [_read(row) for row in rows]

    def keep(self, order: PaperOrder) -> None:
        """Write an order down, new or changed."""
        known = self._session.get(PaperRow, (self._bot_id, order.intent.client_id))
        row = known or PaperRow(
            bot_id=self._bot_id, client_id=order.intent.client_id, created_at=self._now
        )
        row.report = _written(order)
        self._session.add(row)
        self._session.flush()


def add_money(session: Session, *, bot_id: int, won: Decimal) -> bool:
    """Let won come to a paper account, or go; False when it hasn't got as much.

    An account that isn't opened yet is opened with all of it later. Inside a transaction.
    """
    row = session.get(PaperBalance, (bot_id, WON))
    if row is None:
        return True
    if row.free + won < 0:
        return False
    row.free += won
    return True


def _written(order: PaperOrder) -> str:
    intent, report = order.intent, order.report
    told: dict[str, Any] = {
        "state": report.state.value,
        "market": intent.market,
        "side": intent.side.value,
        "kind": intent.kind.value,
        "volume": _text(intent.volume),
        "funds": _text(intent.funds),
        "price": _text(intent.price),
        "exchange_id": report.exchange_id,
        "executed": [
            _text(each) for each in (report.executed_volume, report.executed_funds, report.paid_fee)
        ],
        "fills": [
            [fill.ident, *map(_text, (fill.price, fill.volume, fill.funds, fill.fee)), _iso(fill)]
            for fill in report.fills
        ],
    }
    return json.dumps(told)


def _read(row: PaperRow) -> PaperOrder:
    told = json.loads(row.report)
    intent = OrderIntent(
        client_id=row.client_id,
        market=told["market"],
        side=Side(told["side"]),
        kind=OrderKind(told["kind"]),
        volume=_amount(told["volume"]),
        funds=_amount(told["funds"]),
        price=_amount(told["price"]),
    )
    volume, funds, fee = (Decimal(each) for each in told["executed"])
    report = OrderReport(
        client_id=row.client_id,
        exchange_id=told["exchange_id"],
        state=OrderState(told["state"]),
        executed_volume=volume,
        executed_funds=funds,
        paid_fee=fee,
        fills=tuple(_fill(*each) for each in told["fills"]),
    )
    return PaperOrder(intent, report)


def _fill(ident: str, price: str, volume: str, funds: str, fee: str, at: str | None) -> Fill:
    when = None if at is None else datetime.fromisoformat(at)
    return Fill(ident, Decimal(price), Decimal(volume), Decimal(funds), Decimal(fee), when)


def _iso(fill: Fill) -> str | None:
    return None if fill.at is None else fill.at.isoformat()


def _text(amount: Decimal | None) -> str | None:
    return None if amount is None else f"{amount:f}"


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
