"""The coins a person owns over all linked accounts, a row per coin, as the first desk has it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from sqlalchemy import select

from app.domain.exchanges import Side
from app.domain.runs import BotMode
from app.extensions import db
from app.models import Bot, LinkedAccount, Order, Position
from app.services.exchanges.holdings import WON, AccountView, HoldingView, list_accounts
from app.services.market import CatalogueCoin

_NOTHING = Decimal(0)
#: More than any account holds, with the decimals of a coin besides.
_DIGITS = 60
_FINEST = Decimal("1e-8")


@dataclass(frozen=True, slots=True)
class Owned:
    """A coin in all accounts together.

    `avg_price` is that of the accounts that tell one, weighted; None where none does. `since` is
    when a live bot of ours bought it, else when the account was linked: exchanges don't say.
    `fee` is what that bot paid, 0 for what we didn't buy.
    """

    code: str
    coin: CatalogueCoin | None
    quantity: Decimal
    avg_price: Decimal | None
    since: datetime
    fee: Decimal


@dataclass(frozen=True, slots=True)
class _Bought:
    at: datetime
    fee: Decimal


def owned_coins(*, user_id: int, now: datetime) -> list[Owned]:
    """Every coin of a person, the most valuable first; won is none."""
    accounts = list_accounts(user_id=user_id, now=now)
    bought = _bought_by_bots([account.id for account in accounts])
    parts: dict[str, list[tuple[AccountView, HoldingView]]] = defaultdict(list)
    for account in accounts:
        for holding in account.holdings:
            if holding.currency != WON:
                parts[holding.currency].append((account, holding))
    by_value = sorted(parts.items(), key=lambda item: -_value(one for _, one in item[1]))
    return [_owned(code, held, bought) for code, held in by_value]


def _value(holdings: Iterable[HoldingView]) -> Decimal:
    return sum((one.value for one in holdings if one.value is not None), _NOTHING)


def _owned(
    code: str,
    held: list[tuple[AccountView, HoldingView]],
    bought: dict[tuple[int, str], _Bought],
) -> Owned:
    buys = [bought[account.id, code] for account, _ in held if (account.id, code) in bought]
    return Owned(
        code=code,
        coin=held[0][1].coin,
        quantity=sum((one.total for _, one in held), _NOTHING),
        avg_price=_average([one for _, one in held]),
        since=max([one.at for one in buys] or [account.linked_at for account, _ in held]),
        fee=sum((one.fee for one in buys), _NOTHING),
    )


def _average(holdings: list[HoldingView]) -> Decimal | None:
    told = [(one.total, one.avg_buy_price) for one in holdings if one.avg_buy_price is not None]
    if len(told) == 1:
        return told[0][1]
    with localcontext(prec=_DIGITS):
        amount = sum((total for total, _ in told), _NOTHING)
        if not amount:
            return None
        exact = sum((total * price for total, price in told), _NOTHING) / amount
        return exact.quantize(_FINEST).normalize()


def _bought_by_bots(account_ids: list[int]) -> dict[tuple[int, str], _Bought]:
    """What live bots of ours hold at these accounts: when they bought it and for which fee."""
    rows = db.session.execute(
        select(LinkedAccount.id, Position.market, Position.opened_at, Order.paid_fee)
        .join(Bot, Bot.account_id == LinkedAccount.id)
        .join(Position, Position.bot_id == Bot.id)
        .outerjoin(
            Order,
            (Order.bot_id == Bot.id)
            & (Order.market == Position.market)
            & (Order.day == Position.day)
            & (Order.side == Side.BUY),
        )
        .where(Bot.mode == BotMode.LIVE, LinkedAccount.id.in_(account_ids))
    )
    bought: dict[tuple[int, str], _Bought] = {}
    for account_id, market, opened_at, fee in rows:
        key = (account_id, market.partition("-")[2])
        before = bought.get(key, _Bought(opened_at, _NOTHING))
        bought[key] = _Bought(max(before.at, opened_at), before.fee + (fee or _NOTHING))
    return bought
