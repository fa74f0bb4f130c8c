"""What the API says about coins, votes and people; the contract's names and null rules."""

import re
from decimal import Decimal
from functools import lru_cache
from typing import Literal, TypedDict

from flask import request

from app.api.wire import exact, kst_text, utc_text
from app.domain.accounts import Language, Theme
from app.domain.base_rates import share
from app.domain.points import is_whale
from app.domain.votes import Choice, Direction, Duration, VoteState
from app.services.accounts import Person
from app.services.votes import ClientVote, VoteView
from app.wiring import whale_min_settled

#: Clients cut the coin's name out of `krname(code)` by the first pair of parentheses.
_PARENTHESES = re.compile(r"\s*\([^)]*\)|[()]")
CHOICES = {1: Choice.YES, 2: Choice.NO}
_NUMBERS = {choice: number for number, choice in CHOICES.items()}


class CoinOut(TypedDict):
    """A coin; `image` is an address on our host, or empty where there is no picture."""

    code: str
    krname: str
    image: str


class MineOut(TypedDict):
    """What the asking person has to do with a vote; all null while not answered."""

    choice: Literal[1, 2] | None
    is_answer: bool | None
    participated_at: str | None


class VoteOut(TypedDict):
    """A vote. A void one is `tracked` with its first price, and says so in `voided`.

    `base_rate` is how often the coin moved so far in the year before the question: in
    `base_rate_hits` of `base_rate_count` windows. All three are null where nothing was known.
    """

    vote_id: int
    coin: CoinOut
    is_admin_vote: bool
    created_at: str
    updated_at: str
    state: VoteState
    finished_at: str
    tracked_at: str
    created_price: Decimal
    finished_price: Decimal | None
    spent_point: int
    earned_point: int
    is_answer: bool | None
    duration: Duration
    range: int
    comment: Direction
    total_participants: int
    pos_participants: int
    neg_participants: int
    pos_whales: int
    neg_whales: int
    uploader: int
    uploader_nickname: str
    user: MineOut
    voided: bool
    void_reason: str | None
    base_rate: Decimal | None
    base_rate_hits: int | None
    base_rate_count: int | None


class UserOut(TypedDict):
    """A person as the person sees it."""

    id: int
    nickname: str
    acc_percent: Decimal
    point: int
    profile_img: str | None
    is_default_profile: bool
    is_admin: bool
    is_whale: bool
    right_answers: int
    settled_answers: int
    language: Language | None
    theme: Theme | None
    created_at: str | None


def krname(name: str) -> str:
    """A Korean name without parentheses."""
    return _PARENTHESES.sub("", name).strip()


def picture(code: str, *, has_logo: bool) -> str:
    """The whole address of a coin's logo, or an empty text."""
    return f"{request.host_url}coins/{code}/logo" if has_logo else ""


def coin_out(code: str, name: str, *, has_logo: bool) -> CoinOut:
    """A coin in the contract's shape."""
    return {"code": code, "krname": krname(name), "image": picture(code, has_logo=has_logo)}


def vote_out(vote: ClientVote) -> VoteOut:
    """A vote in the contract's shape, as seen by the person it was read for."""
    view = vote.view
    voided = view.state is VoteState.VOID
    return {
        "vote_id": view.id,
        "coin": coin_out(view.coin_code, view.korean_name, has_logo=view.has_logo),
        "is_admin_vote": view.is_staff_vote,
        "created_at": kst_text(view.created_at),
        "updated_at": kst_text(view.updated_at),
        "state": VoteState.TRACKED if voided else view.state,
        "finished_at": kst_text(view.finished_at),
        "tracked_at": kst_text(view.tracked_at),
        "created_price": view.created_price,
        "finished_price": view.created_price if voided else view.final_price,
        "spent_point": view.spent_point,
        "earned_point": view.earned_point,
        "is_answer": vote.crowd_right,
        "duration": view.duration,
        "range": view.range_pct,
        "comment": view.direction,
        "total_participants": view.answer_count,
        "pos_participants": view.yes_count,
        "neg_participants": view.no_count,
        "pos_whales": view.yes_whales,
        "neg_whales": view.no_whales,
        "uploader": view.creator_id,
        "uploader_nickname": view.creator_name,
        "user": _mine(view),
        "voided": voided,
        "void_reason": vote.void_reason,
        "base_rate": _share(view.base_rate_hits, view.base_rate_windows),
        "base_rate_hits": view.base_rate_hits,
        "base_rate_count": view.base_rate_windows,
    }


@lru_cache(maxsize=4096)
def vote_text(vote: ClientVote, _host: str) -> str:
    """A vote as JSON. Lists say the same vote again and again; its picture is on this host."""
    return exact(vote_out(vote))


def user_out(person: Person) -> UserOut:
    """A person in the contract's shape."""
    return {
        "id": person.id,
        "nickname": person.nickname,
        "acc_percent": person.accuracy_pct,
        "point": person.points,
        "profile_img": f"{request.host_url}pictures/{person.picture}" if person.picture else None,
        "is_default_profile": person.picture is None,
        "is_admin": person.is_staff,
        "is_whale": is_whale(
            right=person.right_count,
            settled=person.settled_count,
            min_settled=whale_min_settled(),
        ),
        "right_answers": person.right_count,
        "settled_answers": person.settled_count,
        "language": Language(person.language) if person.language else None,
        "theme": Theme(person.theme) if person.theme else None,
        "created_at": utc_text(person.created_at),
    }


def _share(hits: int | None, windows: int | None) -> Decimal | None:
    """A base rate as a part of one, with up to four decimals."""
    return None if hits is None or windows is None else share(hits, windows)


def _mine(view: VoteView) -> MineOut:
    if view.my_choice is None or view.my_answered_at is None:
        return {"choice": None, "is_answer": None, "participated_at": None}
    return {
        "choice": _NUMBERS[view.my_choice],  # type: ignore[typeddict-item]
        "is_answer": view.my_hit,
        "participated_at": kst_text(view.my_answered_at),
    }
