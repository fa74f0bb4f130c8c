"""One coin: its price, its candles, what people ask about it, how often it moved that far."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial

from flask import Blueprint, Response, make_response, render_template, request

from app.afterwards import afterwards
from app.clock import utcnow
from app.domain.errors import InvalidInput, NotFound
from app.domain.frames import FRAMES, USUAL_FRAME
from app.domain.market import Candle, CandleUnit, is_fresh
from app.domain.votes import (
    MAX_FALL_PCT,
    MAX_RANGE_PCT,
    MIN_RANGE_PCT,
    Direction,
    Duration,
    VoteState,
)
from app.i18n import gettext
from app.messages import message
from app.services import market, votes
from app.services.market import CatalogueCoin, Chart
from app.services.votes import CoinVotes, VoteView
from app.web import filters
from app.web.base_rates import Past, past
from app.web.candles import Spot
from app.web.context import viewer_id
from app.web.votes.listing import cards, live_address

bp = Blueprint("coin", __name__)

CANDLES_DRAWN = 64
TABLE_ROWS = 24
LABELS = 4
VOTES_SHOWN = 4
MARKS = 4
USUAL_RANGE = 5
_WHOLE = re.compile(r"\d{1,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Mark:
    """A vote on the chart, under the number that stands there and in the list below it."""

    label: str
    vote: VoteView

    def spots(self) -> list[Spot]:
        """Where it was asked, and where its result came out if it did."""
        vote = self.vote
        asked = Spot(self.label, vote.created_at, vote.created_price)
        if vote.final_price is None:
            return [asked]
        return [asked, Spot(self.label, vote.tracked_at, vote.final_price, is_result=True)]

    def told(self) -> dict[str, object]:
        """The same for the script, with the target of a vote that takes answers."""
        vote, final = self.vote, self.vote.final_price
        return {
            "label": self.label,
            "asked": int(vote.created_at.timestamp()),
            "start": float(vote.created_price),
            "due": int(vote.tracked_at.timestamp()),
            "target": float(vote.threshold),
            "result": None if final is None else float(final),
            "open": vote.state in (VoteState.ONGOING, VoteState.FINISHED),
        }


@dataclass(frozen=True, slots=True)
class Moved:
    """A row of the table of base rates: one period, both directions."""

    duration: Duration
    up: Past | None
    down: Past | None


@bp.get("/coins/<code>")
def show(code: str) -> Response:
    """The coin's page; `frame` is the length of its candles, `r` the range of the base rates."""
    now = utcnow()
    coin = market.find_coin(code, now)
    if coin is None:
        raise NotFound
    name = request.args.get("frame", USUAL_FRAME)
    name = name if name in FRAMES else USUAL_FRAME
    chart = market.coin_chart(coin=coin, frame=FRAMES[name], count=CANDLES_DRAWN, now=now)
    found = votes.votes_on_coin(coin_id=coin.id, user_id=viewer_id(), now=now, most=MARKS)
    page = render_template(
        "market/coin.html",
        now=now,
        coin=coin,
        is_old=is_old(coin, now),
        change=change(coin),
        frame=name,
        frames=[(code, frame_word(minutes)) for code, minutes in FRAMES.items()],
        length=FRAMES[name] * 60,
        **_drawn(chart, found, FRAMES[name]),
        **_asked(found, now),
        **_moved(coin, now),
        starred=_starred(code),
        board=market.live_board(now),
    )
    look = partial(market.look_at_candles, coin_id=coin.id, frame=FRAMES[name], now=now)
    return afterwards(make_response(page), look)


def is_old(coin: CatalogueCoin, now: datetime) -> bool:
    """Whether its price has stood still for longer than a vote may start from, or never came."""
    return coin.observed_at is None or not is_fresh(coin.observed_at, now)


def change(coin: CatalogueCoin) -> Decimal | None:
    """The change since the close of the day before, in percent."""
    return None if coin.change_rate is None else Decimal(str(coin.change_rate)) * 100


