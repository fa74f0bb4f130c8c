"""The bot's page: what it shows, what it lets its owner do, and what it asks before real money."""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.db import table_of, transaction
from app.domain.exchanges import ExchangeName, KeyState
from app.domain.runs import BotMode, BotState
from app.domain.trading import BotSettings
from app.extensions import db
from app.models import Bot, BotRun, BotValue, LinkedAccount, Order, Position, RunLine, User
from app.services.trading import bots, runs
from tests.conftest import MakeApp, Visitor
from tests.factories import make_coin, make_run
from tests.web.visitors import said

STAMP = r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d"
PAGE = "http://localhost/desk/bot"
SENTENCE = "진짜 돈으로 거래하는 데 동의합니다"


@pytest.fixture(autouse=True)
def _coins(session: Session) -> None:
    make_coin("BTC", price="100", observed_at=utcnow())


@pytest.fixture
def visitor(client: Visitor, alice: User) -> Visitor:
    return client.sign_in(alice)


def link(user: User, **about: object) -> int:
    values = {
        "user_id": user.id, "exchange": ExchangeName.UPBIT, "sealed_keys": "sealed",
        "fingerprint": f"f{about}", "last_four": "3F9A", "state": KeyState.GOOD,
        "can_trade": True, "linked_at": utcnow(),
    }  # fmt: skip
    with transaction() as session:
        account = LinkedAccount(**(values | about))
        session.add(account)
        session.flush()
        return account.id


def bot_of(user: User, mode: BotMode = BotMode.PAPER) -> bots.BotFacts:
    db.session.rollback()
    return bots.get_bot(user_id=user.id, mode=mode)


def plant_trade(user: User, mode: BotMode = BotMode.PAPER, paid: str = "50") -> None:
    """A purchase of half a coin for `paid` won, at a signal of 100, five minutes ago."""
    now = utcnow()
    bot = bots.get_bot(user_id=user.id, mode=mode)
    made = {
        "bot_id": bot.id, "run_id": bot.run_id, "client_id": f"wl-{mode}", "market": "KRW-BTC",
        "day": now.date(), "side": "buy", "attempt": 0, "reason": "entry", "kind": "market",
        "funds": Decimal(paid), "signal_price": Decimal(100), "state": "filled",
        "executed_volume": Decimal("0.5"), "executed_funds": Decimal(paid),
        "paid_fee": Decimal("0.02"), "created_at": now, "ended_at": now,
    }  # fmt: skip
    with transaction() as session:
        session.execute(table_of(Order).insert(), made)
        session.add(
            Position(
                bot_id=bot.id, market="KRW-BTC", volume=Decimal("0.5"), cost=Decimal(paid),
                day=now.date(), opened_at=now,
            )
        )  # fmt: skip
        for minutes, value in ((10, "1000000"), (5, "1010000")):
            at = now - timedelta(minutes=minutes)
            worth = Decimal(value)
            session.add(BotValue(run_id=bot.run_id, at=at, value=worth, hold=worth))


def test_stranger_is_asked_to_sign_in(client: Visitor) -> None:
    assert client.get("/desk/bot").headers["Location"].startswith("/login")
    assert client.post("/desk/bot/halt").headers["Location"].startswith("/login")


def test_new_person_sees_a_paper_bot_that_is_off_and_the_kill_switch(visitor: Visitor) -> None:
    text = visitor.get("/desk/bot").text

    assert "모의 거래가 꺼져 있어요" in text
    assert "지금 모두 멈추기" in text
    assert "운영자가 꺼 두었어요" in text
    assert "일봉을 기다려요" in text


