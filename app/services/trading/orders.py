"""Orders of bots, step by step: intended, claimed for sending, told about, or proven not to be.

Each step is one committed transaction; the exchange is called between them, never inside one. So
wherever the server dies, what is in the database says what may have happened at the exchange.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import table_of, transaction, upsert
from app.domain.exchanges import (
    UNSETTLED,
    OrderIntent,
    OrderKind,
    OrderReport,
    OrderState,
    Side,
)
from app.domain.runs import LogKind, OrderReason
from app.domain.trading import (
    Silence,
    Tried,
    judge_silence,
    may_enter,
    may_exit,
    state_after,
)
from app.models import Bot, Order, OrderFill
from app.services.trading.checking import Known, last_check
from app.services.trading.lines import add_line_once
from app.services.trading.positions import keep_position
from app.services.trading.runs import open_run_of
from app.services.trading.telling import tell, tell_fill, tell_intended

#: Given up before it was sent, because the server was stopped in between.
INTERRUPTED = "interrupted"
NEVER_ARRIVED = "never_arrived"
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Wish:
    """What a bot wants to order: `funds` for a purchase, `volume` for a sale, at the market."""

    bot_id: int
    market: str
    day: date
    reason: OrderReason
    signal_price: Decimal
    funds: Decimal | None = None
    volume: Decimal | None = None

    @property
    def side(self) -> Side:
        """Only entries buy."""
        return Side.BUY if self.reason is OrderReason.ENTRY else Side.SELL


def intend(*, wish: Wish, known: Known, now: datetime) -> int | None:
    """Write down what is to be ordered; its id, or None where it must not be.

    A purchase is written once per bot, market and day, unless all earlier ones surely came to
    nothing; nothing is written while another order of the market isn't settled. Whatever speaks
    against the order is in the log once a day.
    """
    intent = _intent(wish)
    try:
        with transaction() as session:
            bot = session.get_one(Bot, wish.bot_id, with_for_update=True)
            run = open_run_of(session, bot.id)
            earlier = _of_signal(session, wish)
            if run is None or not _may_try(session, wish, earlier, now):
                return None
            order = _order(wish, intent, run.id, len(earlier), now)
            objection = last_check(session, bot, order, known).object_to(intent, now)
            if objection is not None:
                about = {"market": wish.market, "day": str(wish.day), "side": wish.side.value}
                add_line_once(
                    session, run_id=run.id, kind=LogKind.SKIPPED, code=objection, now=now, **about
                )
                return None
            session.add(order)
            session.flush()
            tell_intended(session, order, now)
            return order.id
    except IntegrityError:  # another process was faster; the signal is its own now
        return None


def claim(*, order_id: int, known: Known, now: datetime) -> OrderIntent | None:
    """Take an intended order for sending: from now on it may have been sent.

    The last check is made here, in the transaction that claims: whoever halted the bot before has
    won, and who halts it later finds an order that may be at the exchange. None when it must not
    be sent; it has then never been.
    """
    with transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        if order.state is not OrderState.INTENDED:
            return None
        bot = session.get_one(Bot, order.bot_id, with_for_update=True)
        intent = intent_of(order)
        objection = last_check(session, bot, order, known).object_to(intent, now)
        if objection is not None:
            _end(session, order, OrderState.NEVER_SENT, objection, now)
            return None
        order.state, order.sent_at = OrderState.UNKNOWN, now
        return intent


def record_report(*, order_id: int, report: OrderReport, now: datetime) -> OrderState:
    """Write what the exchange says of an order; the same answer twice counts once.

    What was executed only ever grows, so that an answer that was overtaken takes nothing back. The
    position follows in the same transaction.
    """
    with transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        before, was = order.executed_volume, order.state
        order.state = state_after(was, report)
        order.exchange_id = report.exchange_id
        order.asked_at = None
        if report.executed_volume >= before:
            order.executed_volume = report.executed_volume
            order.executed_funds = max(order.executed_funds, report.executed_funds)
            order.paid_fee = max(order.paid_fee, report.paid_fee)
        if order.state.is_final and order.ended_at is None:
            order.ended_at = now
        _keep_fills(session, order, report)
        if order.executed_volume != before:
            session.flush()
            keep_position(session, bot_id=order.bot_id, market=order.market)
            tell_fill(session, order, order.executed_volume - before, now)
        elif order.state is OrderState.CANCELLED and was is not OrderState.CANCELLED:
            tell(session, order, LogKind.ORDER, "order_cancelled", now)
        return order.state


def record_refusal(
    *, order_id: int, problem: str, now: datetime, arrived: bool = True
) -> OrderState:
    """The exchange surely has nothing of a sent order: refused, or (not `arrived`) never sent."""
    with transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        if order.state is OrderState.UNKNOWN:
            state = OrderState.REJECTED if arrived else OrderState.NEVER_SENT
            _end(session, order, state, problem, now)
        return order.state


def record_doubt(*, order_id: int, now: datetime) -> None:
    """Say in the log that nobody knows what became of a sent order; it is asked about."""
    with transaction() as session:
        order = session.get_one(Order, order_id)
        if order.state is OrderState.UNKNOWN:
            tell(session, order, LogKind.PROBLEM, "order_unknown", now)


def record_missing(*, order_id: int, now: datetime) -> OrderState:
    """The exchange said that it doesn't know the order; believed only when it says so again."""
    with transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        if order.state is not OrderState.UNKNOWN or order.sent_at is None:
            return order.state
        silence = judge_silence(sent_at=order.sent_at, missed_at=order.asked_at, now=now)
        if silence is Silence.NEVER_ARRIVED:
            _end(session, order, OrderState.NEVER_SENT, NEVER_ARRIVED, now)
        elif silence is Silence.ASK_AGAIN and order.asked_at is None:
            order.asked_at = now
        return order.state


