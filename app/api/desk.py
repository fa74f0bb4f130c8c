"""What the trading desk's client asks for: one's coins, and the twenty that are traded most."""

from collections import Counter
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TypedDict
from urllib.parse import urlsplit

from flask import Response, request
from flask_login import current_user
from werkzeug.exceptions import Forbidden, HTTPException, Unauthorized

from app.api.room import room
from app.api.shapes import krname
from app.api.told import tells
from app.api.wire import answer, cached
from app.clock import utcnow
from app.domain.errors import Conflict, InvalidInput
from app.domain.kst import log_stamp, to_kst
from app.domain.market import Candle
from app.domain.runs import BotMode
from app.messages import message, run_line
from app.services import exchanges, market
from app.services.exchanges import Owned
from app.services.market import CatalogueCoin
from app.services.trading import bots, lines
from app.wiring import live_trading

bp = room("desk", "/coin")

_PLACES = Decimal("1e-8")


class LiveRow(TypedDict):
    """A coin of this moment; all but the price counts from 09:00 in Korea, when Upbit's day begins.

    `chgRate` is in percent, `value` the won traded. `accu_price` and `chg_rate` say the same again
    for clients that know them by these names.
    """

    ticker: str
    cur_price: Decimal
    chgAmt: Decimal
    chgRate: Decimal
    value: float
    accu_price: float
    chg_rate: Decimal


class DayRow(TypedDict):
    """The last finished day of a coin; `datetime` is when it began. Without one all is empty."""

    name: str
    ticker: str
    datetime: str
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: float


class OwnedRow(TypedDict):
    """A coin one owns, and the last finished day of it.

    `buy_price` is 0 where the exchange tells none. `buy_time` is when our bot bought it, else when
    the account was linked, for exchanges don't say; `fee` is what our bot paid for it in won.
    """

    name: str
    ticker: str
    buy_price: Decimal
    buy_time: str
    quantity: Decimal
    fee: Decimal
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: float


class Toggled(TypedDict, total=False):
    """`status` is `Auto` when the bot was started, `log` holds the run's lines when it was not."""

    status: str
    log: list[str]


#: The client draws one line that says that there is nothing.
NO_DAY: DayRow = {
    "name": "",
    "ticker": "",
    "datetime": "",
    "open": Decimal(0),
    "high": Decimal(0),
    "low": Decimal(0),
    "close": Decimal(0),
    "volume": 0,
}


@bp.get("", strict_slashes=False)
@tells({200: list[OwnedRow], 401: list[OwnedRow]})
def owned() -> Response:
    """One's coins over all linked accounts, the most valuable first. 401 and `[]` for strangers."""
    person = _person()
    now = utcnow()
    exchanges.note_look(user_id=person, now=now)
    days = market.last_finished_day(now)
    rows = exchanges.owned_coins(user_id=person, now=now)
    return answer([_owned_row(row, days.get(row.coin.id) if row.coin else None) for row in rows])


@bp.get("/clientassets", strict_slashes=False)
@tells({200: dict[str, LiveRow], 401: dict})
def owned_live() -> Response:
    """One's coins of this moment, by code; without a price: absent. 401 and `{}` for strangers."""
    person = _person()
    now = utcnow()
    exchanges.note_look(user_id=person, now=now)
    coins = [row.coin for row in exchanges.owned_coins(user_id=person, now=now) if row.coin]
    rows = [_live_row(coin) for coin in coins if coin.is_active]
    return answer({row["ticker"]: row for row in rows if row is not None})


@bp.get("/tickers_20", strict_slashes=False)
@tells({200: dict[str, LiveRow]})
def tickers() -> Response:
    """The twenty with the largest turnover of 24 hours, by code; not traded yet: absent."""
    rows = [_live_row(coin) for coin in market.live_board(utcnow()).top]
    return cached({row["ticker"]: row for row in rows if row is not None})


@bp.get("/tickers_db", strict_slashes=False)
@tells({200: list[DayRow]})
def days() -> Response:
    """The newest finished day of each of the twenty; one empty row while none is known."""
    now = utcnow()
    known = market.last_finished_day(now)
    top = market.live_board(now).top
    rows = [_day_row(coin, known[coin.id]) for coin in top if coin.id in known]
    return cached(rows or [NO_DAY])


