"""Backtests over JSON: ask, follow, read, cancel."""

from typing import TypedDict

from flask import Response

from app.api.body import Body, Fields, Text, takes
from app.api.once import answer_once
from app.api.room import API, caller, room, signed_in
from app.api.told import tells
from app.api.wire import cached, empty, exact, utc_text
from app.clock import utcnow
from app.domain.runs import BacktestState
from app.domain.trading import typed_backtest
from app.domain.trading.settings import Plays
from app.extensions import limiter
from app.services.idempotency import Kept
from app.services.tokens import Bearer
from app.services.trading import backtests
from app.services.trading.backtests import BacktestRow
from app.services.trading.results import BacktestResult

bp = room("backtests", f"{API}/desk/backtests")

#: A backtest keeps the server busy for seconds.
ASK_LIMIT = "10/minute;100/hour"
_HERE = {"not_found": 404}
_ASK_CODES = {
    "bot_coins_count": 400,
    "bot_coins_twice": 400,
    "coin_unknown": 400,
    "strategy_unknown": 400,
    "not_a_number": 400,
    "setting_out_of_bounds": 400,
    "setting_too_fine": 400,
    "grid_size": 400,
    "means_out_of_order": 400,
    "backtests_unfinished": 409,
}


class NewBacktest(Body):
    """What to calculate. Numbers are texts, so that no digit is lost; what is left out is usual.

    Fee, slippage and stop-loss are percentages; an empty text is none.
    """

    codes = Text(required=True, metadata={"examples": ["BTC,ETH"]})
    plays = Text(metadata={"enum": list(Plays), "default": "breakout", "examples": ["breakout"]})
    days = Text(metadata={"default": "365", "examples": ["365"]})
    k_first = Text(metadata={"default": "0.1", "examples": ["0.1"]})
    k_last = Text(metadata={"default": "0.9", "examples": ["0.9"]})
    k_step = Text(metadata={"default": "0.1", "examples": ["0.1"]})
    window = Text(metadata={"default": "30", "examples": ["30"]})
    fee = Text(metadata={"default": "0.05", "examples": ["0.05"]})
    slippage = Text(metadata={"default": "0.1", "examples": ["0.1"]})
    mean_days = Text(metadata={"default": "", "examples": ["5"]})
    stop_loss = Text(metadata={"default": "", "examples": ["3"]})
    short = Text(metadata={"default": "5", "examples": ["5"]})
    long = Text(metadata={"default": "20", "examples": ["20"]})
    capital = Text(metadata={"default": "1000000", "examples": ["1000000"]})


class BacktestMade(TypedDict):
    """The number of the backtest that waits now."""

    backtest_id: int


class BacktestOut(TypedDict):
    """A backtest: what was asked, and how many of how many steps are done."""

    id: int
    state: BacktestState
    settings: dict[str, str]
    done: int
    total: int
    created_at: str | None
    started_at: str | None
    finished_at: str | None


class BacktestWithResult(BacktestOut):
    """One with its result: null until it is done, and where results are told otherwise by now."""

    result: BacktestResult | None


@bp.get("", strict_slashes=False)
@tells({200: list[BacktestOut]})
@signed_in
def index(who: Bearer) -> Response:
    """One's own backtests, the newest first; 20 are kept."""
    return cached([_told(row) for row in backtests.list_backtests(user_id=who.person.id)])


@bp.post("", strict_slashes=False)
@tells({201: BacktestMade}, codes=_ASK_CODES, keyed=True)
@limiter.limit(ASK_LIMIT, key_func=caller)
@signed_in
@takes(NewBacktest)
def ask(body: Fields, who: Bearer) -> Response:
    """Put a backtest into the queue. `Idempotency-Key` makes asking twice harmless."""
    user_id, settings, now = who.person.id, typed_backtest(body), utcnow()
    return answer_once(
        user_id=user_id,
        keyed=lambda key: backtests.ask_once(
            asked=key, user_id=user_id, settings=settings, told=_made, now=now
        ),
        plain=lambda: _made(backtests.ask(user_id=user_id, settings=settings, now=now)),
    )


@bp.get("/<int:backtest_id>", strict_slashes=False)
@tells({200: BacktestWithResult}, codes=_HERE)
@signed_in
def show(who: Bearer, backtest_id: int) -> Response:
    """One of one's own; unchanged, it costs an empty 304, so it may be asked for every second."""
    found = backtests.get_backtest(user_id=who.person.id, backtest_id=backtest_id)
    told: BacktestWithResult = {**_told(found.row), "result": found.result}
    return cached(told)


@bp.delete("/<int:backtest_id>", strict_slashes=False)
@tells({204: None}, codes=_HERE)
@signed_in
def cancel(who: Bearer, backtest_id: int) -> Response:
    """Have it end: at once where it waits, within a second where it runs; again is harmless."""
    backtests.cancel(user_id=who.person.id, backtest_id=backtest_id, now=utcnow())
    return empty(204)


def _made(backtest_id: int) -> Kept:
    made: BacktestMade = {"backtest_id": backtest_id}
    return Kept(201, exact(made))


def _told(row: BacktestRow) -> BacktestOut:
    return {
        "id": row.id,
        "state": row.state,
        "settings": row.settings.as_texts(),
        "done": row.done,
        "total": row.total,
        "created_at": utc_text(row.created_at),
        "started_at": utc_text(row.started_at),
        "finished_at": utc_text(row.finished_at),
    }
