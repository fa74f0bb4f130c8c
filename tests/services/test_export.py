"""Everything we hold of a person, and nothing of anybody else."""

import csv
import io
import json
from typing import Any, cast

import pytest
from sqlalchemy import inspect
from sqlalchemy.orm import Session

from app.domain.errors import NotFound
from app.domain.exchanges import ExchangeName, Keys
from app.extensions import db
from app.models import User
from app.services import browsers, export, leaving, market, points, preferences
from app.services.exchanges import Doors, Sealer, link_account
from tests import factories as make
from tests.conftest import SEALING_KEY
from tests.factories import NOW
from tests.fakes import FakeBroker


def as_json(user: User) -> dict[str, Any]:
    found: dict[str, Any] = json.loads("".join(export.as_json(user_id=user.id, now=NOW)))
    return found


def as_csv(user: User, kind: str) -> list[dict[str, str]]:
    text = "".join(export.as_csv(user_id=user.id, kind=kind))
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text[1:])))


def test_every_kind_of_own_data_is_there(alice: User, bob: User) -> None:
    make.make_candles(make.make_coin(), "100", "100", "100")
    vote = make.make_vote(alice)
    make.answer(alice, vote)
    make.answer(bob, vote)
    browsers.begin(user_id=alice.id, epoch=0, device="Firefox", now=NOW)
    market.add_favourite(user_id=alice.id, code="BTC", now=NOW)
    preferences.choose(user_id=alice.id, chosen={"language": "en", "theme": "dark"})

    found = as_json(alice)

    assert found["made_at"] == "2026-03-02T03:04:30Z"
    account = found["account"][0]
    assert [account[name] for name in ("nickname", "language", "theme")] == ["alice", "en", "dark"]
    assert [row["coin"] for row in found["votes"]] == ["BTC"]
    assert found["votes"][0]["created_price"] == "100"
    assert (found["votes"][0]["base_rate_hits"], found["votes"][0]["base_rate_windows"]) == (0, 2)
    assert [row["choice"] for row in found["answers"]] == ["yes"]
    assert [row["amount"] for row in found["ledger"]] == [300, -50, -10]
    assert [row["device"] for row in found["sessions"]] == ["Firefox"]
    assert [row["coin"] for row in found["favourites"]] == ["BTC"]


def test_no_secret_is_given_out(session: Session) -> None:
    carol = make.make_user("carol", password="a-quiet-harbour")

    text = "".join(export.as_json(user_id=carol.id, now=NOW))

    assert "argon2" not in text
    assert "password" not in text


def test_linked_accounts_are_given_out_without_their_keys(alice: User) -> None:
    sealer = Sealer((SEALING_KEY,), b"f" * 32)
    keys = Keys("planted-access-key-3F9A", "planted-secret-key")
    link_account(
        user_id=alice.id,
        exchange=ExchangeName.BITHUMB,
        keys=keys,
        doors=Doors(sealer, lambda *_: cast(Any, FakeBroker())),
        now=NOW,
    )

    [row] = as_json(alice)["exchanges"]

    assert [row[name] for name in ("exchange", "last_four", "state")] == ["bithumb", "3F9A", "good"]
    text = "".join(export.as_json(user_id=alice.id, now=NOW))
    assert not any(word in text for word in ("planted", "sealed", "fingerprint"))


def test_every_table_that_knows_a_person_is_given_out_or_named_here() -> None:
    knowing = {
        table.name
        for table in db.metadata.tables.values()
        for key in table.foreign_keys
        if key.column.table.name == "users"
    }

    # Answers kept for a repeated request are copies of what stands elsewhere, for a day.
    assert knowing - {"kept_answers"} == {
        "identities",
        "pictures",
        "client_sessions",
        "votes",
        "ballots",
        "ledger_entries",
        "favourites",
        "linked_accounts",
        "bots",
        "backtests",
    }
    assert len(export.KINDS) == 12


def test_long_lists_come_whole_and_in_order(
    alice: User, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "_BATCH", 3)
    for amount in range(1, 10):
        points.grant(user_id=alice.id, amount=amount, now=NOW)

    assert [row["amount"] for row in as_json(alice)["ledger"]] == [300, *range(1, 10)]


def test_csv_has_a_heading_even_when_empty(alice: User) -> None:
    text = "".join(export.as_csv(user_id=alice.id, kind="votes"))

    assert text.startswith("\ufeffid,coin,direction,")
    assert as_csv(alice, "votes") == []


def test_csv_keeps_figures_and_disarms_formulas(session: Session) -> None:
    user = make.make_user("=1+1")
    make.make_vote(user)

    assert as_csv(user, "account")[0]["nickname"] == "'=1+1"
    assert [row["amount"] for row in as_csv(user, "ledger")] == ["300", "-50"]
    assert as_csv(user, "votes")[0]["final_price"] == ""


def test_unknown_kind_and_unknown_person_are_not_found(alice: User) -> None:
    with pytest.raises(NotFound):
        export.as_csv(user_id=alice.id, kind="passwords")
    with pytest.raises(NotFound):
        export.as_csv(user_id=99, kind="ledger")
    with pytest.raises(NotFound):
        export.as_json(user_id=99, now=NOW)


def test_who_left_is_given_nothing(alice: User) -> None:
    leaving.leave(user_id=alice.id, confirmation="alice", kakao=None, now=NOW)

    with pytest.raises(NotFound):
        export.as_json(user_id=alice.id, now=NOW)


def test_every_kind_can_be_read(alice: User) -> None:
    for kind, wanted in export.KINDS.items():
        assert inspect(wanted(alice.id).key) is not None
        assert isinstance(as_csv(alice, kind), list)
