"""A minute job before a simulated exchange, both at a time that the test says."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask

from app.exchanges.http import HttpClient
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.jobs.guard import Steps
from app.jobs.housekeeping import run_housekeeping
from app.jobs.minute import run_minute
from app.models import Quote, User, Vote
from app.services import market, votes
from app.simulator import Simulator
from app.simulator.clock import VirtualClock
from tests import factories as make

START = datetime(2026, 11, 20, 3, 0, 30, tzinfo=UTC)
CODE = "KRW-BTC"


class Clockwork:
    """Runs the minute at moments of our choice; the exchange and its pacing follow along."""

    def __init__(self, app: Flask, sim: Simulator) -> None:
        self.app, self.sim, self.now = app, sim, START
        self.restart()

    def restart(self) -> None:
        """A new client, which knows nothing of earlier bans."""
        http = HttpClient(
            self.sim.url, connect_timeout=1, read_timeout=0.25, total_timeout=0.5, max_bytes=10**6
        )
        pacer = Pacer(per_second=1000, clock=self._seconds, sleep=lambda _s: None)
        self.app.extensions["whaling_market"] = Upbit(self.sim.url, None, pacer, http)

    def _seconds(self) -> float:
        # The pacing's clock must move with each look, or a wait would never end.
        self._ticked = getattr(self, "_ticked", 0.0) + 0.01
        return self.now.timestamp() + self._ticked

    def at(self, moment: datetime) -> Steps:
        """One run of the minute job at a moment."""
        self.now = moment
        self.sim.clock = VirtualClock(moment, 0.0)
        for remembered in (market.coins_now, market.price_age_now):
            remembered.forget()
        steps = Steps(now=moment)
        run_minute(steps)
        return steps

    def after(self, vote: Vote, delay: timedelta = timedelta(seconds=10)) -> Steps:
        """One run some time after a vote's `tracked_at`."""
        return self.at(vote.tracked_at + delay)

    def keep_house(self) -> Steps:
        """One run of the hourly job now."""
        steps = Steps(now=self.now)
        run_housekeeping(steps)
        return steps

    def ask(self, user: User, *, coin: str = "BTC", **asked: object) -> Vote:
        """An open vote that starts from the price of now."""
        vote_id = votes.open_vote(
            user_id=user.id,
            draft=make.make_draft(coin, **asked),  # type: ignore[arg-type]
            request_key=f"{coin} {asked} {self.now}",
            now=self.now,
        )
        return make.reload(vote_id)

    def truth(self, vote: Vote, code: str = CODE) -> Decimal:
        """The last price that was traded before a vote's `tracked_at`."""
        return self.sim.price(code, vote.tracked_at - timedelta(milliseconds=1))

    def quote(self, code: str = "BTC") -> Quote:
        """What we hold of a coin."""
        coin = market.get_coin(code)
        assert coin is not None
        found = db.session.get(Quote, coin.id, populate_existing=True)
        assert found is not None
        return found


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(start=START, speed=0, markets=12, rate_limit=None) as exchange:
        yield exchange


@pytest.fixture
def clockwork(app: Flask, sim: Simulator) -> Iterator[Clockwork]:
    """The job has run once: coins and prices are there."""
    with app.app_context():
        work = Clockwork(app, sim)
        work.at(START)
        yield work
        db.session.rollback()


@pytest.fixture
def asker(clockwork: Clockwork) -> User:
    return make.make_user("asker", points=1000)
