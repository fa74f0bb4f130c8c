"""One vote in its situations, and what may be seen in each."""

import re
from datetime import datetime, timedelta

import pytest
from sqlalchemy import delete, update

from app.db import transaction
from app.models import Coin, Quote, User, Vote
from app.services import accounts, votes
from tests import factories
from tests.conftest import Visitor


def words(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def main(page: str) -> str:
    return page.split("<main")[1].split("</main>")[0]


def read(client: Visitor, vote: Vote, tail: str = "") -> str:
    answer = client.get(f"/votes/{vote.id}{tail}")
    assert answer.status_code == 200
    return main(answer.text) if "<main" in answer.text else answer.text


@pytest.fixture
def settled(alice: User, bob: User, now: datetime) -> Vote:
    """Bob said yes, and from 100 to 110 won it came out yes."""
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    factories.answer(bob, vote, "yes")
    factories.settle(factories.close(vote), "110")
    return factories.reload(vote.id)


@pytest.fixture
def void(alice: User, bob: User, vote: Vote, now: datetime) -> Vote:
    """Bob answered; then staff voided it."""
    factories.answer(bob, vote, "yes")
    votes.void_vote(vote_id=vote.id, reason="점검이 <길어요>", now=now)
    return factories.reload(vote.id)


def test_open_vote_offers_both_answers_with_cost_and_reward(as_bob: Visitor, vote: Vote) -> None:
    page = read(as_bob, vote)

    assert f'href="/votes/{vote.id}/answer?choice=yes"' in page
    assert f'href="/votes/{vote.id}/answer?choice=no"' in page
    assert "거는 고래밥 10 맞히면 +20 남은 고래밥 300" in words(page)


def test_visitor_may_look_and_is_told_to_sign_in(client: Visitor, vote: Vote) -> None:
    assert "로그인하면 답할 수 있어요" in read(client, vote)


def test_answers_and_whales_are_not_in_the_page_before_i_answered(
    as_bob: Visitor, vote: Vote
) -> None:
    for name in ("carl", "dora", "emil"):
        factories.answer(factories.make_user(name, record=(9, 10)), vote, "yes")

    page = as_bob.get(f"/votes/{vote.id}").text

    assert "100.0%" not in page
    assert "wl-crowd" not in page
    assert 'stroke-dasharray="100.0 100"' not in page
    assert "답하면 보여요" in page
    assert "wl-crowd" not in as_bob.get(f"/votes/{vote.id}/live").text


def test_answered_vote_shows_everybody_and_the_whales(
    as_bob: Visitor, bob: User, vote: Vote
) -> None:
    factories.answer(factories.make_user("carl", record=(9, 10)), vote, "no")
    factories.answer(bob, vote, "yes")

    page = words(read(as_bob, vote))

    assert "내 선택 예 50.0% 1명 1명 아니오 50.0%" in page
    assert "웨일의 선택 아니오 100.0%" in page


def test_closed_vote_says_when_and_how_it_is_decided(client: Visitor, closed_vote: Vote) -> None:
    page = words(read(client, closed_vote))

    assert "답변이 끝났어요. 결과를 기다려요" in page
    assert "바로 전 1분봉 종가를 써요" in page
    assert "/answer" not in page
    assert "웨일의 선택은 답한 사람에게만 보여요" in page


def test_vote_past_its_deadline_looks_closed_before_the_job_ran(
    client: Visitor, alice: User, now: datetime
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(hours=8, minutes=1))

    assert "답변이 끝났어요" in read(client, vote)


def test_right_answer_is_told_with_its_reward(as_bob: Visitor, settled: Vote) -> None:
    page = words(read(as_bob, settled))

    assert "맞혔어요! 고래밥 20개를 받았어요" in page
    assert "‘예’라고 답했어요. 가격은 10.00% 올랐어요. 지금 내 적중률은 100.00%예요." in page


def test_wrong_answer_is_told_calmly(client: Visitor, alice: User, now: datetime) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    factories.answer(alice, vote, "yes")
    factories.settle(factories.close(vote), "90")

    page = read(client.sign_in(alice), vote)

    assert "이번엔 빗나갔어요" in page
    assert "가격은 10.00% 내렸어요" in page
    assert "whale-happy" not in page


def test_who_did_not_answer_is_told_the_result_alone(client: Visitor, settled: Vote) -> None:
    page = read(client, settled)

    assert "결과는 ‘예’로 나왔어요" in page
    assert "적중률은" not in page


def test_receipt_holds_every_figure_of_the_decision(client: Visitor, settled: Vote) -> None:
    page = words(read(client, settled))

    for figure in (
        "KRW-BTC · 업비트", "시작 가격 100원", "목표 (10% 이상 오름) 110원",
        "마지막 1분봉 종가 110원", "목표와 같거나 높으면 ‘예’", "받은 시각", "+10.00% → 예",
        "{&#34;trade_price&#34;:110}",
    ):  # fmt: skip
        assert figure in page, figure


def test_receipt_leads_to_the_exchange_without_handing_anything_over(
    client: Visitor, settled: Vote
) -> None:
    page = read(client, settled)

    assert (
        'href="https://upbit.com/exchange?code=CRIX.UPBIT.KRW-BTC" rel="noopener noreferrer"'
    ) in page


def test_receipt_of_a_fall_says_at_or_below(client: Visitor, alice: User, now: datetime) -> None:
    vote = factories.make_vote(alice, direction="down", now=now - timedelta(days=1, minutes=5))
    factories.settle(factories.close(vote), "90")

    page = words(read(client, vote))

    assert "목표 (10% 이상 내림) 90원" in page
    assert "목표와 같거나 낮으면 ‘예’" in page


def test_void_vote_gives_reason_and_refunds(as_bob: Visitor, void: Vote) -> None:
    page = read(as_bob, void)

    assert "무효가 됐어요. 고래밥을 모두 돌려드렸어요" in page
    assert "점검이 &lt;길어요&gt;" in page
    assert "돌려준 고래밥 1명 · 60" in words(page)


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [("no_candle", "72시간 동안 받지 못했어요"), ("market_gone", "거래 지원이 끝나")],
)
def test_void_by_the_clockwork_is_explained(
    client: Visitor, vote: Vote, now: datetime, reason: str, sentence: str
) -> None:
    votes.void_vote(vote_id=vote.id, reason=reason, now=now)

    page = read(client, vote)

    assert sentence in page
    assert reason not in page


