"""The demo: a simulated exchange, sample people, and votes in every stage, made by real deeds."""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from heapq import heappop, heappush
from itertools import count

from flask import Flask, current_app

from app.clock import utcnow
from app.domain.accounts import NicknameTaken
from app.domain.errors import AppError
from app.domain.kst import floor_minute
from app.domain.market import Candle, CandleUnit, Listing, Snapshot, Ticker
from app.domain.votes import Choice, Direction, Duration, Question, outcome, schedule
from app.exchanges.base import Market
from app.jobs.candles import Filling
from app.jobs.guard import Steps
from app.jobs.settling import Settlement
from app.services import accounts, market, points, votes
from app.services.votes import Draft
from app.simulator import Simulator
from app.simulator.desk.samples import add_sample_accounts
from app.wiring import market as exchange
from app.wiring import whale_min_settled

CAST = {
    "demo": "demo-whaling",
    "newbie": "newbie-whaling",
    "captain": "captain-whaling",
}
_CROWD = """
심해탐험가 새벽네시 차트읽는곰 파도타는민지 존버왕 김프사냥꾼 등대지기 바다거북
달빛고래 소금빵 무풍지대 deepdiver northwind 느린걸음 코인줍는해녀
물때맞춰 tidepool 산호초 청새치 파란우산 오후의섬 harbor 만선의꿈
돛단배 미역국 해무 수평선 plankton 조개껍데기 회유어
"""
CROWD = tuple(_CROWD.split())
COINS = ("BTC", "ETH", "XRP", "SOL", "DOGE", "ADA", "SHIB", "AVAX", "PEPE", "USDT")
HISTORY_DAYS = 30
SAMPLE_EVERY = timedelta(hours=1)
#: The whale of the cast asks and answers a lot; so that there is something left to play with.
DEMO_GRANT = 600
#: How often one knows instead of guessing; half of the guesses are right as well.
SKILL = {"demo": 1.0, "심해탐험가": 0.7, "새벽네시": 0.62, "차트읽는곰": 0.55, "northwind": 0.5}
ASKERS = (*CROWD, "demo", "demo", "demo")


class NotADemo(Exception):
    """The database at hand isn't the demo's."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A vote of the plan: who asks what about which coin, and when."""

    key: str
    asker: str
    coin: str
    asked: Question
    at: datetime


class Recalled:
    """The exchange, asked once for each candle: a plan looks at the same minute several times."""

    def __init__(self, market: Market) -> None:
        self._market, self.source = market, market.source
        self._candles: dict[tuple[str, datetime], Candle | None] = {}

    def candle_before(self, market: str, moment: datetime) -> Candle | None:
        """As `Market.candle_before`."""
        if (market, moment) not in self._candles:
            self._candles[market, moment] = self._market.candle_before(market, moment)
        return self._candles[market, moment]

    def candles(
        self, market: str, unit: CandleUnit, *, until: datetime, count: int
    ) -> list[Candle]:
        """As `Market.candles`."""
        return self._market.candles(market, unit, until=until, count=count)

    def listings(self) -> Snapshot[Listing]:
        """As `Market.listings`."""
        return self._market.listings()

    def tickers(self) -> Snapshot[Ticker]:
        """As `Market.tickers`."""
        return self._market.tickers()

    def logo(self, code: str) -> bytes | None:
        """As `Market.logo`."""
        return self._market.logo(code)


def start_exchange() -> Simulator:
    """Start the simulated exchange in this process; it ends with it. Its accounts can be linked."""
    simulator = Simulator(port=0, rate_limit=None)
    add_sample_accounts(simulator)
    return simulator.start()


def prepare(app: Flask, simulator: Simulator) -> str:
    """Fill the demo database and say how to look at it."""
    with app.app_context():
        now = utcnow()
        told = seed(exchange(), now)
        seed_samples(simulator.price, now)
    cast = ", ".join(f"{name} / {password}" for name, password in CAST.items())
    return f"{told}\nSign in as {cast}"


