"""What a linked account holds: fetched by the leader, valued at the live board."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import delete, select, update

from app.db import table_of, transaction
from app.domain.errors import NotFound
from app.domain.exchanges import Balance, ExchangeName, KeyProblem, KeyState
from app.domain.runs import BotMode, BotState
from app.exchanges.base import BadCredentials, Broker
from app.extensions import db
from app.models import Bot, Holding, LinkedAccount
from app.services.exchanges.linking import Doors
from app.services.market import CatalogueCoin, catalogue

WON = "KRW"
#: Balances are fetched for accounts that somebody looked at so recently …
LOOKED_AT_FOR = timedelta(minutes=10)
#: … and a look is written down at most so often.
NOTE_LOOK_EVERY = timedelta(minutes=1)
#: Then they are fetched as often as this …
FETCH_EVERY = timedelta(seconds=15)
#: … and every linked key is looked at again as often as that.
CHECK_EVERY = timedelta(days=1)
#: A key that ends so soon is warned about.
ENDS_SOON = timedelta(days=14)
#: The largest holdings have a share of their own, the rest one together.
MOST_SHARES = 4
_NOTHING = Decimal(0)
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class HoldingView:
    """One currency of an account, in won where the market has a price for it.

    `value`, `cost` and `profit` are None where they can't be known: a coin without a market, or
    one whose average price the exchange doesn't tell.
    """

    currency: str
    coin: CatalogueCoin | None
    free: Decimal
    locked: Decimal
    avg_buy_price: Decimal | None
    price: Decimal | None
    value: Decimal | None
    profit: Decimal | None

    @property
    def total(self) -> Decimal:
        """Free and locked together."""
        return self.free + self.locked

    @property
    def profit_pct(self) -> Decimal | None:
        """Profit against what was paid, in percent."""
        if self.profit is None or self.value is None or self.value == self.profit:
            return None
        return 100 * self.profit / (self.value - self.profit)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of an account's value in percent; `holding` is None for all the smaller ones."""

    holding: HoldingView | None
    pct: Decimal


@dataclass(frozen=True, slots=True)
class AccountView:
    """A linked account as its owner sees it; the key is its last four signs."""

    id: int
    exchange: ExchangeName
    last_four: str
    state: KeyState
    problem: KeyProblem | None
    can_view_orders: bool | None
    can_trade: bool | None
    can_withdraw: bool | None
    expires_at: datetime | None
    checked_at: datetime | None
    linked_at: datetime
    balances_at: datetime | None
    holdings: tuple[HoldingView, ...]

    @property
    def value(self) -> Decimal:
        """What all of it that has a price is worth, in won."""
        return sum((one.value for one in self.holdings if one.value is not None), _NOTHING)

    @property
    def profit(self) -> Decimal:
        """What the coins whose cost is known gained or lost, in won."""
        return sum((one.profit for one in self.holdings if one.profit is not None), _NOTHING)

    @property
    def profit_pct(self) -> Decimal | None:
        """That profit against what those coins cost, in percent."""
        known = [one for one in self.holdings if one.profit is not None and one.value is not None]
        cost = sum(((one.value or _NOTHING) - (one.profit or _NOTHING) for one in known), _NOTHING)
        return 100 * self.profit / cost if cost else None

    def ends_soon(self, now: datetime) -> bool:
        """Whether the key ends within two weeks."""
        left = None if self.expires_at is None else self.expires_at - now
        return left is not None and timedelta(0) < left < ENDS_SOON

    def has_ended(self, now: datetime) -> bool:
        """Whether the key's time is over, though nobody may have asked the exchange since."""
        return self.expires_at is not None and self.expires_at <= now

    @property
    def shares(self) -> tuple[Share, ...]:
        """How the value is spread, largest first, in tenths of a percent that make 100 together."""
        valued = [one for one in self.holdings if one.value]
        if not valued:
            return ()
        alone = valued if len(valued) <= MOST_SHARES else valued[: MOST_SHARES - 1]
        parts = [(one, one.value or _NOTHING) for one in alone]
        rest = self.value - sum((value for _, value in parts), _NOTHING)
        pieces = [*parts, (None, rest)] if len(alone) < len(valued) else parts
        return tuple(
            Share(holding, pct)
            for (holding, _), pct in zip(pieces, _percents([v for _, v in pieces]), strict=True)
        )


def list_accounts(*, user_id: int, now: datetime) -> list[AccountView]:
    """The linked accounts of a person, oldest first, with their holdings, largest first."""
    accounts = db.session.scalars(
        select(LinkedAccount)
        .where(LinkedAccount.user_id == user_id, LinkedAccount.unlinked_at.is_(None))
        .order_by(LinkedAccount.id)
    ).all()
    held: dict[int, list[Holding]] = {account.id: [] for account in accounts}
    for row in db.session.scalars(select(Holding).where(Holding.account_id.in_(held))):
        held[row.account_id].append(row)
    coins = {coin.code: coin for coin in catalogue(now)} if any(held.values()) else {}
    return [_view(account, held[account.id], coins) for account in accounts]


def get_account(*, user_id: int, account_id: int, now: datetime) -> AccountView:
    """One linked account of this person; NotFound for anybody else's."""
    for account in list_accounts(user_id=user_id, now=now):
        if account.id == account_id:
            return account
    raise NotFound


