"""One vote: the question, where the price stands, everybody's answers, the result."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Blueprint, Response, render_template, request

from app.clock import utcnow
from app.domain.base_rates import BaseRate
from app.domain.errors import NotFound
from app.domain.market import is_fresh
from app.domain.votes import Choice, Direction, Duration, VoteState
from app.i18n import gettext
from app.services import market, votes
from app.services.votes import VoteDetail, VoteView
from app.web import filters
from app.web.base_rates import past, past_at_creation
from app.web.cards import stage, until_result
from app.web.chart import Frame
from app.web.context import viewer_id
from app.web.votes.fragments import fragment

bp = Blueprint("vote", __name__)
TABLE_ROWS = 24


@dataclass(frozen=True, slots=True)
class Standing:
    """Where the price is: its change since the start, and what it lacks to the target."""

    price: Decimal
    change: Decimal
    gap: Decimal

    @property
    def is_there(self) -> bool:
        """Whether the target is reached."""
        return self.gap <= 0


@bp.get("/votes/<int:vote_id>")
def show(vote_id: int) -> str:
    """The vote in its situation: open, closed, settled or void."""
    now = utcnow()
    return render_template("votes/show.html", **page(found(vote_id, now), now))


@bp.get("/votes/<int:vote_id>/live")
def live(vote_id: int) -> Response:
    """The parts that move: price, answers, time left; and a word once the situation is another."""
    now = utcnow()
    detail = found(vote_id, now)
    view = detail.view
    return fragment(
        render_template(
            "votes/_live.html",
            vote=view,
            stage=stage(view),
            standing=standing(view),
            status=status(view, now),
            stale=is_stale(view, now),
            moved_on=request.args.get("seen") != stage(view),
        )
    )


def found(vote_id: int, now: datetime) -> VoteDetail:
    """The vote as the person who is signed in sees it, or raise NotFound."""
    detail = votes.get_vote(vote_id, user_id=viewer_id(), now=now)
    if detail is None:
        raise NotFound
    return detail


def page(detail: VoteDetail, now: datetime) -> dict[str, object]:
    """What the template of a vote needs."""
    view = detail.view
    points = prices(detail, now)
    return {
        "detail": detail,
        "vote": view,
        "stage": stage(view),
        "status": status(view, now),
        "standing": standing(view),
        "stale": is_stale(view, now),
        "points": points,
        **_base_rates(view, now),
        "rows": points[:: -(-len(points) // TABLE_ROWS)],
        "frame": _frame(detail),
        "meaning": meaning,
        "board": market.live_board(now),
        "moved": moved(view),
        "refunds": refunds(detail),
        "now": now,
    }


def standing(view: VoteView) -> Standing | None:
    """The price of the result, else the latest one, against start and target; None without one."""
    price = view.final_price or view.now_price
    if price is None:
        return None
    lacks = view.threshold - price
    gap = lacks if view.direction is Direction.UP else -lacks
    return Standing(price, filters.change_pct(view.created_price, price), gap)


def is_stale(view: VoteView, now: datetime) -> bool:
    """Whether the price shown is a moving one that has stood still for more than 90 seconds."""
    if view.final_price is not None or view.price_as_of is None:
        return False
    return not is_fresh(view.price_as_of, now)


def status(view: VoteView, now: datetime) -> str:
    """Where the vote is on its way: `2시간 14분 뒤 마감`, `1일 6시간 뒤 결과`, …"""
    if view.state is VoteState.ONGOING:
        return filters.time_left(view.finished_at, now)
    if view.state is VoteState.FINISHED:
        return until_result(view, now)
    if view.state is VoteState.VOID:
        return gettext("무효")
    return gettext("%(when)s 결과 나옴", when=filters.at_words(view.tracked_at))


def prices(detail: VoteDetail, now: datetime) -> list[tuple[datetime, Decimal]]:
    """The price from the start to now or to the result; the first and last are the vote's own."""
    view = detail.view
    coin = market.get_coin(view.coin_code)
    last = min(now, view.tracked_at)
    seen = []
    if coin is not None:
        seen = market.price_line(coin_id=coin.id, since=view.created_at, until=last)
    series = [(view.created_at, view.created_price), *seen]
    if view.final_price is not None:
        return [*series, (view.tracked_at, view.final_price)]
    if view.now_price is not None and view.price_as_of and series[-1][0] < view.price_as_of <= last:
        series.append((view.price_as_of, view.now_price))
    return series


def meaning(view: VoteView, choice: Choice) -> str:
    """What an answer says about the final price: `149,467,500원 이상`."""
    price = filters.krw(view.threshold)
    return {
        (Direction.UP, Choice.YES): gettext("%(price)s 이상", price=price),
        (Direction.UP, Choice.NO): gettext("%(price)s 미만", price=price),
        (Direction.DOWN, Choice.YES): gettext("%(price)s 이하", price=price),
        (Direction.DOWN, Choice.NO): gettext("%(price)s 초과", price=price),
    }[view.direction, choice]


def moved(view: VoteView) -> str:
    """How the price of a settled vote went, in words."""
    if view.final_price is None:
        return ""
    change = filters.change_pct(view.created_price, view.final_price)
    size = filters.signed_pct(abs(change)).lstrip("+")
    return {
        "up": gettext("가격은 %(pct)s 올랐어요.", pct=size),
        "down": gettext("가격은 %(pct)s 내렸어요.", pct=size),
        "flat": gettext("가격은 그대로였어요."),
    }[filters.tone(change)]


def refunds(detail: VoteDetail) -> tuple[int, int]:
    """What a void gives back: to those who answered, and to the one who asked."""
    view = detail.view
    return view.answer_count * view.spent_point, detail.creation_cost


def _base_rates(view: VoteView, now: datetime) -> dict[str, object]:
    """How often it happened before: as known at the question's birth, and as known today."""
    rates: dict[Duration, BaseRate] = {}
    coin = market.find_coin(view.coin_code, now)
    if coin is not None:
        rates = market.base_rates(
            coin_id=coin.id, direction=view.direction, range_pct=view.range_pct, now=now
        )
    return {
        "known": past_at_creation(view),
        "present": past(rates.get(view.duration), view.duration),
        "rates": rates,
    }


def _frame(detail: VoteDetail) -> Frame:
    view = detail.view
    return Frame(
        opened=view.created_at,
        closes=view.finished_at,
        ends=view.tracked_at,
        start=view.created_price,
        target=view.threshold,
        labels=(
            gettext("%(day)s 시작", day=filters.day(view.created_at)),
            gettext("%(day)s 마감", day=filters.day(view.finished_at)),
            gettext("%(day)s 결과", day=filters.day(view.tracked_at)),
        ),
        decided=detail.candle_opened_at,
    )
