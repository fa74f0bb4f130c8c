"""One's own record: lists with one's own verdict, breakdowns, streaks, what waits."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.models import User, Vote
from app.services import votes
from app.services.votes.record import results_before
from tests import factories as make

NOW = make.NOW
DAY = timedelta(days=1)


def settled(
    asker: User, voter: User, choice: str, *, final: str = "110", days_ago: int = 0
) -> Vote:
    """A vote answered and settled so many days ago; from 110 won on it came out yes."""
    now = NOW - days_ago * DAY
    vote = make.make_vote(asker, now=now - DAY)
    make.answer(voter, vote, choice)
    make.settle(make.close(vote), final, now=now)
    return make.reload(vote.id)


def verdicts(user: User, *, created: bool = False) -> list[str]:
    found = votes.my_votes(user_id=user.id, created=created, ongoing=None, before=None, now=NOW)
    return [row.verdict for row in found.rows]


def test_verdict_is_my_own(session: Session, alice: User, bob: User) -> None:
    settled(alice, bob, "yes")
    settled(alice, bob, "no")

    assert verdicts(bob) == ["miss", "hit"]
    assert verdicts(alice, created=True) == ["settled", "settled"]


def test_every_situation_has_its_verdict(session: Session, alice: User, bob: User) -> None:
    gone, waiting = (make.make_closed_vote(alice, now=NOW) for _ in range(2))
    votes.void_vote(vote_id=gone.id, reason="a slip", now=NOW)
    make.make_vote(alice, now=NOW)

    assert waiting.id
    assert verdicts(alice, created=True) == ["open", "waiting", "void"]


def test_vote_past_its_deadline_waits_before_the_minute_comes(
    session: Session, alice: User
) -> None:
    make.make_vote(alice, now=NOW - timedelta(hours=9))

    found = votes.my_votes(user_id=alice.id, created=True, ongoing=None, before=None, now=NOW)

    assert ([row.verdict for row in found.rows], found.ongoing, found.done) == (["waiting"], 0, 1)


def test_latest_results_begin_with_what_came_out_last(
    session: Session, alice: User, bob: User
) -> None:
    older, newer = settled(alice, bob, "no", days_ago=3), settled(alice, bob, "yes", days_ago=1)
    void = make.make_vote(alice, now=NOW - DAY)
    make.answer(bob, void)
    votes.void_vote(vote_id=void.id, reason="a slip", now=NOW)
    make.answer(bob, make.make_vote(alice, now=NOW))
    settled(alice, alice, "yes")

    found = votes.latest_results(user_id=bob.id, limit=3, now=NOW)

    assert [(row.view.id, row.verdict) for row in found] == [
        (void.id, "void"),
        (newer.id, "hit"),
        (older.id, "miss"),
    ]


def test_breakdown_counts_settled_answers_by_coin_and_period(
    session: Session, alice: User, bob: User
) -> None:
    settled(alice, bob, "yes")
    settled(alice, bob, "no")
    make.answer(bob, make.make_vote(alice, now=NOW))

    coins, periods = votes.my_breakdown(user_id=bob.id)

    assert [(one.code, one.right, one.settled) for one in coins] == [("BTC", 1, 2)]
    assert [(one.code, one.right, one.settled) for one in periods] == [("day", 1, 2)]
    assert votes.my_breakdown(user_id=alice.id) == ([], [])


def test_breakdown_begins_with_the_coin_that_was_answered_most(
    session: Session, alice: User, bob: User
) -> None:
    for coin in ("ADA", "XRP", "BTC", "XRP"):
        vote = make.make_vote(alice, coin=coin, now=NOW - timedelta(days=1))
        make.answer(bob, vote)
        make.settle(make.close(vote))

    coins, _periods = votes.my_breakdown(user_id=bob.id)

    assert [(one.code, one.settled) for one in coins] == [("XRP", 2), ("ADA", 1), ("BTC", 1)]


@pytest.mark.parametrize(
    ("choices", "length"), [("", 0), ("n", 0), ("y", 1), ("ny", 1), ("yyn", 0), ("nyyy", 3)]
)
def test_streak_counts_the_latest_hits_in_a_row(
    session: Session, alice: User, bob: User, choices: str, length: int
) -> None:
    for days_ago, choice in zip(range(len(choices), 0, -1), choices, strict=True):
        settled(alice, bob, {"y": "yes", "n": "no"}[choice], days_ago=days_ago)

    assert votes.streak(user_id=bob.id) == length


def test_answers_wait_until_their_result(session: Session, alice: User, bob: User) -> None:
    vote = make.make_vote(alice, now=NOW)
    make.answer(bob, vote)
    settled(alice, bob, "yes")

    assert votes.waiting_answers(user_id=bob.id) == 1
    assert results_before(user_id=bob.id, moment=vote.tracked_at) == 1
    assert results_before(user_id=bob.id, moment=vote.tracked_at - timedelta(microseconds=1)) == 0


def test_open_votes_are_counted_by_coin(session: Session, alice: User) -> None:
    make.make_vote(alice, now=NOW)
    make.make_vote(alice, now=NOW, range_pct=5)
    make.make_vote(alice, coin="ETH", now=NOW)
    make.make_vote(alice, now=NOW - DAY)

    assert votes.open_by_coin(NOW) == {"BTC": 2, "ETH": 1}


def test_start_price_is_the_quote_or_the_refusal_of_making(session: Session) -> None:
    make.make_coin("BTC", price="123.45")

    found = votes.start_price(coin_code="BTC", now=NOW)

    assert (str(found.price), found.observed_at) == ("123.45", NOW)
