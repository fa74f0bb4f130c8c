"""One's bots over JSON: how they do, their settings, start, stop, and the halt of everything."""

from decimal import Decimal
from typing import TypedDict

from flask import Response

from app.api.body import Body, Fields, Text, takes
from app.api.room import API, room, signed_in
from app.api.told import tells
from app.api.wire import answer, cached, utc_text
from app.clock import utcnow
from app.domain.errors import InvalidInput
from app.domain.exchanges import ExchangeName
from app.domain.runs import BotMode, BotState, LogKind
from app.domain.trading import typed_settings
from app.messages import run_line
from app.services.tokens import Bearer
from app.services.trading import bots, lines, views
from app.wiring import live_trading

bp = room("desk-bots", f"{API}/desk/bots")

_HERE = {"not_found": 404}
_START_CODES = _HERE | {
    "bot_halted": 409,
    "bot_is_stopping": 409,
    "bot_not_settled": 409,
    "bot_coin_unknown": 400,
    "live_trading_off": 409,
    "live_not_confirmed": 409,
    "live_key_not_good": 409,
}
_SETTING_CODES = _HERE | {
    "bot_is_on": 409,
    "capital_is_invested": 409,
    "live_key_not_good": 409,
    "bot_coins_count": 400,
    "bot_coins_twice": 400,
    "bot_coin_unknown": 400,
    "strategy_unknown": 400,
    "not_a_number": 400,
    "setting_out_of_bounds": 400,
    "setting_too_fine": 400,
    "means_out_of_order": 400,
}


class NewSettings(Body):
    """A bot's settings, each as text; "" for none. What is left out becomes the usual value."""

    codes = Text(metadata={"examples": ["BTC ETH"]})
    plays = Text(metadata={"enum": ["breakout", "crossing"], "examples": ["breakout"]})
    capital = Text(metadata={"examples": ["1000000"]})
    k = Text(metadata={"examples": ["0.5"]})
    window = Text(metadata={"examples": ["30"]})
    mean_days = Text(metadata={"examples": [""]})
    short = Text(metadata={"examples": ["5"]})
    long = Text(metadata={"examples": ["20"]})
    stop_loss = Text(metadata={"examples": ["3"]})
    share = Text(metadata={"examples": ["25"]})
    per_order = Text(metadata={"examples": ["500000"]})
    per_day = Text(metadata={"examples": [""]})
    daily_loss = Text(metadata={"examples": ["3"]})
    rest = Text(metadata={"examples": ["6"]})


class Halt(Body):
    """`sells`: `"yes"` to sell at the market what the bots bought, too."""

    sells = Text(metadata={"enum": ["yes", "no"], "examples": ["no"]})


class BotTargetOut(TypedDict):
    """One coin of a bot today; without a plan `target` is null, and nothing is bought."""

    market: str
    k: Decimal | None
    open: Decimal | None
    target: Decimal | None
    price: Decimal | None
    is_held: bool
    has_traded: bool


class BotLineOut(TypedDict):
    """A line of the last run's log."""

    at: str | None
    kind: LogKind
    code: str
    text: str


class BotOut(TypedDict):
    """A bot; `worth`, `start_worth`, `fees` in won are null before its first run."""

    mode: BotMode
    exchange: ExchangeName
    state: BotState
    confirmed_at: str | None
    halted_at: str | None
    run_started_at: str | None
    end_reason: str | None
    worth: Decimal | None
    start_worth: Decimal | None
    hold_worth: Decimal | None
    fees: Decimal | None
    orders: int
    settings: dict[str, str]
    targets: list[BotTargetOut]
    log: list[BotLineOut]


@bp.get("", strict_slashes=False)
@tells({200: list[BotOut]})
@signed_in
def index(who: Bearer) -> Response:
    """One's two bots, on paper and live, whether they were ever started or not."""
    return cached([_bot(who, mode) for mode in BotMode])


