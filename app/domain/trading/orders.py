"""The rules of a bot's orders: what a silence means, when to try again, and the last check."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal, localcontext
from enum import StrEnum

from app.domain.exchanges import MarketRules, OrderIntent, OrderReport, OrderState, Side
from app.domain.trading.limits import Limits, Refusal, Standing, refuse_entry
from app.domain.trading.ticks import Ticks

#: An order may be under way for so long before "no such order" means anything …
ARRIVES_WITHIN = timedelta(seconds=20)
#: … and it means that the order never arrived only when it is said again so much later.
SAID_AGAIN_AFTER = timedelta(seconds=5)
#: A purchase that is still open after this is taken off: its price was of another moment.
STALE_AFTER = timedelta(minutes=1)
#: So many times a purchase is tried on one day when each was surely not made.
MOST_ENTRIES = 5
_FIRST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=10)
_EXACT = Context(prec=60)
_COST_STEP = Decimal("0.00000001")
_ZERO = Decimal(0)


class Silence(StrEnum):
    """What "no such order" means for an order whose outcome is unknown."""

    TOO_EARLY = "too_early"
    ASK_AGAIN = "ask_again"
    NEVER_ARRIVED = "never_arrived"


def judge_silence(*, sent_at: datetime, missed_at: datetime | None, now: datetime) -> Silence:
    """What it means that the exchange doesn't know an order.

    `missed_at` is when it said so first, after the time an order may need to arrive. Said once it
    proves nothing: exchanges say it of orders, too, that are on their way inside.
    """
    if now < sent_at + ARRIVES_WITHIN:
        return Silence.TOO_EARLY
    if missed_at is None or now < missed_at + SAID_AGAIN_AFTER:
        return Silence.ASK_AGAIN
    return Silence.NEVER_ARRIVED


def state_after(known: OrderState, report: OrderReport) -> OrderState:
    """The state of an order after the exchange's answer. What is over stays over.

    A state that the exchange has and we don't know is an open one: it has the order.
    """
    if known.is_final:
        return known
    return report.state if report.state.is_final else OrderState.OPEN


@dataclass(frozen=True, slots=True)
class Tried:
    """An earlier order of the same signal: what became of it, and when that was known."""

    state: OrderState
    executed_volume: Decimal
    ended_at: datetime | None

    @property
    def came_to_nothing(self) -> bool:
        """The exchange surely never had it, or refused it: it is as if it hadn't been."""
        given_up = self.state in (OrderState.NEVER_SENT, OrderState.REJECTED)
        return given_up and not self.executed_volume


def may_enter(tried: Iterable[Tried], now: datetime) -> bool:
    """Whether a coin may be bought on a day on which these purchases were tried before.

    Only when each of them came to nothing, at most five times, after a pause that doubles.
    """
    attempts = list(tried)
    if len(attempts) >= MOST_ENTRIES or not all(one.came_to_nothing for one in attempts):
        return False
    return _has_rested(attempts, now)


def may_exit(tried: Iterable[Tried], now: datetime) -> bool:
    """Whether to sell (again) what these sales left: not before the last one is over.

    A sale that brought something is followed at once, one that came to nothing after a pause.
    """
    attempts = list(tried)
    if not all(one.state.is_final for one in attempts):
        return False
    failed = [one for one in attempts if not one.executed_volume]
    return _has_rested(failed, now)


def _has_rested(failed: list[Tried], now: datetime) -> bool:
    ends = [one.ended_at for one in failed if one.ended_at is not None]
    if not ends:
        return True
    pause = min(_FIRST_PAUSE * 2.0 ** min(len(failed) - 1, 10), _LONGEST_PAUSE)
    return now >= max(ends) + pause


@dataclass(frozen=True, slots=True)
class Traded:
    """What one order of a market came to; `day` is the exchange's."""

    side: Side
    volume: Decimal
    funds: Decimal
    day: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Bought:
    """What a bot holds of a market by its own orders: coins, what they cost without fees, since."""

    volume: Decimal
    cost: Decimal
    day: date
    since: datetime

    @property
    def price(self) -> Decimal:
        """The average price paid."""
        return self.cost / self.volume