def test_bot_is_started_and_stopped_by_its_buttons(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")
    assert bot_of(alice).state is BotState.RUNNING
    text = visitor.get("/desk/bot").text
    assert "모의 거래 중이에요" in text
    assert "거래를 시작했어요. 자금 1,000,000원" in text

    visitor.post("/desk/bot/stop")
    assert bot_of(alice).state is BotState.STOPPING


def test_kill_switch_halts_and_only_the_person_lifts_it(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")
    visitor.post("/desk/bot/halt", data={"sells": "y"})
    found = bot_of(alice)
    assert (found.state, found.halt_sells) == (BotState.HALTED, True)
    assert "모두 멈췄어요" in visitor.get("/desk/bot").text
    visitor.post("/desk/bot/start")
    assert bot_of(alice).state is BotState.HALTED

    visitor.post("/desk/bot/lift")
    assert bot_of(alice).state is BotState.OFF


def test_kill_switch_sells_nothing_unless_that_was_ticked(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")

    visitor.post("/desk/bot/halt")

    found = bot_of(alice)
    assert (found.state, found.halt_sells) == (BotState.HALTED, False)


def test_figures_chart_and_log_of_a_run_are_shown(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")
    plant_trade(alice)
    text = visitor.get("/desk/bot").text

    assert "<path" in text
    assert "샀어요" in text
    assert "수수료 0.02원" in text
    assert visitor.get("/desk/bot/live").status_code == 200
    etag = visitor.get("/desk/bot/live").headers["ETag"]
    assert etag


def test_gains_of_the_day_of_the_run_and_of_waiting_stand_apart(
    visitor: Visitor, alice: User
) -> None:
    visitor.post("/desk/bot/start")
    with transaction() as session:
        of_run = {"run_id": bot_of(alice).run_id, "hold": Decimal(1_100_000)}
        for minute, value in enumerate(("1250000", "1300000")):
            at = utcnow() + timedelta(minutes=minute)
            session.add(BotValue(at=at, value=Decimal(value), **of_run))

    shown = said(visitor.get("/desk/bot"))

    assert re.search(r"오늘 손익 \D*−20\.00% −250,000원 시작부터 \D*0\.00% 0원", shown), shown
    assert "사서 들고 있기 +10.00%" in shown


def test_orders_come_as_csv(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")
    plant_trade(alice)
    answer = visitor.get("/desk/bot/orders.csv")

    assert answer.mimetype == "text/csv"
    first, second = answer.text.strip().splitlines()
    assert first.startswith("\ufeffcreated_at,market")
    assert ",KRW-BTC,buy,entry,filled,,50,100,0.5,50,0.02,,wl-paper" in second
    assert "wl-paper" not in visitor.get("/desk/bot/orders.csv?mode=live").text


def test_log_of_every_run_comes_as_a_file_in_the_contracts_form(
    visitor: Visitor, alice: User
) -> None:
    for _ in range(2):
        make_run(alice.id, now=utcnow())
    page = visitor.get("/desk/bot").text
    newer, older = re.findall(r'href="(/desk/bot/runs/\d+/log\.txt)"', page)

    answer = visitor.get(older)

    assert answer.mimetype == "text/plain"
    first, _, last = answer.text.splitlines()
    assert re.fullmatch(rf"{STAMP} 거래를 시작했어요\. 자금 1,000,000원", first)
    assert re.fullmatch(rf"{STAMP} 거래를 끝냈어요", last)
    assert visitor.get(newer).text.count("거래를 시작했어요") == 1


def test_lines_of_an_earlier_day_bear_their_date(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")
    before_noon = datetime(2026, 3, 2, 1, 4, 30, tzinfo=UTC)
    with transaction() as session:
        session.execute(update(RunLine).values(at=before_noon))

    page = visitor.get("/desk/bot").text

    assert ">3.02 10:04</time>" in page


def test_settings_are_kept_and_faults_are_said_at_the_field(visitor: Visitor, alice: User) -> None:
    assert 'value="0.5"' in visitor.get("/desk/bot/settings").text
    proposed = visitor.get("/desk/bot/settings?coin=ETH&k=0.7").text
    assert 'value="ETH"' in proposed
    assert 'value="0.7"' in proposed
    form = BotSettings().as_texts() | {"k": "9"}
    refused = visitor.post("/desk/bot/settings", data=form)
    assert refused.status_code == 422
    assert "0.001부터 5까지" in refused.text
    assert visitor.post("/desk/bot/settings", data=form | {"plays": "x"}).status_code == 422

    form["k"] = "0.7"
    assert visitor.post("/desk/bot/settings", data=form).status_code == 303
    assert bot_of(alice).settings.k == Decimal("0.7")


def test_real_money_takes_an_account_a_sentence_and_the_server(
    make_app: MakeApp, alice: User
) -> None:
    visitor = make_app(live_trading=True).test_client()
    assert isinstance(visitor, Visitor)
    visitor.sign_in(alice)
    assert "먼저 계좌를 연결해 주세요" in visitor.get("/desk/bot/real").text
    ident = link(alice)
    visitor.post("/desk/bot/real/account", data={"account": ident})
    assert SENTENCE in visitor.get("/desk/bot/real").text
    wrong = visitor.post("/desk/bot/real", data={"sentence": "네"})
    assert wrong.status_code == 422
    assert "문장이 달라요" in wrong.text
    visitor.post("/desk/bot/start?mode=live")
    assert bot_of(alice, BotMode.LIVE).state is BotState.OFF

    assert visitor.post("/desk/bot/real", data={"sentence": SENTENCE}).status_code == 303
    assert "확인 거두기" in visitor.get("/desk/bot/real").text
    assert "업비트 3F9A 확인됨" in visitor.get("/desk/bot?mode=live").text
    visitor.post("/desk/bot/start?mode=live")
    assert "실거래 중이에요" in visitor.get("/desk/bot?mode=live").text

    visitor.post("/desk/bot/real/no")
    assert bot_of(alice, BotMode.LIVE).confirmed_at is None


def test_second_click_and_a_tab_left_open_do_nothing_more(visitor: Visitor, alice: User) -> None:
    for _ in range(2):
        visitor.post("/desk/bot/start")
    assert len(list(db.session.scalars(select(BotRun)))) == 1
    for _ in range(2):
        visitor.post("/desk/bot/halt")
    log = visitor.get("/desk/bot").text
    assert log.count("모두 멈췄어요</span>") == 1

    late = {
        path: visitor.post(path, follow_redirects=True, headers={"Referer": PAGE}).text
        for path in ("/desk/bot/start", "/desk/bot/stop")
    }

    assert "모두 멈춘 상태예요. 멈춤을 풀고 시작해 주세요." in late["/desk/bot/start"]
    assert "거래를 끝내요." not in late["/desk/bot/stop"]
    assert bot_of(alice).state is BotState.HALTED


def test_key_that_only_looks_is_no_yes(visitor: Visitor, alice: User) -> None:
    bots.choose_account(user_id=alice.id, account_id=link(alice, can_trade=False), now=utcnow())

    assert "주문 권한이 확인된 열쇠를 골라 주세요" in visitor.get("/desk/bot?mode=live").text
    refused = visitor.post("/desk/bot/real", data={"sentence": SENTENCE})
    assert "주문 권한이 확인된 열쇠가 있어야 해요." in refused.text


def test_operators_no_keeps_a_live_bot_off(visitor: Visitor, alice: User) -> None:
    bots.choose_account(user_id=alice.id, account_id=link(alice), now=utcnow())
    bots.confirm_live(user_id=alice.id, typed="a", sentence="a", now=utcnow())

    answer = visitor.post("/desk/bot/start?mode=live", follow_redirects=True)

    assert "운영자가 실거래를 꺼 두었어요." in answer.text
    assert bot_of(alice, BotMode.LIVE).state is BotState.OFF


def test_drift_of_live_from_its_signals_and_from_paper_is_told(
    make_app: MakeApp, alice: User
) -> None:
    visitor = make_app(live_trading=True).test_client()
    assert isinstance(visitor, Visitor)
    visitor.sign_in(alice)
    bots.choose_account(user_id=alice.id, account_id=link(alice), now=utcnow())
    bots.confirm_live(user_id=alice.id, typed="a", sentence="a", now=utcnow())
    for mode, paid in ((BotMode.PAPER, "50"), (BotMode.LIVE, "50.5")):
        bots.start_bot(user_id=alice.id, mode=mode, live_trading=True, now=utcnow())
        plant_trade(alice, mode, paid)
    text = visitor.get("/desk/bot").text

    assert text.count("+1.000%") == 2


def test_account_of_somebody_else_is_not_found(visitor: Visitor, bob: User) -> None:
    ident = link(bob)

    assert visitor.post("/desk/bot/real/account", data={"account": ident}).status_code == 404
    assert visitor.post("/desk/bot/real/account", data={}).status_code == 404


def test_refused_key_is_told_on_the_page(visitor: Visitor, alice: User) -> None:
    visitor.post("/desk/bot/start")
    found = bot_of(alice)
    runs.stop_for(bot_id=found.id or 0, problem="key_expired", now=utcnow())
    text = visitor.get("/desk/bot").text

    assert "열쇠에 문제가 있어 멈췄어요" in text
    assert "기간이 지난 열쇠예요" in text


def test_bot_of_another_person_is_never_shown_or_touched(
    client: Visitor, alice: User, bob: User
) -> None:
    bots.start_bot(user_id=alice.id, mode=BotMode.PAPER, live_trading=False, now=utcnow())
    plant_trade(alice)
    client.sign_in(bob)
    assert "wl-paper" not in client.get("/desk/bot/orders.csv").text
    assert client.get("/desk/bot/runs/1/log.txt").status_code == 404
    client.post("/desk/bot/stop")
    client.post("/desk/bot/halt")

    db.session.rollback()
    assert list(db.session.scalars(select(Bot.state))) == [BotState.RUNNING]
    assert len(list(db.session.scalars(select(BotRun)))) == 1
