"""What the log of a run says of an order, from the signal to the last fill."""

from datetime import datetime
from decimal import Decimal, localcontext

from sqlalchemy.orm import Session

from app.domain.exchanges import Side
from app.domain.runs import LogKind
from app.models import Order
from app.services.trading.lines import add_line

_DIGITS = 60


def tell_intended(session: Session, order: Order, now: datetime) -> None:
    amount = {"funds": order.funds} if order.side is Side.BUY else {"volume": order.volume}
    tell(session, order, LogKind.SIGNAL, f"signal_{order.reason}", now, price=order.signal_price)
    tell(session, order, LogKind.ORDER, f"order_{order.side}", now, **amount)


def tell_fill(session: Session, order: Order, volume: Decimal, now: datetime) -> None:
    with localcontext(prec=_DIGITS):
        price = order.executed_funds / order.executed_volume
    tell(
        session,
        order,
        LogKind.FILL,
        f"fill_{order.side}",
        now,
        volume=volume,
        price=round(price, 8),
        fee=order.paid_fee,
    )


def tell(
    session: Session, order: Order, kind: LogKind, code: str, now: datetime, **more: object
) -> None:
    about = {"market": order.market, "order": order.client_id[:9], **more}
    add_line(session, run_id=order.run_id, kind=kind, code=code, now=now, **about)
