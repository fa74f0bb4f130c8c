"""Lists for clients: read once for everybody, and yet each sees what is one's own."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.domain.votes import Choice
from app.models import User
from app.services import votes
from app.services.votes import ClientVote, Wanted, client
from tests import factories as make

NOW = make.NOW


def listed(user: User, **wanted: object) -> list[ClientVote]:
    asked = Wanted(**wanted)  # type: ignore[arg-type]
    return votes.list_for_client(wanted=asked, user_id=user.id, now=NOW).votes


def ids(found: list[ClientVote]) -> list[int]:
    return [vote.view.id for vote in found]


def test_everybody_sees_ones_own_answers_alone(alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(bob, vote, "no", now=NOW)

    [mine], [stranger] = listed(bob), listed(alice)

    assert (mine.view.my_choice, mine.view.my_answered_at) == (Choice.NO, NOW)
    assert (stranger.view.my_choice, stranger.view.my_answered_at) == (None, None)


def test_whales_show_to_those_who_answered(alice: User, bob: User) -> None:
    vote = make.make_vote(alice)
    make.answer(make.make_user("whale", record=(9, 10)), vote, now=NOW)
    make.answer(bob, vote, "no", now=NOW)

    [mine], [stranger] = listed(bob), listed(alice)

    assert (mine.view.yes_whales, mine.view.no_whales) == (1, 0)
    assert (stranger.view.yes_whales, stranger.view.no_whales) == (0, 0)


def test_ones_own_deed_shows_at_once(alice: User, bob: User) -> None:
    first = make.make_vote(alice)
    assert ids(listed(bob)) == [first.id]

    second = make.make_vote(bob)
    make.answer(bob, first, now=NOW)

    newest, oldest = listed(bob)
    assert (newest.view.id, oldest.view.my_choice) == (second.id, Choice.YES)


def test_list_too_long_to_be_shared_is_whole_all_the_same(
    alice: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = [make.make_vote(alice) for _ in range(4)]
    make.answer(bob, made[0], now=NOW)
    shared = listed(bob)

    monkeypatch.setattr(client, "MAX_SHARED", 3)

    assert [vote.view for vote in listed(bob)] == [vote.view for vote in shared]
    assert ids(shared) == [vote.id for vote in made][::-1]


def test_pages_of_any_length_make_the_same_list(alice: User) -> None:
    made = [make.make_vote(alice) for _ in range(5)]

    for limit in (1, 2, 3, 5, 6):
        seen, cursor = [], ""
        while cursor is not None:
            asked = Wanted(limit=limit, cursor=cursor)
            page = votes.list_for_client(wanted=asked, user_id=alice.id, now=NOW)
            seen, cursor = seen + ids(page.votes), page.next_cursor
        assert seen == [vote.id for vote in made][::-1]


def test_deadline_moves_a_vote_without_any_job(alice: User) -> None:
    vote = make.make_vote(alice, now=NOW - timedelta(hours=9))

    assert ids(listed(alice, ongoing=False)) == [vote.id]
    assert listed(alice, ongoing=True) == []


def test_nobody_answers_an_empty_list(session: Session, alice: User) -> None:
    assert listed(alice) == []


def test_own_lists_and_counters_agree(alice: User, bob: User) -> None:
    live, closed = make.make_vote(alice), make.make_closed_vote(alice)
    make.answer(bob, live, now=NOW)

    asked = votes.own_for_client(user_id=alice.id, created=True, ongoing=None, now=NOW)
    answered = votes.own_for_client(user_id=bob.id, created=False, ongoing=True, now=NOW)

    assert (ids(asked.votes), asked.ongoing, asked.finished) == ([closed.id, live.id], 1, 1)
    assert (ids(answered.votes), answered.ongoing, answered.finished) == ([live.id], 1, 0)


@pytest.mark.parametrize("vote_id", [0, -1, 2**63, 10**30, 999])
def test_no_vote_has_such_a_number(alice: User, vote_id: int) -> None:
    assert votes.get_for_client(vote_id=vote_id, user_id=alice.id, now=NOW) is None