def seed(market_: Market, now: datetime) -> str:
    """People, a month of settled votes, open ones, and two about to close and to settle.

    Everything goes through the same deeds as real play, so the books are right. What exists stays:
    a second call adds only the votes that are about to close and to settle. Raises NotADemo
    anywhere but in the demo database.
    """
    if not current_app.config["WHALING_DEMO"]:
        raise NotADemo("this isn't the demo database; start with WHALING_DEMO=1 or `make demo`")
    recalled = Recalled(market_)
    market.refresh_listings(market=recalled, now=now)
    _fill_days(recalled, now)  # so that votes of the past know how often it happened before
    first = _add_people(now - timedelta(days=HISTORY_DAYS + 1))
    plan = [*(_history(now) if first else ()), *(_running(now) if first else ()), *_imminent(now)]
    made = Play(recalled, now).run(plan)
    market.store_tickers(market=recalled, now=now)
    return f"{len(CROWD) + len(CAST)} people, {made} votes added"


def seed_samples(price_at: Callable[[str, datetime], Decimal], now: datetime) -> None:
    """Give the demo's coins a price history, so that the charts of older votes have a line."""
    steps = int(timedelta(days=HISTORY_DAYS + 2) / SAMPLE_EVERY)
    start = floor_minute(now).replace(minute=0)
    moments = [start - SAMPLE_EVERY * step for step in range(steps)]
    for code in COINS:
        market.remember_prices(code=code, prices=[(m, price_at(f"KRW-{code}", m)) for m in moments])


def _fill_days(market_: Market, now: datetime) -> None:
    """The days of the coins that are voted on; all other candles come in the background."""
    targets = market.candle_targets(now=now, codes=COINS)
    days = [one for one in targets if one.unit is CandleUnit.DAY and one.is_due(now)]
    Filling(market_, Steps(now=now)).run(days)


def _add_people(joined: datetime) -> bool:
    """The cast can sign in, the crowd can't. Returns whether they are new."""
    if accounts.find_user("demo") is not None:
        return False
    for name in (*CAST, *CROWD):
        try:
            accounts.sign_up(name=name, password=CAST.get(name), now=joined)
        except NicknameTaken:
            continue
    accounts.set_staff(name="captain", is_staff=True)
    points.grant(user_id=_ident("demo"), amount=DEMO_GRANT, now=joined)
    return True


def _ident(name: str) -> int:
    user = accounts.find_user(name)
    if user is None:
        raise LookupError(name)
    return user.id


def _history(now: datetime) -> Iterator[Planned]:
    """One or two settled votes a day over the last month."""
    dice = random.Random(7)
    for day in range(HISTORY_DAYS, 1, -1):
        for turn in range(1 + day % 2):
            at = floor_minute(now) - timedelta(days=day, hours=3 * turn, minutes=day)
            yield _planned(f"history-{day}-{turn}", dice, at, Duration.DAY)


def _running(now: datetime) -> Iterator[Planned]:
    """Votes that take answers, and votes that wait for their result."""
    dice = random.Random(11)
    for number in range(26):
        duration = (Duration.DAY, Duration.WEEK, Duration.WEEK, Duration.MONTH)[number % 4]
        open_for = {"day": 7, "week": 70, "month": 160}[duration]
        at = floor_minute(now) - timedelta(minutes=dice.randrange(20, open_for * 60))
        yield _planned(f"running-{number}", dice, at, duration)
    for number in range(8):
        duration = (Duration.WEEK, Duration.MONTH)[number % 2]
        hours = {"week": (75, 160), "month": (170, 600)}[duration]
        at = floor_minute(now) - timedelta(minutes=dice.randrange(hours[0] * 60, hours[1] * 60))
        yield _planned(f"waiting-{number}", dice, at, duration)