def note_look(*, user_id: int, now: datetime) -> None:
    """Remember that somebody looks, so that the leader fetches the balances anew."""
    due = db.session.scalar(
        select(LinkedAccount.id)
        .where(
            LinkedAccount.user_id == user_id,
            LinkedAccount.unlinked_at.is_(None),
            LinkedAccount.wanted_at.is_(None) | (LinkedAccount.wanted_at < now - NOTE_LOOK_EVERY),
        )
        .limit(1)
    )
    if due is None:
        return
    with transaction() as session:
        session.execute(
            update(LinkedAccount)
            .where(LinkedAccount.user_id == user_id, LinkedAccount.unlinked_at.is_(None))
            .values(wanted_at=now)
        )


def due_for_balances(now: datetime) -> list[int]:
    """Accounts whose balances somebody waits for: their owner looks, or a live bot trades there."""
    trading = select(Bot.account_id).where(Bot.mode == BotMode.LIVE, Bot.state != BotState.OFF)
    found = db.session.scalars(
        select(LinkedAccount.id)
        .where(
            LinkedAccount.unlinked_at.is_(None),
            LinkedAccount.state != KeyState.REFUSED,
            (LinkedAccount.wanted_at > now - LOOKED_AT_FOR) | LinkedAccount.id.in_(trading),
            LinkedAccount.balances_at.is_(None) | (LinkedAccount.balances_at <= now - FETCH_EVERY),
        )
        .order_by(LinkedAccount.balances_at.nulls_first(), LinkedAccount.id)
    )
    return list(found)


def due_for_check(now: datetime) -> list[int]:
    """Linked accounts whose key nobody has looked at for a day; a refused one may be mended."""
    found = db.session.scalars(
        select(LinkedAccount.id)
        .where(
            LinkedAccount.unlinked_at.is_(None),
            LinkedAccount.checked_at.is_(None) | (LinkedAccount.checked_at <= now - CHECK_EVERY),
        )
        .order_by(LinkedAccount.checked_at.nulls_first(), LinkedAccount.id)
    )
    return list(found)


def refresh(*, account_id: int, doors: Doors, now: datetime) -> None:
    """`refresh_balances` of a linked account by its own keys; nothing for one that is unlinked.

    Raises ExchangeError, and SealBroken where the keys can't be opened.
    """
    account = db.session.get(LinkedAccount, account_id)
    if account is None or account.unlinked_at is not None:
        return
    broker = doors.broker(account)
    db.session.rollback()  # nothing is open while the exchange thinks
    refresh_balances(account_id=account_id, broker=broker, now=now)


def refresh_balances(*, account_id: int, broker: Broker, now: datetime) -> None:
    """Ask for the balances and keep them, all or none.

    Raises ExchangeError, and then what was known stays, with its age; a key that was refused is
    marked so first.
    """
    try:
        balances = broker.balances()
    except BadCredentials as error:
        with transaction() as session:
            session.execute(
                update(LinkedAccount)
                .where(LinkedAccount.id == account_id, LinkedAccount.unlinked_at.is_(None))
                .values(state=KeyState.REFUSED, problem=error.problem, checked_at=now)
            )
        raise
    with transaction() as session:
        kept = session.execute(
            update(LinkedAccount)
            .where(LinkedAccount.id == account_id, LinkedAccount.unlinked_at.is_(None))
            .values(balances_at=now)
        )
        if kept.rowcount != 1:  # type: ignore[attr-defined]  # unlinked while we asked
            return
        session.execute(delete(Holding).where(Holding.account_id == account_id))
        rows = _rows(account_id, balances)
        if rows:
            session.execute(table_of(Holding).insert(), rows)


def _percents(values: list[Decimal]) -> list[Decimal]:
    """What each is of all, cut to tenths; those that lost most by it get what is then missing."""
    whole = sum(values, _NOTHING)
    exact = [1000 * value / whole for value in values]
    tenths = [int(one) for one in exact]
    by_loss = sorted(range(len(exact)), key=lambda place: tenths[place] - exact[place])
    for place in by_loss[: 1000 - sum(tenths)]:
        tenths[place] += 1
    return [one * _TENTH for one in tenths]


def _rows(account_id: int, balances: Iterable[Balance]) -> list[dict[str, object]]:
    return [
        {
            "account_id": account_id,
            "currency": one.currency,
            "free": one.free,
            "locked": one.locked,
            "avg_buy_price": one.avg_buy_price,
        }
        for one in balances
        if one.total > 0
    ]


def _view(
    account: LinkedAccount, rows: list[Holding], coins: dict[str, CatalogueCoin]
) -> AccountView:
    holdings = [_holding(row, coins.get(row.currency)) for row in rows]
    holdings.sort(key=lambda one: (one.value is None, -(one.value or _NOTHING), one.currency))
    return AccountView(
        id=account.id,
        exchange=account.exchange,
        last_four=account.last_four,
        state=account.state,
        problem=account.problem,
        can_view_orders=account.can_view_orders,
        can_trade=account.can_trade,
        can_withdraw=account.can_withdraw,
        expires_at=account.expires_at,
        checked_at=account.checked_at,
        linked_at=account.linked_at,
        balances_at=account.balances_at,
        holdings=tuple(holdings),
    )


def _holding(row: Holding, coin: CatalogueCoin | None) -> HoldingView:
    total = row.free + row.locked
    if row.currency == WON:
        return HoldingView(WON, None, row.free, row.locked, None, None, total, None)
    price = coin.price if coin is not None and coin.is_active else None
    value = None if price is None else total * price
    bought_at = row.avg_buy_price if row.avg_buy_price else None
    profit = None if value is None or bought_at is None else value - total * bought_at
    return HoldingView(row.currency, coin, row.free, row.locked, bought_at, price, value, profit)