@bp.get("/start", strict_slashes=False)
@tells({200: Toggled, 401: dict}, example={"status": "Auto"})
def toggle() -> Response:
    """Start one's bot, `{"status": "Auto"}`, or stop it, `{"log": […]}`. 401, `{}` for strangers.

    The bot on paper, unless real money was allowed on our own page. What keeps it from starting is
    the log's last line. Only our own pages may ask: what another site has a browser ask is 403.
    """
    person, now = _person(), utcnow()
    is_ours = _is_asked_by_our_page()
    if is_ours is False:
        raise Forbidden
    yeses = bots.live_yeses(user_id=person, live_trading=live_trading())
    mode = BotMode.LIVE if is_ours and yeses.missing() is None else BotMode.PAPER
    if bots.get_bot(user_id=person, mode=mode).is_on:
        bots.stop_bot(user_id=person, mode=mode, now=now)
        return answer({"log": _log(person, mode)})
    try:
        bots.start_bot(user_id=person, mode=mode, live_trading=live_trading(), now=now)
    except (Conflict, InvalidInput) as error:
        said = message(error.code, error.params)
        return answer({"log": [*_log(person, mode), f"{log_stamp(now)} {said}"]})
    return answer({"status": "Auto"})


def _log(person: int, mode: BotMode) -> list[str]:
    """The last run's lines, oldest first; equal ones are numbered, for the client keys by them."""
    bot = bots.get_bot(user_id=person, mode=mode)
    told = [] if bot.id is None else lines.list_lines(user_id=person, bot_id=bot.id)
    texts = [f"{log_stamp(one.at)} {run_line(one.code, one.params)}" for one in reversed(told)]
    seen: Counter[str] = Counter()
    distinct = []
    for text in texts:
        seen[text] += 1
        distinct.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return distinct


def _is_asked_by_our_page() -> bool | None:
    """Whether a page of ours has the browser ask; None where the request says nothing of it."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    came_from = request.headers.get("Origin") or request.referrer
    return None if came_from is None else urlsplit(came_from).netloc == request.host


def _person() -> int:
    """Who is signed in in this browser: the client has no tokens, and nobody is remembered."""
    if not current_user.is_authenticated:
        raise Unauthorized
    return int(current_user.id)


def _failed(error: HTTPException) -> Response:
    """The client draws whatever comes: an error in place of an array leaves its page white."""
    nothing: dict[str, object] = {"/coin": [], "/coin/tickers_db": [NO_DAY]}
    response = answer(nothing.get(request.path.rstrip("/"), {}), error.code or 500)
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


bp.register_error_handler(HTTPException, _failed)


def _owned_row(row: Owned, day: Candle | None) -> OwnedRow:
    nothing = Decimal(0)
    return {
        "name": krname(row.coin.korean_name) if row.coin else row.code,
        "ticker": row.code,
        "buy_price": nothing if row.avg_price is None else row.avg_price,
        "buy_time": _with_offset(row.since),
        "quantity": row.quantity,
        "fee": row.fee,
        "open": day.open if day else nothing,
        "high": day.high if day else nothing,
        "low": day.low if day else nothing,
        "close": day.close if day else nothing,
        "volume": day.volume if day else 0,
    }


def _live_row(coin: CatalogueCoin) -> LiveRow | None:
    """None for a coin of which the exchange hasn't said all: nothing is made up."""
    if coin.price is None or coin.prev_close is None or coin.turnover_today is None:
        return None
    moved = coin.price - coin.prev_close
    rate = _percent(moved, coin.prev_close)
    return {
        "ticker": coin.code,
        "cur_price": coin.price,
        "chgAmt": moved,
        "chgRate": rate,
        "value": coin.turnover_today,
        "accu_price": coin.turnover_today,
        "chg_rate": rate,
    }


def _percent(moved: Decimal, start: Decimal) -> Decimal:
    share = (100 * moved / start).quantize(_PLACES, ROUND_HALF_EVEN).normalize()
    return share + 0  # a fall that rounds to nothing is no "-0"


def _day_row(coin: CatalogueCoin, day: Candle) -> DayRow:
    return {
        "name": krname(coin.korean_name),
        "ticker": coin.code,
        "datetime": _with_offset(day.opened_at),
        "open": day.open,
        "high": day.high,
        "low": day.low,
        "close": day.close,
        "volume": day.volume,
    }


def _with_offset(moment: datetime) -> str:
    """True to its zone, `2026-11-19T09:00:00+09:00`: the client shows it on a Korean clock."""
    return to_kst(moment).isoformat()
