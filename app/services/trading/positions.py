"""What bots hold by their own orders: a cache of these, made anew at each fill."""

from collections import defaultdict
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.db import table_of
from app.domain.trading import Bought, Traded, bought_by
from app.extensions import db
from app.models import Order, Position

_ZERO = Decimal(0)


def bought_of(idents: list[int]) -> dict[int, dict[str, Bought]]:
    """What each bot holds by market."""
    found: dict[int, dict[str, Bought]] = defaultdict(dict)
    for row in db.session.scalars(select(Position).where(Position.bot_id.in_(idents))):
        found[row.bot_id][row.market] = Bought(row.volume, row.cost, row.day, row.opened_at)
    return found


def keep_position(session: Session, *, bot_id: int, market: str) -> None:
    """Make a position what the orders say; inside a transaction."""
    rows = session.scalars(
        select(Order)
        .where(Order.bot_id == bot_id, Order.market == market, Order.executed_volume != _ZERO)
        .order_by(Order.id)
    )
    held = bought_by(
        Traded(row.side, row.executed_volume, row.executed_funds, row.day, row.created_at)
        for row in rows
    )
    own = (Position.bot_id == bot_id, Position.market == market)
    session.execute(delete(Position).where(*own))
    if held is not None:
        session.execute(
            table_of(Position).insert(),
            {
                "bot_id": bot_id,
                "market": market,
                "volume": held.volume,
                "cost": held.cost,
                "day": held.day,
                "opened_at": held.since,
            },
        )
