"""Favourites: kept once, let go of, and a person's own."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.models import User
from app.services import leaving, market
from tests import factories as make
from tests.factories import NOW


def add(user: User, code: str, after: int = 0) -> None:
    market.add_favourite(user_id=user.id, code=code, now=NOW + timedelta(seconds=after))


def codes(user: User) -> list[str]:
    return [coin.code for coin in market.list_favourites(user_id=user.id)]


def test_newest_favourite_stands_first(alice: User) -> None:
    for number, code in enumerate(("BTC", "ETH", "XRP")):
        make.make_coin(code)
        add(alice, code, after=number)

    assert codes(alice) == ["XRP", "ETH", "BTC"]
    assert market.favourite_codes(user_id=alice.id) == {"BTC", "ETH", "XRP"}


def test_second_time_changes_nothing(alice: User) -> None:
    make.make_coin("BTC")
    add(alice, "BTC")

    add(alice, "BTC", after=60)

    assert [coin.created_at for coin in market.list_favourites(user_id=alice.id)] == [NOW]


def test_favourite_is_let_go_of_and_again_is_harmless(alice: User) -> None:
    make.make_coin("BTC")
    add(alice, "BTC")

    for _ in range(2):
        market.drop_favourite(user_id=alice.id, code="BTC")

    assert codes(alice) == []


def test_favourites_are_ones_own(alice: User, bob: User) -> None:
    make.make_coin("BTC")
    add(alice, "BTC")

    market.drop_favourite(user_id=bob.id, code="BTC")

    assert (codes(alice), codes(bob)) == (["BTC"], [])


def test_delisted_coin_stays_a_favourite(alice: User) -> None:
    make.make_coin("GONE", delisted_at=NOW)

    add(alice, "GONE")

    assert codes(alice) == ["GONE"]


def test_unknown_coin_is_refused(alice: User) -> None:
    with pytest.raises(NotFound):
        add(alice, "NONE")
    with pytest.raises(NotFound):
        market.drop_favourite(user_id=alice.id, code="NONE")


def test_who_leaves_takes_their_favourites_along(session: Session) -> None:
    carol = make.make_user("carol")
    make.make_coin("BTC")
    add(carol, "BTC")
    user_id = carol.id

    leaving.leave(user_id=user_id, confirmation="carol", kakao=None, now=NOW)

    assert market.list_favourites(user_id=user_id) == []