def bought_by(trades: Iterable[Traded]) -> Bought | None:
    """What all orders of one market, oldest first, leave; None for nothing.

    Sales take their part of the cost, rounded to 1e-8 won. A rest that was too small to be sold
    becomes part of the next purchase, and is of its day.
    """
    held: Bought | None = None
    with localcontext(_EXACT):
        for trade in trades:
            held = _after(held, trade) if trade.volume else held
    return held


def _after(held: Bought | None, trade: Traded) -> Bought | None:
    if trade.side is Side.BUY:
        if held is None:
            return Bought(trade.volume, trade.funds, trade.day, trade.at)
        volume, cost = held.volume + trade.volume, held.cost + trade.funds
        return Bought(volume, cost, trade.day, held.since)
    if held is None or trade.volume >= held.volume:
        return None
    left = held.volume - trade.volume
    cost = (held.cost * left / held.volume).quantize(_COST_STEP, ROUND_HALF_EVEN)
    return Bought(left, cost, held.day, held.since)


class Objection(StrEnum):
    """Why an order isn't sent, found at the last moment."""

    NOT_RUNNING = "not_running"
    SERVER_SAYS_NO = "server_says_no"
    PERSON_SAYS_NO = "person_says_no"
    KEY_SAYS_NO = "key_says_no"
    MARKET_CLOSED = "market_closed"
    UNDER_MINIMUM = "under_minimum"
    OVER_MAXIMUM = "over_maximum"
    OFF_TICK = "off_tick"
    MORE_THAN_BOUGHT = "more_than_bought"


@dataclass(frozen=True, slots=True)
class Yeses:
    """The three yeses that real money needs: the server's, the person's, the key's."""

    server: bool
    person: bool
    key: bool

    def missing(self) -> Objection | None:
        """The first no."""
        if not self.server:
            return Objection.SERVER_SAYS_NO
        if not self.person:
            return Objection.PERSON_SAYS_NO
        return None if self.key else Objection.KEY_SAYS_NO


@dataclass(frozen=True, slots=True)
class LastCheck:
    """All that an order is held against right before it is sent.

    `yeses` is None where nothing real is spent. `is_allowed` says that the bot's state allows such
    an order. `bought` is what the bot holds by its own orders, `last` the price the order goes by
    (None: unknown, then the exchange judges a sale's size).
    """

    rules: MarketRules
    limits: Limits
    standing: Standing
    yeses: Yeses | None
    is_allowed: bool
    bought: Decimal
    last: Decimal | None
    day: date

    def object_to(self, intent: OrderIntent, now: datetime) -> Objection | Refusal | None:
        """Why this order must not be sent now; None lets it go.

        The state, the three yeses, the exchange's own rules, what was bought, then the limits.
        """
        if not self.is_allowed:
            return Objection.NOT_RUNNING
        missing = self.yeses.missing() if self.yeses is not None else None
        if missing is not None:
            return missing
        broken = self._breaks_rules(intent)
        if broken is not None:
            return broken
        if intent.side is Side.SELL:
            too_much = (intent.volume or _ZERO) > self.bought
            return Objection.MORE_THAN_BOUGHT if too_much else None
        funds = self._total(intent) or _ZERO
        return refuse_entry(funds, limits=self.limits, standing=self.standing, now=now)

    def _breaks_rules(self, intent: OrderIntent) -> Objection | None:
        if not self.rules.is_open:
            return Objection.MARKET_CLOSED
        total = self._total(intent)
        if total is not None and total < self.rules.min_total:
            return Objection.UNDER_MINIMUM
        most = self.rules.max_total
        if total is not None and most is not None and total > most:
            return Objection.OVER_MAXIMUM
        return Objection.OFF_TICK if self._is_off_tick(intent) else None

    def _total(self, intent: OrderIntent) -> Decimal | None:
        if intent.funds is not None:
            return intent.funds
        price = intent.price or self.last
        return None if price is None or intent.volume is None else intent.volume * price

    def _is_off_tick(self, intent: OrderIntent) -> bool:
        price = intent.price
        return price is not None and price % Ticks(self.rules.tick).step(price, self.day) != 0