def frame_word(minutes: int) -> str:
    """The length of a candle in words: `15분`, `4시간`, `1일`, `1주`."""
    for size, sentence in (
        (FRAMES["1w"], gettext("%(n)s주", n="{n}")),
        (CandleUnit.DAY, gettext("%(n)s일", n="{n}")),
        (CandleUnit.HOUR, gettext("%(n)s시간", n="{n}")),
    ):
        if minutes >= size:
            return sentence.replace("{n}", str(minutes // size))
    return gettext("%(n)s분", n=minutes)


def _drawn(chart: Chart, found: CoinVotes, frame: int) -> dict[str, object]:
    """What chart, list of marks and table show; nothing of it where there is no candle yet."""
    drawn = (*chart.candles, *((chart.forming,) if chart.forming else ()))
    moment = filters.day if frame >= CandleUnit.DAY else filters.at_minute
    marks = _marks(found.votes, drawn)
    return {
        "chart": chart,
        "drawn": drawn,
        "labels": [moment(one.opened_at) for one in _spread(drawn)],
        "moment": moment,
        "marks": marks,
        "spots": [spot for mark in marks for spot in mark.spots()],
        "marks_told": json.dumps([mark.told() for mark in marks]),
        "rows": drawn[: -TABLE_ROWS - 1 : -1],
    }


def _spread(candles: Sequence[Candle]) -> list[Candle]:
    """The candles whose times stand under the chart, from its first to its last."""
    number = min(LABELS, len(candles))
    steps = max(number - 1, 1)
    return [candles[(len(candles) - 1) * place // steps] for place in range(number)]


def _marks(found: Sequence[VoteView], candles: Sequence[Candle]) -> list[Mark]:
    """The votes that were asked while the chart lasts, open ones first, numbered in time."""
    if not candles:
        return []
    since = candles[0].opened_at
    shown = [vote for vote in found if vote.created_at >= since][:MARKS]
    shown.sort(key=lambda vote: vote.id)
    return [Mark(str(number), vote) for number, vote in enumerate(shown, start=1)]


def _asked(found: CoinVotes, now: datetime) -> dict[str, object]:
    shown = found.votes[:VOTES_SHOWN]
    return {"cards": cards(shown, now), "live": live_address(shown), "asked": found.total}


def _moved(coin: CatalogueCoin, now: datetime) -> dict[str, object]:
    """The table of base rates for the range of the address; a wrong one is told and 5 is shown."""
    typed = request.args.get("r", "").strip().removesuffix("%")
    try:
        range_pct, error = _range(typed), ""
    except InvalidInput as refused:
        range_pct, error = USUAL_RANGE, message(refused.code, refused.params)
    up = market.base_rates(coin_id=coin.id, direction=Direction.UP, range_pct=range_pct, now=now)
    down = {}
    if range_pct <= MAX_FALL_PCT:
        down = market.base_rates(
            coin_id=coin.id, direction=Direction.DOWN, range_pct=range_pct, now=now
        )
    rows = [Moved(one, past(up.get(one), one), past(down.get(one), one)) for one in Duration]
    longest = next((row.up for row in rows if row.up), None)
    return {"range_pct": range_pct, "range_error": error, "moved": rows, "counted": longest}


def _range(typed: str) -> int:
    if not typed:
        return USUAL_RANGE
    if not _WHOLE.fullmatch(typed):
        raise InvalidInput("r", "range_not_whole", low=MIN_RANGE_PCT, high=MAX_RANGE_PCT)
    if not MIN_RANGE_PCT <= int(typed) <= MAX_RANGE_PCT:
        raise InvalidInput("r", "range_out_of_bounds", low=MIN_RANGE_PCT, high=MAX_RANGE_PCT)
    return int(typed)


def _starred(code: str) -> bool | None:
    """Whether it is a favourite; None for visitors, who have none."""
    user_id = viewer_id()
    return None if user_id is None else code in market.favourite_codes(user_id=user_id)
