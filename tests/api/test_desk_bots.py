"""Bots over JSON: one's own alone, explicit start and stop, and the halt of everything."""

import pytest
from sqlalchemy.orm import Session

from app.clock import utcnow
from app.domain.runs import BotMode, BotState
from app.models import User
from app.services.trading import bots
from tests.api.conftest import Client, SignIn
from tests.factories import make_coin


@pytest.fixture(autouse=True)
def _coins(session: Session) -> None:
    make_coin("BTC", observed_at=utcnow())


@pytest.fixture
def as_alice(sign_in: SignIn, alice: User) -> Client:
    return sign_in(alice)


def state_of(user: User) -> BotState:
    return bots.get_bot(user_id=user.id, mode=BotMode.PAPER).state


def test_both_bots_are_there_before_they_were_ever_started(as_alice: Client) -> None:
    told = as_alice.get("/desk/bots").get_json()

    assert [(one["mode"], one["state"], one["worth"]) for one in told] == [
        ("paper", "off", None), ("live", "off", None)
    ]  # fmt: skip


def test_bot_is_started_and_stopped_and_again_is_harmless(as_alice: Client, alice: User) -> None:
    for _ in range(2):
        assert as_alice.post("/desk/bots/paper/start", {}).get_json()["state"] == "running"
    told = as_alice.get("/desk/bots/paper").get_json()
    assert told["log"][0]["code"] == "run_started"
    assert told["worth"] == told["start_worth"] == 1_000_000
    assert told["targets"][0]["market"] == "KRW-BTC"

    for _ in range(2):
        assert as_alice.post("/desk/bots/paper/stop", {}).get_json()["state"] == "stopping"
    assert state_of(alice) is BotState.STOPPING


def test_halt_holds_until_it_is_lifted(as_alice: Client) -> None:
    as_alice.post("/desk/bots/paper/start", {})
    assert as_alice.post("/desk/bots/halt", {"sells": "maybe"}).status_code == 400
    told = as_alice.post("/desk/bots/halt", {"sells": "yes"}).get_json()
    assert told[0]["state"] == "halted"
    refused = as_alice.post("/desk/bots/paper/start", {})
    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "bot_halted")

    assert as_alice.post("/desk/bots/lift", {}).get_json()[0]["state"] == "off"


def test_no_call_allows_real_money(as_alice: Client) -> None:
    refused = as_alice.post("/desk/bots/live/start", {})

    assert (refused.status_code, refused.get_json()["error"]["code"]) == (409, "live_key_not_good")


def test_settings_are_kept_and_refused_at_their_field(as_alice: Client) -> None:
    kept = as_alice.send("PUT", "/desk/bots/paper/settings", {"k": "0.7", "share": "10"})
    assert kept.get_json()["settings"]["k"] == "0.7"
    refused = as_alice.send("PUT", "/desk/bots/paper/settings", {"k": "9"})
    body = refused.get_json()

    assert (refused.status_code, body["error"]["code"]) == (400, "setting_out_of_bounds")
    assert list(body["error"]["fields"]) == ["k"]


def test_bot_of_no_known_mode_is_not_found(as_alice: Client) -> None:
    assert as_alice.get("/desk/bots/imaginary").status_code == 404


def test_nobody_sees_or_moves_the_bots_of_another(sign_in: SignIn, alice: User, bob: User) -> None:
    sign_in(alice).post("/desk/bots/paper/start", {})
    sign_in(bob).post("/desk/bots/halt", {})

    assert state_of(alice) is BotState.RUNNING
    assert sign_in(bob).get("/desk/bots/paper").get_json()["log"] == []