def give_up(*, order_id: int, now: datetime) -> None:
    """An intended order that nobody claimed was never sent, and won't be."""
    with transaction() as session:
        order = session.get_one(Order, order_id, with_for_update=True)
        if order.state is OrderState.INTENDED:
            _end(session, order, OrderState.NEVER_SENT, INTERRUPTED, now)


def intent_of(order: Order) -> OrderIntent:
    """The order as it is sent."""
    return OrderIntent(
        client_id=order.client_id,
        market=order.market,
        side=order.side,
        kind=order.kind,
        volume=order.volume,
        funds=order.funds,
        price=order.price,
    )


def _intent(wish: Wish) -> OrderIntent:
    return OrderIntent(
        client_id=f"wl-{uuid.uuid4().hex}",
        market=wish.market,
        side=wish.side,
        kind=OrderKind.MARKET,
        volume=wish.volume,
        funds=wish.funds,
    )


def _order(wish: Wish, intent: OrderIntent, run_id: int, attempt: int, now: datetime) -> Order:
    return Order(
        bot_id=wish.bot_id,
        run_id=run_id,
        client_id=intent.client_id,
        market=intent.market,
        day=wish.day,
        side=intent.side,
        attempt=attempt,
        reason=wish.reason,
        kind=intent.kind,
        volume=intent.volume,
        funds=intent.funds,
        price=intent.price,
        signal_price=wish.signal_price,
        state=OrderState.INTENDED,
        executed_volume=_ZERO,
        executed_funds=_ZERO,
        paid_fee=_ZERO,
        created_at=now,
    )


def _of_signal(session: Session, wish: Wish) -> list[Order]:
    return list(
        session.scalars(
            select(Order).where(
                Order.bot_id == wish.bot_id,
                Order.market == wish.market,
                Order.day == wish.day,
                Order.side == wish.side,
            )
        )
    )


def _may_try(session: Session, wish: Wish, earlier: Iterable[Order], now: datetime) -> bool:
    busy = session.scalar(
        select(Order.id)
        .where(Order.bot_id == wish.bot_id, Order.market == wish.market, Order.state.in_(UNSETTLED))
        .limit(1)
    )
    if busy is not None:
        return False
    tried = [Tried(one.state, one.executed_volume, one.ended_at) for one in earlier]
    return (may_enter if wish.side is Side.BUY else may_exit)(tried, now)


def _end(session: Session, order: Order, state: OrderState, problem: str, now: datetime) -> None:
    order.state, order.problem, order.ended_at = state, problem[:60], now
    refused = state is OrderState.REJECTED
    kind = LogKind.REFUSED if refused else LogKind.SKIPPED
    code = "order_refused" if refused else "order_not_sent"
    tell(session, order, kind, code, now, problem=order.problem)


def _keep_fills(session: Session, order: Order, report: OrderReport) -> None:
    rows = [
        {
            "order_id": order.id,
            "ident": fill.ident,
            "price": fill.price,
            "volume": fill.volume,
            "funds": fill.funds,
            "fee": fill.fee,
            "at": fill.at,
        }
        for fill in report.fills
    ]
    if rows:
        session.execute(upsert(table_of(OrderFill)).on_conflict_do_nothing(), rows)