def _imminent(now: datetime) -> Iterator[Planned]:
    """Votes whose answers close, and votes whose result falls due, in the next two minutes."""
    dice, minute = random.Random(int(now.timestamp()) // 60), floor_minute(now)
    for ahead in (1, 2):
        soon = minute + timedelta(minutes=ahead)
        stamp = f"{soon:%Y%m%d%H%M}"
        yield _planned(f"closing-{stamp}", dice, soon - timedelta(hours=8), Duration.DAY)
        yield _planned(f"settling-{stamp}", dice, soon - timedelta(days=1), Duration.DAY)


def _planned(key: str, dice: random.Random, at: datetime, duration: Duration) -> Planned:
    largest = {"day": 3, "week": 9, "month": 18}[duration]
    asked = Question(dice.choice(tuple(Direction)), duration, dice.randint(1, largest))
    asker = "captain" if dice.random() < 0.15 else dice.choice(ASKERS)
    return Planned(key, asker, dice.choice(COINS[:-1]), asked, at + timedelta(seconds=12))


@dataclass(slots=True)
class Play:
    """The plan, happening in the order of time: asked, answered, closed and settled on the way."""

    market: Recalled
    now: datetime
    made: int = 0
    _pending: list[tuple[datetime, int, Callable[[], None]]] = field(default_factory=list)
    _order: Iterator[int] = field(default_factory=count)

    def run(self, plan: Iterable[Planned]) -> int:
        """Let everything happen that lies in the past; returns how many votes were made."""
        for planned in plan:
            self._at(planned.at, partial(self._ask, planned))
            due = _due(planned) + timedelta(seconds=10)
            self._at(due, partial(self._settle, due))
        while self._pending:
            _moment, _number, deed = heappop(self._pending)
            deed()
        votes.close_due_votes(now=self.now)
        return self.made

    def _at(self, moment: datetime, deed: Callable[[], None]) -> None:
        if moment < self.now:
            heappush(self._pending, (moment, next(self._order), deed))

    def _settle(self, moment: datetime) -> None:
        votes.close_due_votes(now=moment)
        Settlement(self.market, Steps(now=moment)).run()

    def _ask(self, planned: Planned) -> None:
        """One vote of the plan: its price of then, its asker, and who will answer it."""
        candle = self.market.candle_before(f"KRW-{planned.coin}", planned.at)
        if candle is None:
            return
        market.remember_quote(code=planned.coin, price=candle.close, at=planned.at)
        draft = Draft(planned.coin, planned.asked)
        try:
            vote_id = votes.open_vote(
                user_id=_ident(planned.asker), draft=draft, request_key=planned.key, now=planned.at
            )
        except AppError:  # the asker has no points left; somebody else asks another day
            return
        self.made += 1
        truth = self._truth(planned, candle)
        for number, (name, choice) in enumerate(_answers(planned, truth)):
            at = planned.at + timedelta(seconds=30 + 9 * number)
            self._at(at, partial(_cast, name, vote_id, choice, at))

    def _truth(self, planned: Planned, created: Candle) -> Choice | None:
        """What will come out, where that is past already."""
        due = _due(planned)
        final = self.market.candle_before(created.market, due) if due < self.now else None
        if final is None:
            return None
        return outcome(planned.asked, created_price=created.close, final_price=final.close)


def _due(planned: Planned) -> datetime:
    return schedule(planned.asked.duration, planned.at).tracked_at


def _answers(planned: Planned, truth: Choice | None) -> Iterator[tuple[str, Choice]]:
    """A part of the crowd answers; the skilled are right more often than chance."""
    dice = random.Random(planned.key)
    lean = dice.uniform(0.25, 0.75)
    for name in (*CAST, *CROWD):
        if dice.random() > (0.75 if name in SKILL else 0.5) or name == "newbie":
            continue
        guess = Choice.YES if dice.random() < lean else Choice.NO
        if truth and name == "demo":  # a whale in every demo, whatever the prices do
            yield name, truth if sum(planned.key.encode()) % 7 else _other(truth)
        else:
            yield name, truth if truth and dice.random() < SKILL.get(name, 0) else guess


def _other(choice: Choice) -> Choice:
    return Choice.NO if choice is Choice.YES else Choice.YES


def _cast(name: str, vote_id: int, choice: Choice, at: datetime) -> None:
    user_id = _ident(name)
    try:
        votes.cast_ballot(
            user_id=user_id,
            vote_id=vote_id,
            choice=choice,
            whale_min_settled=whale_min_settled(),
            now=at,
        )
    except AppError:  # out of points: take today's, answer another time
        if points.can_top_up(user_id=user_id, now=at):
            points.take_top_up(user_id=user_id, now=at)
