"""What every page knows: the age of the prices."""

from datetime import timedelta

import pytest

from app.clock import utcnow
from app.models import User
from app.services import market
from tests import factories
from tests.conftest import Visitor

PAGES = ("/", "/votes", "/login", "/nowhere")


@pytest.mark.parametrize("address", PAGES)
def test_old_prices_are_announced_on_every_page(client: Visitor, alice: User, address: str) -> None:
    factories.make_coin(observed_at=utcnow() - timedelta(minutes=4, seconds=5))
    market.price_age_now.forget()

    page = client.get(address).text

    assert "시세가 4분째 멈춰 있어요." in page


@pytest.mark.parametrize("address", PAGES)
def test_fresh_prices_need_no_word(client: Visitor, alice: User, address: str) -> None:
    factories.make_coin(observed_at=utcnow() - timedelta(minutes=2))

    assert "wl-strip" not in client.get(address).text


def test_prices_that_never_came_are_announced(client: Visitor) -> None:
    assert "아직 시세를 받지 못했어요." in client.get("/votes").text
