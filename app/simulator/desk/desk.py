"""One exchange's counter for signed requests: who asks, may they, and what is said to them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import count
from threading import Lock
from typing import Protocol

from app.clock import monotonic, utcnow
from app.simulator.desk.account import ASK, LIMIT, RIGHTS, Account, Order, Pocket
from app.simulator.desk.amounts import exactly
from app.simulator.desk.asking import Wish, fields_of
from app.simulator.desk.dialect import MAX_TOTAL, MIN_TOTAL, Asked, Dialect, Route
from app.simulator.desk.failing import Plight, suffered
from app.simulator.desk.keys import check_time, check_use, claims_of
from app.simulator.desk.matching import Moment, Prices, settle
from app.simulator.desk.refused import Refused
from app.simulator.faults import Fault
from app.simulator.limits import RateLimits
from app.simulator.reply import Reply, as_json, too_many
from app.simulator.server import Request
from app.simulator.ticks import from_units, tick, to_units
from app.simulator.world import to_ms

_SHORTEST_KEY = 8
_HOLDS = timedelta(days=365)


class Floor(Prices, Protocol):
    """The exchange behind the counter: its clock and its markets."""

    def now(self) -> datetime:
        """The world's time."""

    def names(self) -> list[str]:
        """The codes of all listed markets."""