def test_price_tells_what_is_lacking_to_the_target(client: Visitor, vote: Vote) -> None:
    factories.set_price("BTC", "104", at=vote.created_at + timedelta(minutes=1))

    assert "104 원 시작보다 +4.00% · 목표까지 6원" in words(read(client, vote))


@pytest.mark.parametrize(("direction", "price"), [("up", "110"), ("down", "90")])
def test_price_at_the_target_has_reached_it(
    client: Visitor, alice: User, now: datetime, direction: str, price: str
) -> None:
    vote = factories.make_vote(alice, direction=direction, now=now - timedelta(minutes=9))
    factories.set_price("BTC", price, at=now)

    assert "목표에 닿았어요" in read(client, vote)


def test_price_is_also_a_table(client: Visitor, vote: Vote) -> None:
    factories.set_price("BTC", "104", at=vote.created_at + timedelta(minutes=10))

    page = read(client, vote)

    assert "표로 보기" in page
    assert page.count("<tr>") == 1 + len(("start", "sample", "now"))
    assert 'aria-label="시작 100원에서 104원까지의 가격. 목표는 110원 이상."' in page


def test_price_before_the_question_is_not_in_its_chart(
    client: Visitor, alice: User, now: datetime
) -> None:
    factories.make_coin("BTC", price="77", observed_at=now - timedelta(hours=2))
    factories.set_price("BTC", "100", at=now - timedelta(hours=1))
    vote = factories.make_vote(alice, now=now - timedelta(hours=1))

    assert ">77<" not in read(client, vote)


