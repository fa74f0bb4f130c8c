"""The last check of an order: what is known of its bot, read in the transaction that sends it."""

from dataclasses import dataclass
from decimal import Decimal, localcontext

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.exchanges import KeyState, MarketRules, Side
from app.domain.runs import BotState, OrderReason
from app.domain.trading import LastCheck, Standing, Yeses, settings_from_json
from app.models import Bot, LinkedAccount, Order, Position

#: What a bot may order in each state; in the others nothing.
_ALLOWED = {
    BotState.RUNNING: frozenset(OrderReason) - {OrderReason.HALT},
    BotState.HALTED: frozenset({OrderReason.HALT}),
}
_ZERO = Decimal(0)
_DIGITS = 60


@dataclass(frozen=True, slots=True)
class Known:
    """What was learned before the transaction: the market's rules, prices, what the bot is worth.

    `own_money` is what is left of the won entrusted to the bot: the rest of an account isn't its
    own. `live_trading` is the server's yes to real money.
    """

    rules: MarketRules
    last: Decimal | None
    worth: Decimal
    worth_at_start: Decimal
    own_money: Decimal
    live_trading: bool


def last_check(session: Session, bot: Bot, order: Order, known: Known) -> LastCheck:
    """All that an order is held against; inside the transaction that writes or claims it."""
    account = account_of(session, bot)
    position = session.get(Position, (bot.id, order.market))
    return LastCheck(
        rules=known.rules,
        limits=settings_from_json(bot.settings).limits,
        standing=_standing(session, order, known),
        yeses=yeses_of(bot, account, known.live_trading),
        is_allowed=order.reason in _ALLOWED.get(bot.state, ()),
        bought=position.volume if position else _ZERO,
        last=known.last,
        day=order.day,
    )


def yeses_of(bot: Bot, account: LinkedAccount | None, live_trading: bool) -> Yeses | None:
    """The yeses that a bot has; None where it needs none."""
    if not bot.mode.needs_yeses:
        return None
    return Yeses(
        server=live_trading,
        person=bot.confirmed_at is not None,
        key=account is not None and _may_trade(account),
    )


def account_of(session: Session, bot: Bot) -> LinkedAccount | None:
    """The account that a bot trades with, linked or not any more; None on paper."""
    return session.get(LinkedAccount, bot.account_id) if bot.account_id else None


def _may_trade(account: LinkedAccount) -> bool:
    is_good = account.unlinked_at is None and account.state is KeyState.GOOD
    return is_good and account.can_trade is True


def _standing(session: Session, order: Order, known: Known) -> Standing:
    """What the day's purchases of the bot have taken, and when it last sold of this market.

    Limits hold for purchases alone, so a sale isn't kept waiting for it.
    """
    if order.side is Side.SELL:
        return Standing(_ZERO, known.worth_at_start, known.worth)
    bought = session.scalars(
        select(Order).where(
            Order.bot_id == order.bot_id,
            Order.day == order.day,
            Order.side == Side.BUY,
            Order.client_id != order.client_id,
        )
    ).all()
    with localcontext(prec=_DIGITS):
        spent = sum((_taken(one) for one in bought), _ZERO)
    sold = session.scalars(
        select(Order.ended_at)
        .where(
            Order.bot_id == order.bot_id,
            Order.market == order.market,
            Order.side == Side.SELL,
            Order.executed_volume != _ZERO,
            Order.ended_at.is_not(None),
        )
        .order_by(Order.id.desc())
        .limit(1)
    ).first()
    return Standing(spent, known.worth_at_start, known.worth, sold)


def _taken(order: Order) -> Decimal:
    return order.executed_funds if order.state.is_final else order.funds or _ZERO
