"""The votes about one coin."""

from datetime import timedelta

from app.models import User
from app.services import market, votes
from app.services.votes import CoinVotes, Stage
from tests import factories as make


def on_bitcoin(user: User | None = None, most: int = 5) -> CoinVotes:
    coin = market.get_coin("BTC")
    assert coin is not None
    return votes.votes_on_coin(
        coin_id=coin.id, user_id=user and user.id, now=make.NOW + timedelta(minutes=5), most=most
    )


def test_votes_of_all_stages_are_found_open_ones_first(alice: User) -> None:
    settled = make.make_settled_vote(alice).id
    waiting = make.make_closed_vote(alice, now=make.NOW + timedelta(hours=2)).id
    opened = make.make_vote(alice).id

    found = on_bitcoin()

    assert [vote.id for vote in found.votes] == [opened, waiting, settled]
    assert [vote.id for vote in found.open] == [opened]
    assert found.counts == {Stage.ONGOING: 1, Stage.FINISHED: 1, Stage.OVER: 1}
    assert found.total == 3


def test_votes_on_other_coins_are_left_out(alice: User) -> None:
    make.make_coin()
    make.make_vote(alice, coin="ETH")

    assert on_bitcoin() == CoinVotes()


def test_of_many_the_newest_are_shown_and_all_are_counted(alice: User) -> None:
    ids = [make.make_vote(alice).id for _ in range(3)]

    found = on_bitcoin(most=2)

    assert [vote.id for vote in found.votes] == ids[:0:-1]
    assert found.total == 3


def test_a_vote_past_its_deadline_is_open_to_nobody(alice: User) -> None:
    make.make_vote(alice, now=make.NOW - timedelta(hours=9))

    assert on_bitcoin().open == ()


def test_my_own_answer_is_known(alice: User, bob: User) -> None:
    make.answer(bob, make.make_vote(alice))

    assert on_bitcoin(bob).votes[0].my_choice == "yes"
    assert on_bitcoin(alice).votes[0].my_choice is None