class Desk:
    """Accounts of one exchange. Safe to ask from many threads: each account has its lock."""

    def __init__(self, dialect: Dialect, floor: Floor, *, limited: bool) -> None:
        self.dialect = dialect
        self._floor = floor
        self._accounts: dict[str, Account] = {}
        self._numbers = count(1)
        self._opening = Lock()
        self._limits = {
            name: RateLimits(per_second if limited else None)
            for name, per_second in dialect.limits.items()
        }

    def open_account(
        self,
        access_key: str,
        secret_key: str,
        balances: Mapping[str, object],
        rights: Collection[str],
        allowed_ips: Collection[str] | None,
        expires_at: datetime | None,
        fee: object | None,
    ) -> Account:
        """Open an account; ValueError when something can't be right or the key is taken."""
        if min(len(access_key), len(secret_key)) < _SHORTEST_KEY:
            raise ValueError(f"a key has at least {_SHORTEST_KEY} characters")
        if not RIGHTS.issuperset(rights):
            raise ValueError(f"permissions are {', '.join(sorted(RIGHTS))}")
        account = Account(
            access_key=access_key,
            secret_key=secret_key,
            rights=frozenset(rights),
            allowed_ips=None if allowed_ips is None else frozenset(allowed_ips),
            expires_at=expires_at or self._floor.now() + _HOLDS,
            fee=self.dialect.fee if fee is None else Decimal(str(fee)),
        )
        for currency, amount in balances.items():
            pocket = account.pocket(currency)
            pocket.free = from_units(to_units(amount))
            pocket.avg_buy_price = self._floor.last(f"KRW-{currency}") or pocket.avg_buy_price
        with self._opening:
            if access_key in self._accounts:
                raise ValueError("there is an account with this key")
            self._accounts[access_key] = account
        return account

    def knows(self, path: str) -> bool:
        """Whether the path is a signed one."""
        return any(path == known for _, known in self.dialect.routes)

    def has(self, access_key: str) -> bool:
        """Whether there is an account with this key."""
        return access_key in self._accounts

    def all_accounts(self) -> list[Account]:
        """Every account, in the order in which they were opened."""
        return list(self._accounts.values())

    def look(self, access_key: str, faults: list[Fault]) -> Account:
        """An account as it is now; KeyError where there is none."""
        account = self._accounts[access_key]
        with account.lock, exactly():
            settle(account, self._floor, self._moment(faults))
        return account

    def respond(self, request: Request, faults: list[Fault]) -> Reply:
        """The answer to a signed request, failures included."""
        route = self.dialect.routes.get((request.method, request.path))
        if route is None:
            return self._said(Refused(405, "method_not_allowed"))
        plight = suffered([fault for fault in faults if fault.hits(route.group)])
        if plight.before is not None:
            return plight.failing(self._said(Refused(503, "server_error")))
        with exactly():
            reply = self._answer(request, route, plight, faults)
        return plight.failing(reply)

    def _answer(self, request: Request, route: Route, plight: Plight, faults: list[Fault]) -> Reply:
        try:
            account = self._who(request, route, plight)
        except Refused as refused:
            return self._said(refused, plight)
        verdict = self._limits[route.limit].check(account.access_key, route.limit, monotonic())
        if verdict.status != 200:
            reply = too_many(verdict.status, verdict.blocked_s)
        else:
            reply = self._served(account, request, route, plight, faults)
        return replace(reply, headers={**reply.headers, "Remaining-Req": verdict.remaining_req})

    def _who(self, request: Request, route: Route, plight: Plight) -> Account:
        account, claims = claims_of(request, self.dialect.algorithms, self._by_key)
        if self.dialect.has_time:
            check_time(claims, utcnow() + timedelta(seconds=plight.skew_s))
        if account.expires_at <= self._floor.now():
            raise Refused(401, "expired_access_key")
        if account.allowed_ips is not None and request.caller not in account.allowed_ips:
            raise Refused(401, "no_authorization_ip", "This is not a verified IP.")
        with account.lock:
            check_use(account, claims, request)
        if account.blocked:
            raise Refused(403, "blocked_member_id")
        if route.right is not None and route.right not in account.rights:
            raise Refused(403, "out_of_scope")
        return account

    def _by_key(self, access_key: str) -> Account:
        account = self._accounts.get(access_key)
        if account is None:
            raise Refused(401, "invalid_access_key")
        return account

    def _served(
        self,
        account: Account,
        request: Request,
        route: Route,
        plight: Plight,
        faults: list[Fault],
    ) -> Reply:
        try:
            if request.method == "DELETE" and request.body:
                raise Refused(400, "QUERY_PARAMETER_NOT_SUPPORTED")
            if plight.not_ready and request.path.endswith("/order"):
                raise Refused(422, "order_not_ready")
            with account.lock:
                settle(account, self._floor, self._moment(faults))
                asked = self._asked(account, request, faults)
                return as_json(*route.answer(asked))
        except Refused as refused:
            return self._said(refused, plight)

    def _asked(self, account: Account, request: Request, faults: list[Fault]) -> Asked:
        def take(account: Account, wish: Wish) -> Order:
            return self._take(account, wish, suffered_delay(faults))

        return Asked(
            account, fields_of(request), self._floor.names, self._tick_now, take, self._check
        )

    def _take(self, account: Account, wish: Wish, delay_s: float) -> Order:
        """Take an order, or refuse it. A name once heard is used up, also by a refused order."""
        self._check_name(account, wish)
        if wish.name is not None:
            account.names.add(wish.name)
        self._check(account, wish)
        now = self._floor.now()
        order = Order(
            ident=self.dialect.new_number(next(self._numbers)),
            market=wish.market,
            side=wish.side,
            kind=wish.kind,
            price=wish.price,
            volume=wish.volume,
            name=wish.name,
            in_force=wish.in_force,
            fee=account.fee,
            at=now,
            ripe_at=monotonic() + delay_s,
            seen_ms=to_ms(now) + 1,
        )
        account.take(order)
        return order

    def _check_name(self, account: Account, wish: Wish) -> None:
        if wish.name is None:
            return
        if not re.fullmatch(self.dialect.id_pattern, wish.name):
            raise Refused(400, "invalid_parameter", "잘못된 파라미터")
        if wish.name in account.names:
            raise Refused(400, "duplicated_identifier")

    def _check(self, account: Account, wish: Wish) -> None:
        """Refused unless the market is open to such an order and the account can pay for it."""
        last = self._floor.last(wish.market) if wish.market.startswith("KRW-") else None
        if last is None:
            raise Refused(400, "notfoundmarket", f"다음 마켓에 없는 종목입니다: {wish.market[:30]}")
        if wish.kind == LIMIT and wish.price is not None and wish.price % _tick_at(wish.price):
            raise Refused(400, f"off_tick_{wish.side}")
        total = _total(wish, last)
        if total < MIN_TOTAL:
            raise Refused(400, f"under_min_total_{wish.side}")
        if total > MAX_TOTAL:
            raise Refused(400, "over_krw_funds_bid")
        _check_funds(account, wish)

    def _tick_now(self, market: str) -> Decimal:
        return _tick_at(self._floor.last(market) or Decimal(1))

    def _moment(self, faults: list[Fault]) -> Moment:
        shares = [fault for fault in faults if fault.mode == "partial"]
        share = Decimal(str(shares[0].options.get("share", 0.5))) if shares else Decimal(1)
        return Moment(self._floor.now(), monotonic(), share)

    def _said(self, refused: Refused, plight: Plight | None = None) -> Reply:
        """A refusal in this exchange's words."""
        name = "invalid_parameter" if refused.name.startswith("off_tick") else refused.name
        status, name = self.dialect.names.get(refused.name, (refused.status, name))
        if plight is not None and plight.as_200:
            status = 200
        return as_json(status, {"error": {"name": name, "message": refused.message}})


def suffered_delay(faults: list[Fault]) -> float:
    """For how many seconds a new order stays as it is."""
    slow = next((fault for fault in faults if fault.mode == "slow_fill"), None)
    return float(str(slow.options.get("seconds", 5))) if slow else 0.0


def _tick_at(price: Decimal) -> Decimal:
    return from_units(tick("KRW", to_units(price)))


def _total(wish: Wish, last: Decimal) -> Decimal:
    """What an order moves in won, as far as one can tell before."""
    if wish.volume is None:
        return wish.price or Decimal(0)
    return wish.volume * (wish.price if wish.kind == LIMIT and wish.price else last)


def _check_funds(account: Account, wish: Wish) -> None:
    if wish.side == ASK:
        free, needs = account.purse.get(wish.market.split("-")[1]), wish.volume or Decimal(0)
    else:
        free = account.purse.get("KRW")
        total = (wish.price or Decimal(0)) * (wish.volume or Decimal(1))
        needs = total * (1 + account.fee)
    if (free or Pocket()).free < needs:
        raise Refused(400, f"insufficient_funds_{wish.side}", "주문 가능한 금액(KRW)이 부족합니다.")
