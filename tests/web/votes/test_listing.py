"""The list of votes: what it shows, how it is narrowed, ordered and paged."""

import re
from datetime import datetime, timedelta
from itertools import chain

import pytest
from sqlalchemy import update

from app.db import transaction
from app.models import User, Vote
from app.services import points
from tests import factories
from tests.conftest import Visitor

CARD = re.compile(r'data-live="vote-(\d+)"')
MORE = re.compile(r'href="([^"]+)" rel="next"')
BAD_ADDRESSES = (
    "state=settled", "sort=worst", "direction=sideways", "duration=year", "mine=everybody",
    "q=%00", "q=" + "%F0%9F%90%B3" * 10_000, "mine=answered", "state=&sort=&q=", "ids=1",
)  # fmt: skip


def shown(page: str) -> list[int]:
    return [int(number) for number in CARD.findall(page)]


def test_list_shows_open_votes_to_visitors(client: Visitor, vote: Vote, closed_vote: Vote) -> None:
    page = client.get("/votes")

    assert page.status_code == 200
    assert shown(page.text) == [vote.id]


def test_tabs_show_waiting_and_decided_votes(
    client: Visitor, alice: User, closed_vote: Vote, now: datetime
) -> None:
    settled = factories.make_settled_vote(alice, now=now)

    assert shown(client.get("/votes?state=waiting").text) == [closed_vote.id]
    assert shown(client.get("/votes?state=over").text) == [settled.id]


def test_vote_past_its_deadline_is_not_offered_before_the_job_ran(
    client: Visitor, alice: User, now: datetime
) -> None:
    factories.make_vote(alice, now=now - timedelta(hours=8, minutes=1))

    assert shown(client.get("/votes").text) == []


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("q=btc", 2), ("q=%EB%B9%84%ED%8A%B8", 2), ("q=%E3%85%82%E3%85%8C", 2), ("q=bitc", 2),
        ("q=eth", 0), ("direction=down", 1), ("direction=up", 1), ("duration=week", 1),
        ("duration=month", 0), ("duration=week&direction=down&q=btc", 1),
    ],
)  # fmt: skip
def test_list_is_narrowed(
    client: Visitor, alice: User, vote: Vote, now: datetime, query: str, count: int
) -> None:
    factories.make_vote(alice, direction="down", duration="week", now=now - timedelta(minutes=59))

    assert len(shown(client.get(f"/votes?{query}").text)) == count


def test_list_is_narrowed_to_what_concerns_me(
    as_bob: Visitor, bob: User, alice: User, admin: User, vote: Vote
) -> None:
    moment = vote.created_at + timedelta(seconds=1)
    own, free = (factories.make_vote(who, now=moment) for who in (bob, admin))
    factories.answer(bob, vote)

    found = {
        kind: set(shown(as_bob.get(f"/votes?mine={kind}").text))
        for kind in ("unanswered", "answered", "created", "staff")
    }

    assert found == {
        "unanswered": {own.id, free.id},
        "answered": {vote.id},
        "created": {own.id},
        "staff": {free.id},
    }


def test_lists_have_four_orders(client: Visitor, alice: User, now: datetime) -> None:
    moment = now - timedelta(hours=1)
    first = factories.make_vote(alice, duration="week", now=moment)
    second = factories.make_vote(alice, now=moment)
    third = factories.make_vote(alice, duration="month", now=moment)
    counts = {first.id: (3, 0), second.id: (1, 1), third.id: (1, 0)}
    with transaction() as session:
        for vote_id, (yes, no) in counts.items():
            statement = update(Vote).where(Vote.id == vote_id).values(yes_count=yes, no_count=no)
            session.execute(statement)

    order = {
        sort: [
            sorted(counts).index(number) for number in shown(client.get(f"/votes?sort={sort}").text)
        ]
        for sort in ("newest", "popular", "closing", "divided")
    }

    assert order == {
        "newest": [2, 1, 0],
        "popular": [0, 1, 2],
        "closing": [1, 0, 2],
        "divided": [1, 0, 2],
    }


@pytest.mark.parametrize("sort", ["closing", "newest", "popular", "divided"])
def test_paging_shows_every_vote_once(
    client: Visitor, alice: User, now: datetime, sort: str
) -> None:
    points.grant(user_id=alice.id, amount=1_000, now=now)
    made = [
        factories.make_vote(alice, range_pct=1 + number, now=now - timedelta(hours=1)).id
        for number in range(25)
    ]

    pages, address = [], f"/votes?sort={sort}"
    while address and len(pages) < 5:
        page = client.get(address).text
        pages.append(shown(page))
        more = MORE.search(page)
        address = more.group(1).replace("&amp;", "&") if more else ""

    assert [len(page) for page in pages] == [20, 5]
    assert sorted(chain(*pages)) == made


@pytest.mark.parametrize("query", BAD_ADDRESSES)
def test_address_that_makes_no_sense_is_no_failure(client: Visitor, vote: Vote, query: str) -> None:
    assert client.get(f"/votes?{query}").status_code == 200


