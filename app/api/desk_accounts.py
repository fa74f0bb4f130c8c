"""One's accounts at exchanges over JSON: link, look at, check anew, unlink."""

from decimal import Decimal
from typing import TypedDict

from flask import Response

from app.api.body import Body, Fields, Text, takes
from app.api.room import API, caller, room, signed_in
from app.api.told import tells
from app.api.wire import answer, cached, empty, utc_text
from app.clock import utcnow
from app.domain.errors import InvalidInput
from app.domain.exchanges import ExchangeName, KeyProblem, KeyState
from app.extensions import limiter
from app.services import exchanges
from app.services.exchanges import AccountView, Doors, HoldingView, Sealer, typed_keys
from app.services.tokens import Bearer
from app.wiring import broker, fingerprint_key, sealing_keys

bp = room("desk-accounts", f"{API}/desk/accounts")

#: Each try asks an exchange, which counts wrong keys against the address of this server.
KEY_LIMIT = "10/minute;40/hour"
_PERCENT = Decimal("1e-4")
_HERE = {"not_found": 404}
_LINK_CODES = {
    "exchange_unknown": 400,
    "exchange_key_shape": 400,
    "exchange_key_invalid": 400,
    "exchange_key_expired": 400,
    "exchange_key_address_not_allowed": 400,
    "exchange_key_missing_permission": 400,
    "exchange_key_account_blocked": 400,
    "exchange_key_clock": 400,
    "exchange_key_taken": 409,
    "exchange_links_full": 409,
    "exchange_unreachable": 503,
    "exchange_maintenance": 503,
}


class NewLink(Body):
    """An exchange and the two halves of a key made there. No answer ever holds them."""

    exchange = Text(required=True, metadata={"enum": [*ExchangeName], "examples": ["upbit"]})
    access_key = Text(required=True, metadata={"examples": ["the access key"]})
    secret_key = Text(required=True, metadata={"examples": ["the secret key"]})


class HoldingOut(TypedDict):
    """One currency of an account; null where the exchange or the market tells nothing."""

    currency: str
    free: Decimal
    locked: Decimal
    avg_buy_price: Decimal | None
    price: Decimal | None
    value: Decimal | None
    profit: Decimal | None


class ShareOut(TypedDict):
    """A part of the value in percent; `currency` is null for all the smaller ones together."""

    currency: str | None
    percent: Decimal


class DeskAccountOut(TypedDict):
    """A linked account. A right is null where the exchange doesn't tell; `problem` says what is
    wrong with the key or with its last check. Money is in won, at Upbit's prices of this moment.
    """

    id: int
    exchange: ExchangeName
    last_four: str
    state: KeyState
    problem: KeyProblem | None
    can_view_orders: bool | None
    can_trade: bool | None
    can_withdraw: bool | None
    expires_at: str | None
    checked_at: str | None
    linked_at: str | None
    balances_at: str | None
    value: Decimal
    profit: Decimal
    profit_percent: Decimal | None
    holdings: list[HoldingOut]
    shares: list[ShareOut]


@bp.get("", strict_slashes=False)
@tells({200: list[DeskAccountOut]})
@signed_in
def index(who: Bearer) -> Response:
    """One's linked accounts, the oldest first. Asking has the server fetch the balances anew."""
    now = utcnow()
    exchanges.note_look(user_id=who.person.id, now=now)
    found = exchanges.list_accounts(user_id=who.person.id, now=now)
    return cached([_account(account) for account in found])


@bp.post("", strict_slashes=False)
@tells({201: DeskAccountOut}, codes=_LINK_CODES)
@limiter.limit(KEY_LIMIT, key_func=caller)
@signed_in
@takes(NewLink)
def link(body: Fields, who: Bearer) -> Response:
    """Link an account, once its exchange has called the key good; this may take ten seconds.

    Nothing is stored before. The same key again is the same account with the new secret.
    """
    ident = exchanges.link_account(
        user_id=who.person.id,
        exchange=_exchange(body["exchange"]),
        keys=typed_keys(access=body["access_key"], secret=body["secret_key"]),
        doors=_doors(),
        now=utcnow(),
    )
    return answer(_account(_mine(who, ident)), 201)


@bp.get("/<int:account_id>", strict_slashes=False)
@tells({200: DeskAccountOut}, codes=_HERE)
@signed_in
def show(who: Bearer, account_id: int) -> Response:
    """One linked account and what it holds."""
    exchanges.note_look(user_id=who.person.id, now=utcnow())
    return cached(_account(_mine(who, account_id)))


@bp.post("/<int:account_id>/check", strict_slashes=False)
@tells({200: DeskAccountOut}, codes=_HERE)
@limiter.limit(KEY_LIMIT, key_func=caller)
@signed_in
def check(who: Bearer, account_id: int) -> Response:
    """Ask the exchange about the key anew; this may take ten seconds."""
    account = _mine(who, account_id)
    exchanges.recheck(account_id=account.id, doors=_doors(), now=utcnow())
    return answer(_account(_mine(who, account_id)))


@bp.delete("/<int:account_id>", strict_slashes=False)
@tells({204: None}, codes=_HERE | {"last_way_in": 409})
@signed_in
def unlink(who: Bearer, account_id: int) -> Response:
    """Forget an account's key and balances. The last way in stays: who came by it is refused."""
    account = _mine(who, account_id)
    exchanges.unlink_account(user_id=who.person.id, account_id=account.id, now=utcnow())
    return empty(204)


def _doors() -> Doors:
    return Doors(Sealer(sealing_keys(), fingerprint_key()), broker)


def _exchange(name: str) -> ExchangeName:
    try:
        return ExchangeName(name)
    except ValueError:
        raise InvalidInput("exchange", "exchange_unknown") from None


def _mine(who: Bearer, account_id: int) -> AccountView:
    return exchanges.get_account(user_id=who.person.id, account_id=account_id, now=utcnow())


def _account(account: AccountView) -> DeskAccountOut:
    pct = account.profit_pct
    return {
        "id": account.id,
        "exchange": account.exchange,
        "last_four": account.last_four,
        "state": account.state,
        "problem": account.problem,
        "can_view_orders": account.can_view_orders,
        "can_trade": account.can_trade,
        "can_withdraw": account.can_withdraw,
        "expires_at": utc_text(account.expires_at),
        "checked_at": utc_text(account.checked_at),
        "linked_at": utc_text(account.linked_at),
        "balances_at": utc_text(account.balances_at),
        "value": account.value,
        "profit": account.profit,
        "profit_percent": None if pct is None else pct.quantize(_PERCENT),
        "holdings": [_holding(one) for one in account.holdings],
        "shares": [
            {"currency": one.holding.currency if one.holding else None, "percent": one.pct}
            for one in account.shares
        ],
    }


def _holding(one: HoldingView) -> HoldingOut:
    return {
        "currency": one.currency,
        "free": one.free,
        "locked": one.locked,
        "avg_buy_price": one.avg_buy_price,
        "price": one.price,
        "value": one.value,
        "profit": one.profit,
    }
