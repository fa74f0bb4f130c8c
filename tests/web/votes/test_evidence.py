"""The evidence for machines."""

import json
from datetime import datetime, timedelta

import pytest

from app.db import transaction
from app.models import User, Vote
from app.services import votes
from tests import factories
from tests.conftest import Visitor


@pytest.fixture
def settled(alice: User, now: datetime) -> Vote:
    return factories.make_settled_vote(alice, now=now)


def test_evidence_is_json_with_every_digit(client: Visitor, alice: User, now: datetime) -> None:
    factories.make_coin("SHIB", price="0.00001234", observed_at=now - timedelta(days=2))
    vote = factories.make_vote(alice, coin="SHIB", now=now - timedelta(days=2))
    factories.settle(factories.close(vote), "0.00001358")

    answer = client.get(f"/votes/{vote.id}/evidence.json")

    assert answer.mimetype == "application/json"
    assert '"created_price": 0.00001234,' in answer.text
    assert '"threshold": 0.000013574,' in answer.text
    assert '"final_price": 0.00001358,' in answer.text
    found = json.loads(answer.text)
    assert found["outcome"] == "yes"
    assert found["quote"] == {"trade_price": 0.00001358}


def test_quote_that_is_not_json_is_given_as_text(client: Visitor, settled: Vote) -> None:
    with transaction() as session:
        session.get_one(Vote, settled.id).raw_quote = 'cut "short'

    assert client.get(f"/votes/{settled.id}/evidence.json").json["quote"] == 'cut "short'


def test_there_is_no_evidence_without_a_result(
    client: Visitor, closed_vote: Vote, vote: Vote, now: datetime
) -> None:
    votes.void_vote(vote_id=vote.id, reason="x", now=now)

    for one in (closed_vote, vote):
        assert client.get(f"/votes/{one.id}/evidence.json").status_code == 404