#: `["closing", "0001-01-01T00:00:00+09:00", 1]`: a moment before all moments.
BEFORE_TIME = "WyJjbG9zaW5nIiwgIjAwMDEtMDEtMDFUMDA6MDA6MDArMDk6MDAiLCAxXQ&sort=closing"


@pytest.mark.parametrize(
    "cursor", ["x", "%00", "WyJuZXdlc3QiLCAiMSJd", "e30", "9" * 5000, BEFORE_TIME]
)
def test_place_in_the_list_that_is_not_ours_is_refused(client: Visitor, cursor: str) -> None:
    page = client.get(f"/votes?after={cursor}")

    assert page.status_code == 400
    assert "목록의 위치를 알 수 없어요" in page.text


def test_search_without_a_hit_names_what_was_sought(client: Visitor, vote: Vote) -> None:
    page = client.get("/votes", query_string={"q": "<b>도지킹"}).text

    assert "‘&lt;b&gt;도지킹’ 질문을 찾지 못했어요" in page
    assert 'value="&lt;b&gt;도지킹"' in page


def test_choices_without_a_hit_can_be_taken_back(client: Visitor, vote: Vote) -> None:
    page = client.get("/votes?duration=month&direction=down").text

    assert "조건에 맞는 질문이 없어요" in page
    assert 'class="btn btn-grey" href="/votes"' in page


def test_empty_tab_says_so(client: Visitor) -> None:
    assert "아직 열린 질문이 없어요" in client.get("/votes").text
    assert "아직 없어요" in client.get("/votes?state=over").text


def test_who_has_answered_everything_is_told(as_bob: Visitor, bob: User, vote: Vote) -> None:
    factories.answer(bob, vote)

    assert "모두 답했어요" in as_bob.get("/votes?mine=unanswered").text


def test_numbers_beside_the_choices_are_mine(as_bob: Visitor, bob: User, vote: Vote) -> None:
    factories.answer(bob, vote)

    page = as_bob.get("/votes").text

    assert '<a href="/votes?mine=answered">내가 답한 것 <span>1</span></a>' in page
    assert '<a href="/votes?mine=unanswered">안 답한 것만 <span>0</span></a>' in page


def test_visitor_is_not_asked_about_own_votes(client: Visitor, vote: Vote) -> None:
    page = client.get("/votes").text

    assert "mine=staff" in page
    assert "mine=answered" not in page


def test_search_keeps_the_other_choices(client: Visitor, vote: Vote) -> None:
    page = client.get("/votes?state=waiting&sort=popular&duration=week").text

    for name, value in (("state", "waiting"), ("sort", "popular"), ("duration", "week")):
        assert f'<input type="hidden" name="{name}" value="{value}">' in page


def test_cards_do_not_tell_the_answers_before_i_answered(
    as_bob: Visitor, alice: User, bob: User, vote: Vote
) -> None:
    factories.answer(alice, vote, "yes")

    assert "100.0%" not in as_bob.get("/votes").text
    factories.answer(bob, vote, "no")
    assert "50.0%" in as_bob.get("/votes").text


def test_names_of_coins_are_escaped(client: Visitor, alice: User, now: datetime) -> None:
    factories.make_coin("EVIL", korean_name="<script>x</script>", observed_at=now)
    factories.make_vote(alice, coin="EVIL", now=now)

    assert "<script>x" not in client.get("/votes").text


def test_live_cards_are_the_ones_asked_for(client: Visitor, vote: Vote, closed_vote: Vote) -> None:
    answer = client.get(f"/votes/live?ids={vote.id},999,x,{'9' * 40}")

    assert shown(answer.text) == [vote.id]
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_live_cards_are_sent_again_only_when_changed(client: Visitor, vote: Vote) -> None:
    address = f"/votes/live?ids={vote.id}"
    known = {"If-None-Match": client.get(address).headers["ETag"]}

    unchanged = client.get(address, headers=known)
    factories.set_price("BTC", "104", at=vote.created_at + timedelta(minutes=5))
    changed = client.get(address, headers=known)

    assert unchanged.status_code == 304
    assert unchanged.text == ""
    assert changed.status_code == 200
    assert "+4.00%" in changed.text


def test_list_only_answers_get(client: Visitor) -> None:
    assert client.post("/votes").status_code == 405


def test_page_names_what_its_script_asks_for(
    client: Visitor, alice: User, vote: Vote, now: datetime
) -> None:
    factories.make_settled_vote(alice, now=now)

    assert f'data-live-url="/votes/live?ids={vote.id}"' in client.get("/votes").text
    assert "data-live-url" not in client.get("/votes?state=over").text


def test_counts_agree_with_the_tabs(client: Visitor, vote: Vote, closed_vote: Vote) -> None:
    page = client.get("/votes").text

    assert "진행 중<small>1</small>" in page
    assert "결과 대기<small>1</small>" in page
