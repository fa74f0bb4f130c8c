"""The chart of a vote, and what stands around it."""

import json
import re
from datetime import datetime, timedelta
from html import unescape
from typing import Any

import pytest
from flask import Flask

from app.models import User, Vote
from app.services import market, votes
from tests import factories
from tests.conftest import Visitor
from tests.web.visitors import said


def told(page: str) -> dict[str, Any]:
    """What the script is told."""
    found = re.search(r'data-told="([^"]*)"', page)
    assert found
    chart: dict[str, Any] = json.loads(unescape(found[1]))
    return chart


@pytest.fixture
def settled(alice: User, now: datetime) -> Vote:
    """From 100 to 110 won it came out yes."""
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    factories.settle(factories.close(vote), "110")
    return factories.reload(vote.id)


def test_script_is_told_the_times_and_prices_of_the_question(
    client: Visitor, vote: Vote, now: datetime
) -> None:
    created, closes, due = (
        int(moment.timestamp()) for moment in (vote.created_at, vote.finished_at, vote.tracked_at)
    )

    chart = told(client.get(f"/votes/{vote.id}").text)

    assert (chart["opened"], chart["closes"], chart["ends"]) == (created, closes, due)
    assert (chart["start"], chart["target"], chart["rises"]) == (100.0, 110.0, True)
    assert chart["points"][0] == [created, 100.0]
    assert chart["decided"] is None


def test_a_fall_has_its_target_below(client: Visitor, alice: User, now: datetime) -> None:
    vote = factories.make_vote(alice, direction="down", now=now)

    chart = told(client.get(f"/votes/{vote.id}").text)

    assert (chart["target"], chart["rises"]) == (90.0, False)


def test_the_candle_that_decided_is_marked_and_named(client: Visitor, settled: Vote) -> None:
    assert settled.candle_opened_at is not None

    answer = client.get(f"/votes/{settled.id}")

    chart = told(answer.text)
    assert chart["decided"] == int(settled.candle_opened_at.timestamp())
    assert chart["points"][-1] == [int(settled.tracked_at.timestamp()), 110.0]
    minute = settled.candle_opened_at + timedelta(hours=9)
    assert f"결과 캔들 KRW-BTC, {minute:%Y-%m-%d %H:%M} KST, 종가 110원" in said(answer)


def test_running_vote_follows_the_price(client: Visitor, vote: Vote) -> None:
    page = client.get(f"/votes/{vote.id}").text

    assert 'data-live-codes="BTC"' in page
    assert 'data-standing data-coin="BTC" data-start="100' in page
    assert "js/market-live.js" in page
    assert "js/standing.js" in page


def test_running_vote_says_when_prices_are_not_live(client: Visitor, vote: Vote) -> None:
    page = client.get(f"/votes/{vote.id}")

    assert "data-live-note" in page.text
    assert "거래소에서 시세가 오지 않아요." in said(page)


def test_settled_vote_stands_still(client: Visitor, settled: Vote) -> None:
    page = client.get(f"/votes/{settled.id}").text

    assert "data-live-codes" not in page
    assert "data-standing" not in page
    assert "data-live-note" not in page
    assert "js/market-live.js" not in page
    assert "js/copy.js" in page


def test_vote_leads_to_its_coin(client: Visitor, vote: Vote) -> None:
    assert 'href="/coins/BTC"' in client.get(f"/votes/{vote.id}").text


def test_without_the_library_the_drawing_stays_and_the_table_opens(
    app: Flask, client: Visitor, vote: Vote
) -> None:
    app.jinja_env.globals["chart_library"] = lambda: ""

    answer = client.get(f"/votes/{vote.id}")

    assert "움직이는 차트를 불러오지 못했어요." in said(answer)
    assert "data-chart-table open>" in answer.text
    assert '<path class="line"' in answer.text
    assert "js/chart.js" not in answer.text


@pytest.fixture
def history(alice: User, now: datetime) -> None:
    """Eleven finished days: up by a tenth, and back again."""
    coin = factories.make_coin()
    factories.make_candles(coin, *["100", "110"] * 5, "100", until=now)


def base_rate(client: Visitor, vote: Vote) -> str:
    """The words of the section about what happened before."""
    section = client.get(f"/votes/{vote.id}").text.split('aria-labelledby="h-base"')[1]
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", section.split("</section>")[0])).split())


def test_base_rate_of_its_birth_is_shown_with_windows_and_periods(
    client: Visitor, alice: User, history: None, now: datetime
) -> None:
    vote = factories.make_vote(alice, now=now)

    shown = base_rate(client, vote)

    assert "50.0 %" in shown
    assert "비트코인: 1일 뒤 10% 이상 오른 날은 10일 중 5일 이에요." in shown
    assert "이 질문을 만든 때 알던 기록이에요." in shown
    assert "1일 +10% 50.0% 5일" in shown
    assert "1주일 +10% 50.0% 2일" in shown
    assert "1개월" not in shown.replace("1개월 뒤", "")


def test_short_history_is_said_honestly(
    client: Visitor, alice: User, history: None, now: datetime
) -> None:
    shown = base_rate(client, factories.make_vote(alice, now=now))

    assert "아는 날만 세면" in shown
    assert "지난 1년" not in shown
    assert "이 코인은 10일만 알아서 넉넉한 기록이 아니에요." in shown


def test_what_was_not_known_at_its_birth_is_todays_record_and_says_so(
    client: Visitor, vote: Vote, now: datetime
) -> None:
    coin = market.get_coin("BTC")
    assert coin is not None
    factories.make_candles(coin, *["100", "110"] * 5, until=now)

    shown = base_rate(client, vote)

    assert "이 질문을 만들 때는 아는 기록이 없었어요. 오늘까지의 기록이에요." in shown
    assert "9일 중 5일" in shown


def test_nothing_known_is_said(client: Visitor, vote: Vote) -> None:
    assert "아직 몰라요. 일봉을 모으는 중이에요." in base_rate(client, vote)


@pytest.mark.parametrize("situation", ["closed", "settled", "void"])
def test_every_situation_tells_the_base_rate(
    client: Visitor, alice: User, history: None, now: datetime, situation: str
) -> None:
    vote = factories.make_vote(alice, now=now - timedelta(days=1, minutes=5))
    if situation == "void":
        votes.void_vote(vote_id=vote.id, reason="halted", now=now)
    else:
        vote = factories.close(vote)
    if situation == "settled":
        factories.settle(vote, "110")

    assert "예전에는 얼마나 자주 그랬나요" in base_rate(client, vote)