@bp.get("/<mode:mode>", strict_slashes=False)
@tells({200: BotOut}, codes=_HERE)
@signed_in
def show(who: Bearer, mode: BotMode) -> Response:
    """The bot on `paper`, or the `live` one."""
    return cached(_bot(who, mode))


@bp.put("/<mode:mode>/settings", strict_slashes=False)
@tells({200: BotOut}, codes=_SETTING_CODES)
@signed_in
@takes(NewSettings)
def save(body: Fields, who: Bearer, mode: BotMode) -> Response:
    """Set a bot up, while it is off or halted."""
    settings = typed_settings(body)
    bots.save_settings(user_id=who.person.id, mode=mode, settings=settings, now=utcnow())
    return answer(_bot(who, mode))


@bp.post("/<mode:mode>/start", strict_slashes=False)
@tells({200: BotOut}, codes=_START_CODES)
@signed_in
def start(who: Bearer, mode: BotMode) -> Response:
    """Let a bot run; one that runs goes on. Real money is allowed on our own page alone."""
    bots.start_bot(user_id=who.person.id, mode=mode, live_trading=live_trading(), now=utcnow())
    return answer(_bot(who, mode))


@bp.post("/<mode:mode>/stop", strict_slashes=False)
@tells({200: BotOut}, codes=_HERE)
@signed_in
def stop(who: Bearer, mode: BotMode) -> Response:
    """Begin nothing new; what was bought stays. Again is harmless."""
    bots.stop_bot(user_id=who.person.id, mode=mode, now=utcnow())
    return answer(_bot(who, mode))


@bp.post("/halt", strict_slashes=False)
@tells({200: list[BotOut]}, codes={"choice_unknown": 400})
@signed_in
@takes(Halt)
def halt(body: Fields, who: Bearer) -> Response:
    """The kill switch for all one's bots: from this answer on nothing is bought. Again is fine."""
    sells = body.get("sells", "no")
    if sells not in ("yes", "no"):
        raise InvalidInput("sells", "choice_unknown")
    bots.halt_all(user_id=who.person.id, sells=sells == "yes", now=utcnow())
    return answer([_bot(who, mode) for mode in BotMode])


@bp.post("/lift", strict_slashes=False)
@tells({200: list[BotOut]}, codes={"bot_not_settled": 409})
@signed_in
def lift(who: Bearer) -> Response:
    """Let halted bots be started again; they stay off."""
    bots.lift_halt(user_id=who.person.id, now=utcnow())
    return answer([_bot(who, mode) for mode in BotMode])


def _bot(who: Bearer, mode: BotMode) -> BotOut:
    now = utcnow()
    bot = bots.get_bot(user_id=who.person.id, mode=mode)
    standing = views.standing_of(bot=bot, now=now)
    told = [] if bot.id is None else lines.list_lines(user_id=who.person.id, bot_id=bot.id)
    return {
        "mode": bot.mode,
        "exchange": bot.exchange,
        "state": bot.state,
        "confirmed_at": utc_text(bot.confirmed_at),
        "halted_at": utc_text(bot.halted_at),
        "run_started_at": utc_text(bot.run_started_at),
        "end_reason": bot.end_reason,
        "worth": standing.worth if standing else None,
        "start_worth": standing.start if standing else None,
        "hold_worth": standing.hold if standing else None,
        "fees": standing.fees if standing else None,
        "orders": standing.orders if standing else 0,
        "settings": bot.settings.as_texts(),
        "targets": [_target(one) for one in views.list_targets(bot=bot, now=now)],
        "log": [
            {
                "at": utc_text(one.at),
                "kind": one.kind,
                "code": one.code,
                "text": run_line(one.code, one.params),
            }
            for one in told
        ],
    }


def _target(one: views.TargetView) -> BotTargetOut:
    return {
        "market": one.market,
        "k": one.k,
        "open": one.open,
        "target": one.target,
        "price": one.price,
        "is_held": one.is_held,
        "has_traded": one.has_traded,
    }
