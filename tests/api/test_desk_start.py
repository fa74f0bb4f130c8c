"""The button of the desk's first client: a toggle, for the person of this browser alone."""

import re
from typing import cast

import pytest
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.db import transaction
from app.domain.exchanges import ExchangeName, KeyState
from app.domain.runs import BotMode, BotState, LogKind
from app.models import LinkedAccount, User
from app.services.trading import bots
from app.services.trading.lines import add_line
from tests.conftest import MakeApp, Visitor
from tests.factories import make_coin

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(autouse=True)
def _coins(session: Session) -> None:
    make_coin("BTC", observed_at=utcnow())


@pytest.fixture
def visitor(client: Visitor, alice: User) -> Visitor:
    return client.sign_in(alice)


def state_of(user: User, mode: BotMode = BotMode.PAPER) -> BotState:
    return bots.get_bot(user_id=user.id, mode=mode).state


def test_nobody_gets_an_object_and_401(client: Visitor) -> None:
    answer = client.get("/coin/start")

    assert (answer.status_code, answer.json) == (401, {})


@pytest.mark.parametrize("path", ["/coin/start", "/coin/start/"])
def test_first_click_starts_and_the_next_stops(visitor: Visitor, alice: User, path: str) -> None:
    assert visitor.get(path, headers=OURS).json == {"status": "Auto"}
    assert state_of(alice) is BotState.RUNNING
    answer = visitor.get(path, headers=OURS)

    assert answer.status_code == 200
    assert state_of(alice) is BotState.STOPPING
    assert answer.json is not None
    assert list(answer.json) == ["log"]
    assert re.fullmatch(
        r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d 거래를 시작했어요.*", answer.json["log"][0]
    )


def test_equal_lines_are_told_apart(visitor: Visitor, alice: User) -> None:
    visitor.get("/coin/start", headers=OURS)
    run_id = bots.get_bot(user_id=alice.id, mode=BotMode.PAPER).run_id or 0
    now = utcnow()
    with transaction() as session:
        for _ in range(3):
            add_line(session, run_id=run_id, kind=LogKind.HALT, code="halted", now=now)
    log = cast(list[str], visitor.get("/coin/start", headers=OURS).json["log"])  # type: ignore[index]

    assert len(set(log)) == len(log) == 4
    assert log[3] == f"{log[1]} (3)"


def test_two_browsers_toggle_two_bots(client: Visitor, alice: User, bob: User) -> None:
    client.sign_in(alice).get("/coin/start", headers=OURS)
    client.sign_in(bob)

    assert client.get("/coin/start", headers=OURS).json == {"status": "Auto"}
    assert (state_of(alice), state_of(bob)) == (BotState.RUNNING, BotState.RUNNING)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Referer": "https://evil.example/page"},
        {"Origin": "https://evil.example"},
    ],
)
def test_other_sites_toggle_nothing(visitor: Visitor, alice: User, headers: dict[str, str]) -> None:
    answer = visitor.get("/coin/start", headers=headers)

    assert (answer.status_code, answer.json) == (403, {})
    assert state_of(alice) is BotState.OFF


def test_what_keeps_a_bot_from_starting_is_told_in_the_log(visitor: Visitor, alice: User) -> None:
    visitor.get("/coin/start", headers=OURS)
    bots.halt_all(user_id=alice.id, sells=False, now=utcnow())
    answer = visitor.get("/coin/start", headers=OURS)

    assert answer.json is not None
    assert answer.json["log"][-1].endswith("모두 멈춘 상태예요. 멈춤을 풀고 시작해 주세요.")
    assert state_of(alice) is BotState.HALTED


def test_live_bot_is_toggled_only_where_all_three_yeses_agree(
    make_app: MakeApp, alice: User
) -> None:
    visitor = cast(Visitor, make_app(live_trading=True).test_client()).sign_in(alice)
    with transaction() as session:
        account = LinkedAccount(
            user_id=alice.id, exchange=ExchangeName.UPBIT, sealed_keys="s", fingerprint="f",
            last_four="abcd", state=KeyState.GOOD, can_trade=True, linked_at=utcnow(),
        )  # fmt: skip
        session.add(account)
        session.flush()
        ident = account.id
    bots.choose_account(user_id=alice.id, account_id=ident, now=utcnow())
    visitor.get("/coin/start", headers=OURS)
    assert (state_of(alice), state_of(alice, BotMode.LIVE)) == (BotState.RUNNING, BotState.OFF)

    bots.confirm_live(user_id=alice.id, typed="a", sentence="a", now=utcnow())
    visitor.get("/coin/start")  # says nothing of where it comes from: paper alone
    assert state_of(alice, BotMode.LIVE) is BotState.OFF
    visitor.get("/coin/start", headers=OURS)
    assert state_of(alice, BotMode.LIVE) is BotState.RUNNING
