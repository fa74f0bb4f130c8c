"""Making a vote: from a fresh price, paid once, or refused without a charge."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.errors import Conflict, InvalidInput, NotFound
from app.domain.points import NotEnoughPoints
from app.domain.votes import VoteState
from app.models import LedgerEntry, Quote, User, Vote
from app.services import votes
from app.services.points import audit
from tests import factories as make

NOW = make.NOW
STEP = timedelta(microseconds=1)


def open_vote(user: User, *, key: str = "key", coin: str = "BTC") -> int:
    return votes.open_vote(user_id=user.id, draft=make.make_draft(coin), request_key=key, now=NOW)


def nothing_happened(session: Session, user: User) -> bool:
    """No vote, no entry but the welcome, the whole balance, and books that agree."""
    entries = session.scalar(select(func.count()).select_from(LedgerEntry))
    made = session.scalar(select(func.count()).select_from(Vote))
    return (entries, made, make.balance(user), list(audit())) == (1, 0, 300, [])


def test_vote_starts_from_the_quote_and_costs_50(session: Session, alice: User) -> None:
    make.make_coin("BTC", price="0.00001234")
    traded_at = NOW - timedelta(minutes=20)
    with transaction() as writing:
        writing.execute(update(Quote).values(traded_at=traded_at))

    vote = make.reload(open_vote(alice))

    assert vote.created_price == Decimal("0.00001234")
    assert vote.created_price_at == traded_at
    assert (vote.spent_point, vote.earned_point, vote.creation_cost) == (10, 20, 50)
    assert vote.state is VoteState.ONGOING
    assert make.balance(alice) == 250
    assert list(audit()) == []


def test_base_rate_known_at_creation_is_kept_and_never_changes(
    session: Session, alice: User
) -> None:
    coin = make.make_coin()
    make.make_candles(coin, "100", "110", "100")
    vote = make.reload(open_vote(alice))
    assert (vote.base_rate_hits, vote.base_rate_windows) == (1, 2)

    make.make_candles(coin, "100", "110", "100", "120", until=NOW + timedelta(days=1))

    view = votes.get_votes([vote.id], user_id=None, now=NOW)[vote.id]
    assert (view.base_rate_hits, view.base_rate_windows) == (1, 2)


def test_vote_on_a_coin_without_a_past_has_no_base_rate(session: Session, alice: User) -> None:
    make.make_coin()

    vote = make.reload(open_vote(alice))

    assert (vote.base_rate_hits, vote.base_rate_windows) == (None, None)


@pytest.mark.parametrize(
    ("age", "fresh"),
    [
        (timedelta(0), True),
        (timedelta(seconds=90), True),
        (timedelta(seconds=90) + STEP, False),
        (-timedelta(hours=1), False),
    ],
    ids=["now", "old enough", "too old", "of a clock that was set back since"],
)
def test_price_is_fresh_for_90_seconds(
    session: Session, alice: User, age: timedelta, fresh: bool
) -> None:
    make.make_coin("BTC", observed_at=NOW - age)

    if fresh:
        assert open_vote(alice)
        return
    with pytest.raises(Conflict) as refused:
        open_vote(alice)
    assert refused.value.code == "price_not_fresh"
    assert nothing_happened(session, alice)


def test_coin_without_price_takes_no_vote(session: Session, alice: User) -> None:
    make.make_coin("BTC", price=None)

    with pytest.raises(Conflict, match="price_not_fresh"):
        open_vote(alice)

    assert nothing_happened(session, alice)


def test_delisted_coin_takes_no_vote(session: Session, alice: User) -> None:
    make.make_coin("BTC", delisted_at=NOW)

    with pytest.raises(Conflict, match="coin_inactive"):
        open_vote(alice)

    assert nothing_happened(session, alice)


def test_unknown_coin_is_refused_at_its_field(session: Session, alice: User) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_vote(alice, coin="NOTHERE")

    assert refused.value.field == "coin"
    assert nothing_happened(session, alice)


def test_price_under_suspicion_starts_no_vote(session: Session, alice: User) -> None:
    make.make_coin("BTC")
    with transaction() as writing:
        writing.execute(update(Quote).values(suspect_price=Decimal(1000), suspect_count=1))

    with pytest.raises(Conflict, match="price_not_fresh"):
        open_vote(alice)

    assert nothing_happened(session, alice)


@pytest.mark.parametrize(("points", "enough"), [(49, False), (50, True)])
def test_vote_needs_50_points(session: Session, points: int, enough: bool) -> None:
    poor = make.make_user(points=points)
    make.make_coin("BTC")

    if enough:
        open_vote(poor)
        assert make.balance(poor) == 0
        return
    with pytest.raises(NotEnoughPoints):
        open_vote(poor)
    assert make.balance(poor) == points
    assert session.scalar(select(func.count()).select_from(Vote)) == 0


def test_same_request_makes_one_vote_and_is_paid_once(session: Session, alice: User) -> None:
    make.make_coin("BTC")

    first, again = open_vote(alice), open_vote(alice)

    assert first == again
    assert make.balance(alice) == 250
    assert list(audit()) == []


@pytest.mark.parametrize(
    "other", [{"range_pct": 11}, {"direction": "down"}, {"duration": "week"}, {"coin": "ETH"}]
)
def test_same_request_key_for_another_question_is_refused(
    alice: User, other: dict[str, Any]
) -> None:
    make.make_coin("ETH")
    first = make.make_vote(alice, request_key="k").id

    with pytest.raises(Conflict, match="request_key_reused"):
        votes.open_vote(user_id=alice.id, draft=make.make_draft(**other), request_key="k", now=NOW)

    again = votes.open_vote(user_id=alice.id, draft=make.make_draft(), request_key="k", now=NOW)
    assert (again, make.balance(alice)) == (first, 250)


def test_database_that_refuses_for_another_reason_is_not_taken_for_a_repeat(
    session: Session, alice: User
) -> None:
    make.make_coin()
    session.execute(
        text("CREATE TRIGGER dies BEFORE INSERT ON votes BEGIN SELECT RAISE(ABORT, 'no'); END")
    )
    session.commit()

    with pytest.raises(IntegrityError):
        open_vote(alice)

    assert make.balance(alice) == 300


def test_same_request_key_of_two_people_makes_two_votes(
    session: Session, alice: User, bob: User
) -> None:
    make.make_coin("BTC")

    assert open_vote(alice) != open_vote(bob)


def test_staff_vote_is_free_and_pays_30(session: Session) -> None:
    staff = make.make_user(is_staff=True, points=0)
    make.make_coin("BTC")

    vote = make.reload(open_vote(staff))

    assert (vote.is_staff_vote, vote.spent_point, vote.earned_point) == (True, 0, 30)
    assert make.balance(staff) == 0
    assert list(audit()) == []


def test_person_who_is_not_there_makes_no_vote(session: Session, alice: User) -> None:
    make.make_coin("BTC")

    with pytest.raises(NotFound):
        votes.open_vote(user_id=99, draft=make.make_draft(), request_key="k", now=NOW)

    assert nothing_happened(session, alice)


def test_twin_is_an_open_vote_that_asks_the_same(session: Session, alice: User) -> None:
    make.make_vote(alice)
    newest = make.make_vote(alice).id
    make.make_vote(alice, range_pct=11)

    def twin(**asked: object) -> int | None:
        draft = make.make_draft(**asked)  # type: ignore[arg-type]
        found = votes.find_twin(draft=draft, user_id=alice.id, now=NOW)
        return found and found.id

    assert twin() == newest
    assert twin(range_pct=12) is None
    assert twin(direction="down") is None
    assert twin(duration="week") is None
    assert twin(coin="ETH") is None


def test_twin_past_its_deadline_is_none(session: Session, alice: User) -> None:
    vote = make.make_vote(alice)
    deadline = vote.finished_at

    def twin_at(now: object) -> object:
        return votes.find_twin(draft=make.make_draft(), user_id=None, now=now)  # type: ignore[arg-type]

    assert twin_at(deadline - STEP) is not None
    assert twin_at(deadline) is None


def test_made_so_far_counts_own_votes(session: Session, alice: User, bob: User) -> None:
    make.make_vote(alice)

    assert votes.made_so_far(user_id=alice.id) == 1
    assert votes.made_so_far(user_id=bob.id) == 0
