"""Addresses of lists: read leniently, written without what is the default."""

import pytest

from app.domain.votes import Direction, Duration
from app.services.votes import Stage
from app.web.votes.filters import MAX_QUERY, Asked, asked_for, kinds


def test_address_without_choices_is_plain() -> None:
    assert asked_for({}, member=True).address() == "/votes"


def test_address_is_read_back_as_it_was_written() -> None:
    asked = Asked("waiting", "비트 코인&", "down", "month", "answered", "popular")
    address = asked.address()

    assert address.startswith("/votes?state=waiting&q=%EB%B9%84")
    assert asked_for(asked.parameters(), member=True) == asked


def test_unknown_values_count_as_not_chosen() -> None:
    wanted = {"state": "x", "direction": "UP", "duration": "", "mine": "yours", "sort": "id"}

    assert asked_for(wanted, member=True).address() == "/votes"


def test_order_of_one_tab_is_not_taken_to_another() -> None:
    assert asked_for({"state": "over", "sort": "closing"}, member=True).sort == "newest"


def test_search_is_cut_to_what_the_field_holds() -> None:
    assert len(asked_for({"q": "🐳" * 100}, member=True).q) == MAX_QUERY


def test_service_is_asked_for_the_same() -> None:
    wanted = Asked("over", "btc", "up", "day", "staff", "divided").wanted("place")

    assert (wanted.stage, wanted.query, wanted.mine) == (Stage.OVER, "btc", "staff")
    assert (wanted.direction, wanted.duration) == (Direction.UP, Duration.DAY)
    assert (wanted.sort, wanted.cursor) == ("divided", "place")


@pytest.mark.parametrize(
    ("stage", "member", "found"),
    [
        (Stage.ONGOING, True, ("unanswered", "answered", "created", "staff")),
        (Stage.OVER, True, ("answered", "created", "staff")),
        (Stage.ONGOING, False, ("staff",)),
    ],
)
def test_choices_about_oneself_need_a_self(
    stage: Stage, member: bool, found: tuple[str, ...]
) -> None:
    assert kinds(stage, member=member) == found
