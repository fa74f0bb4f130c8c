"""The pages of making a question; reading one changes nothing, and the deed is done once."""

import re
from datetime import datetime
from decimal import Decimal
from uuid import uuid4

from flask import Blueprint, Response, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.domain.errors import AppError, Conflict, InvalidInput, NotFound
from app.domain.kst import floor_minute
from app.domain.votes import (
    MAX_FALL_PCT,
    MAX_RANGE_PCT,
    MIN_RANGE_PCT,
    Direction,
    Duration,
    Question,
    schedule,
    terms_for,
    threshold,
)
from app.i18n import gettext
from app.messages import message
from app.services import accounts, market, votes
from app.services.votes import Draft
from app.web.base_rates import Past, past
from app.web.filters import count
from app.web.making.choices import RANGE, SUMMARY, Choices, Progress, judge
from app.web.market import MAX_QUERY, coin_rows
from app.web.sessions import me, require_sign_in
from app.web.votes.fragments import fragment

bp = Blueprint("making", __name__, url_prefix="/create")
bp.before_request(require_sign_in)

QUICK_RANGES = (1, 3, 5, 10, 20)
#: For how far base rates are told before a range is chosen.
USUAL_RANGE = 5
COINS_SHOWN = 12
_TEMPLATES = ("coin", "duration", "range", "direction", "summary")
_REQUEST_KEY = re.compile(r"[0-9a-f]{32}")


@bp.get("")
def show() -> str:
    """The first step that is still open or wrong, or an earlier one on request."""
    now, choices = utcnow(), Choices.of(request.args)
    progress = _judged(choices, now)
    wanted = request.args.get("step", SUMMARY, type=int)
    step = min(progress.step, wanted) if wanted >= 1 else progress.step
    return render_template(
        f"making/{_TEMPLATES[step - 1]}.html",
        now=now,
        choices=choices,
        progress=progress,
        step=step,
        error=_sentence(_wrong(progress)) if step == progress.step else "",
        terms=terms_for(is_staff=me().is_staff),
        **_FACTS[step - 1](progress, now),
    )


@bp.post("")
def create() -> ResponseReturnValue:
    """Ask the question and pay for it; the same summary sent twice is one question, paid once."""
    now, choices = utcnow(), Choices.of(request.form)
    progress, key = _judged(choices, now), request.form.get("request_key", "")
    if progress.coin is None or progress.asked is None or not _REQUEST_KEY.fullmatch(key):
        return redirect(choices.url(), 303)
    draft = Draft(progress.coin.code, progress.asked)
    try:
        vote_id = votes.open_vote(user_id=me().id, draft=draft, request_key=key, now=now)
    except AppError as error:
        flash(message(error.code, error.params), "error")
        return redirect(choices.url(), 303)
    flash(_made(), "success")
    return redirect(f"/votes/{vote_id}", 303)


@bp.get("/rates")
def rates() -> Response:
    """How often the coin moved as far as is typed; nothing for a range that doesn't hold."""
    now, choices = utcnow(), Choices.of(request.args)
    progress = _judged(choices, now)
    if progress.coin is None or progress.duration is None:
        raise NotFound
    return fragment(render_template("making/_rates.html", **_rates(progress, now)))


def _made() -> str:
    person = accounts.get_user(me().id)
    left = count(person.points if person else 0)
    return gettext("질문을 만들었어요. 고래밥이 %(left)s개 남았어요.", left=left)


def _judged(choices: Choices, now: datetime) -> Progress:
    return judge(choices, {coin.code: coin for coin in market.catalogue(now)})


def _wrong(progress: Progress) -> AppError | None:
    """What is wrong at the step shown; a range that was sent without a number is, too."""
    if progress.step == RANGE and not request.args.get("range", "?").strip():
        return InvalidInput("range", "range_not_whole", low=MIN_RANGE_PCT, high=MAX_RANGE_PCT)
    return progress.error


def _sentence(error: AppError | None) -> str:
    return message(error.code, error.params) if error else ""


def _coins(_progress: Progress, now: datetime) -> dict[str, object]:
    """The coins that fit the search, the most traded ones without it."""
    query = request.args.get("q", "").strip()[:MAX_QUERY]
    traded = [coin for coin in market.catalogue(now) if coin.is_active]
    rows = coin_rows(traded, query, now)
    return {"query": query, "rows": rows[:COINS_SHOWN], "found": len(rows)}


def _durations(_progress: Progress, now: datetime) -> dict[str, object]:
    plans = [(term, schedule(term, now)) for term in Duration]
    return {"plans": plans, "start": floor_minute(now)}


def _ranges(progress: Progress, now: datetime) -> dict[str, object]:
    return {
        **_rates(progress, now),
        "goals": _goals(progress),
        "quick": QUICK_RANGES,
        "low": MIN_RANGE_PCT,
        "high": MAX_RANGE_PCT,
        "fall": MAX_FALL_PCT,
    }


def _goals(progress: Progress) -> dict[str, Decimal]:
    """The target price of each direction, once a price and a range that holds are at hand."""
    price, pct = progress.coin.price if progress.coin else None, progress.range_pct
    if price is None or pct is None:
        return {}
    possible = [way for way in Direction if way is Direction.UP or pct <= MAX_FALL_PCT]
    return {str(way): threshold(price, Question(way, Duration.DAY, pct)) for way in possible}


def _rates(progress: Progress, now: datetime) -> dict[str, object]:
    """How often the coin moved that far each way; of 5 % as long as no range is chosen."""
    pct = progress.range_pct
    if pct is None and not (progress.step == RANGE and progress.error):
        pct = USUAL_RANGE
    found: dict[str, Past] = {}
    if progress.coin is not None and progress.duration is not None and pct is not None:
        for way in Direction:
            asked = Question(way, progress.duration, pct)
            rate = market.base_rate(coin_id=progress.coin.id, asked=asked, now=now)
            told = past(rate, progress.duration)
            if told is not None and (way is Direction.UP or pct <= MAX_FALL_PCT):
                found[str(way)] = told
    return {"rates": found, "rates_pct": pct}


def _summary(progress: Progress, now: datetime) -> dict[str, object]:
    """Everything to know before paying: cost, deadlines, price, whether one asks it already."""
    if progress.coin is None or progress.asked is None:
        raise RuntimeError("the summary is reached with every part chosen")
    draft = Draft(progress.coin.code, progress.asked)
    cost, balance = terms_for(is_staff=me().is_staff).creation_cost, me().points
    return {
        **_rates(progress, now),
        "plan": schedule(draft.asked.duration, now),
        "start": floor_minute(now),
        "goals": _goals(progress),
        "refusal": _refusal(draft, now),
        "missing": max(0, cost - balance),
        "balance": balance,
        "twin": votes.find_twin(draft=draft, user_id=me().id, now=now),
        "number": votes.made_so_far(user_id=me().id) + 1,
        "request_key": uuid4().hex,
    }


def _refusal(draft: Draft, now: datetime) -> str:
    """Why no question can start from the present price; "" where one can."""
    try:
        votes.start_price(coin_code=draft.coin_code, now=now)
    except Conflict as error:
        return _sentence(error)
    return ""


_FACTS = (_coins, _durations, _ranges, _ranges, _summary)
