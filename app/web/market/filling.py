"""How far the candles are filled, for staff."""

from decimal import Decimal

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.clock import utcnow
from app.domain.market import CandleUnit
from app.i18n import gettext
from app.services import market
from app.services.market import FillProgress
from app.web.filters import shares
from app.web.sessions import me, require_sign_in

bp = Blueprint("filling", __name__)
bp.before_request(require_sign_in)

#: More lines than this help nobody; the command line tells them all.
MOST_FAILING = 50


@bp.get("/staff/candles")
def show() -> ResponseReturnValue:
    """What is known and what is missing, at what pace it comes, and what could not be had."""
    if not me().is_staff:
        abort(403)
    progress = market.fill_progress(utcnow())
    failing = [
        (one, _unit_words(one.unit), _problem_words(one.problem))
        for one in progress.failing[:MOST_FAILING]
    ]
    return render_template(
        "market/filling.html",
        progress=progress,
        units=[(_unit_words(unit.unit), unit) for unit in progress.units],
        bars=_bars(progress),
        pace=_pace(progress),
        failing=failing,
    )


def _bars(progress: FillProgress) -> list[tuple[str, Decimal, str]]:
    """Per unit: its name and the share of coins whose candles are known."""
    return [
        (_unit_words(unit.unit), shares(unit.known, unit.wanted - unit.known)[0], "")
        for unit in progress.units
        if unit.wanted
    ]


def _pace(progress: FillProgress) -> Decimal | None:
    return None if progress.calls_per_s is None else round(Decimal(progress.calls_per_s), 1)


def _unit_words(unit: CandleUnit) -> str:
    names = {
        CandleUnit.DAY: gettext("일봉"),
        CandleUnit.HOUR: gettext("시간봉"),
        CandleUnit.MINUTE: gettext("분봉"),
    }
    return names[unit]


def _problem_words(problem: str) -> tuple[str, str]:
    """What went wrong in words and how bad it is, by the kind before the colon."""
    known = {
        "UnknownMarket": (gettext("거래소에 시장이 없어요"), "danger"),
        "Implausible": (gettext("아는 값과 어긋나요"), "warn"),
    }
    unanswered = (gettext("쓸 수 있는 답이 없어요"), "warn")
    return known.get(problem.partition(":")[0], unanswered)