def test_stages_are_given_to_the_second(client: Visitor, alice: User, now: datetime) -> None:
    vote = factories.make_vote(alice, now=now)

    page = words(read(client, vote))

    assert re.search(r"질문이 열렸어요 \d+\.\d\d \d\d:\d\d:\d\d · 100원", page)
    assert re.search(r"답변 마감 \d+\.\d\d \d\d:\d\d:00", page)


def test_names_of_people_are_escaped(client: Visitor, alice: User, now: datetime) -> None:
    accounts.rename(user_id=alice.id, name="<b>x</b>&\"'")
    vote = factories.make_vote(alice, now=now)

    page = client.get(f"/votes/{vote.id}").text

    assert "<b>x</b>" not in page
    assert "&lt;b&gt;x&lt;/b&gt;&amp;&#34;&#39;님의 질문" in page


def test_only_staff_is_offered_to_void(as_admin: Visitor, bob: User, vote: Vote) -> None:
    assert f"/votes/{vote.id}/void" in read(as_admin, vote)
    assert "/void" not in read(as_admin.sign_in(bob), vote)


@pytest.mark.parametrize("number", ["0", "999", "9" * 30, "9" * 5000, "-1", "x", "%00", "١"])
@pytest.mark.parametrize("tail", ["", "/live", "/evidence.json"])
def test_number_that_is_no_vote_is_not_found(client: Visitor, number: str, tail: str) -> None:
    assert client.get(f"/votes/{number}{tail}").status_code == 404


def test_page_speaks_english(client: Visitor, settled: Vote) -> None:
    page = main(client.get(f"/votes/{settled.id}", headers={"Accept-Language": "en"}).text)

    assert "Will Bitcoin be 10% or more higher in 1 day?" in page
    assert not re.search("[가-힣]", page)


def test_live_parts_are_sent_again_only_when_changed(client: Visitor, vote: Vote) -> None:
    address = f"/votes/{vote.id}/live?seen=open"
    known = {"If-None-Match": client.get(address).headers["ETag"]}

    unchanged = client.get(address, headers=known)
    factories.set_price("BTC", "104", at=vote.created_at + timedelta(minutes=5))
    changed = client.get(address, headers=known)

    assert unchanged.status_code == 304
    assert "+4.00%" in changed.text


def test_live_parts_stand_for_parts_of_the_page(as_bob: Visitor, bob: User, vote: Vote) -> None:
    factories.answer(bob, vote)
    page, parts = read(as_bob, vote), read(as_bob, vote, "/live?seen=open")

    names = re.findall(r'data-live="([^"]+)"', parts)

    assert names == [f"{part}-{vote.id}" for part in ("status", "price", "fresh", "crowd", "moved")]
    assert all(f'data-live="{name}"' in page for name in names)


def test_page_is_told_when_the_vote_has_moved_on(client: Visitor, closed_vote: Vote) -> None:
    assert "상태가 바뀌었어요" in read(client, closed_vote, "/live?seen=open")
    assert "상태가 바뀌었어요" not in read(client, closed_vote, "/live?seen=closed")


def test_vote_without_a_price_says_so(client: Visitor, vote: Vote) -> None:
    with transaction() as session:
        session.execute(delete(Quote))

    assert "시세를 기다려요" in read(client, vote)


def test_price_says_when_it_was_seen(client: Visitor, alice: User, now: datetime) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(minutes=1))

    page = read(client, vote)

    assert re.search(r"업비트 · \d\d:\d\d:\d\d", page)
    assert "wl-stale" not in page


def test_price_that_stands_still_says_for_how_long(client: Visitor, vote: Vote) -> None:
    for tail in ("", "/live"):
        page = read(client, vote, tail)

        assert "업비트 · 1시간 전" in page
        assert 'class="wl-stale"' in page


def test_marks_of_the_exchange_are_shown(client: Visitor, vote: Vote, now: datetime) -> None:
    with transaction() as session:
        session.execute(update(Coin).values(warning=True, is_active=False, delisted_at=now))

    page = read(client, vote)

    assert "유의 종목" in page
    assert "거래 지원 종료" in page
