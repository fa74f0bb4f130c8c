"""`decide`: one tick for 100 bots with 20 coins each, prices read from the database."""

import time
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import select

from app.domain.trading import (
    Day,
    EnterAt,
    Exit,
    Held,
    Hold,
    Moment,
    Morning,
    StopLoss,
    VolatilityBreakout,
    Watch,
    decide_all,
)
from app.extensions import db
from app.models import Coin, Quote
from benchmarks import stage
from benchmarks.table import Row, middle, must_equal

BOTS, COINS_EACH, COINS = 100, 20, 200
RUNS, PEER_RUNS = 51, 5
TODAY = date(2026, 3, 2)
Due = list[tuple[int, str, EnterAt | Exit]]


def run() -> list[Row]:
    """All at once, coin by coin, and the decisions alone."""
    watches = make_watches()
    with stage.folder() as folder:
        app = stage.make_app(_filled(folder / "bots.db"))
        with app.app_context():
            prices = _prices()
            must_equal("decisions", _ours(watches), _coin_by_coin(watches))
            taken = {
                "ours": [_rate(lambda: _ours(watches)) for _ in range(RUNS)],
                "limit": [_rate(lambda: decide_all(watches, prices, TODAY)) for _ in range(RUNS)],
                "peer": [_rate(lambda: _coin_by_coin(watches)) for _ in range(PEER_RUNS)],
            }
            due = len(_ours(watches))
        stage.close_app(app)
    ours, limit, peer = (middle(taken[name]) for name in ("ours", "limit", "peer"))
    return [
        Row(
            "decide",
            ours,
            "decisions/s",
            peer=peer,
            limit=limit,
            target_vs_peer=50,
            notes=(
                f"{BOTS} bots, {COINS_EACH} coins each of {COINS}, {due} orders due;"
                f" {len(watches) / ours * 1e3:.1f} ms a tick; {RUNS} runs, peer {PEER_RUNS}; peer:"
                " one query and one call per coin; limit: the decisions alone, prices at hand",
            ),
        )
    ]


def make_watches() -> list[Watch]:
    """Each bot has coins of its own, a k for each of them, and holds every fifth."""
    plans: dict[tuple[int, Decimal], Watch] = {}
    watches = []
    for bot in range(BOTS):
        for turn in range(COINS_EACH):
            coin = 1 + (bot * 7 + turn * 3) % COINS
            k = Decimal(1 + (bot + turn) % 9) / 10
            watch = plans.setdefault((coin, k), _watch(coin, k))
            held = Held(Decimal(100 + coin), TODAY - timedelta(days=turn % 2))
            is_held = turn % 5 == 0
            watches.append(
                Watch(
                    bot,
                    watch.market,
                    watch.strategy,
                    watch.plan,
                    held if is_held else None,
                    traded=is_held,
                )
            )
    return watches


def _watch(coin: int, k: Decimal) -> Watch:
    """A coin's plan of the day, made once however many bots watch it."""
    price = Decimal(100 + coin)
    yesterday = Day(TODAY - timedelta(days=1), price, price + 5, price - 5, price)
    strategy = VolatilityBreakout(k, stop=StopLoss(Decimal(3)))
    return Watch(0, f"KRW-C{coin}", strategy, strategy.plan(Morning(TODAY, price - 4, [yesterday])))


def _filled(path: Path) -> Path:
    stage.migrated(path)
    with stage.filling(path) as connection:
        stage.add_coins(connection, COINS)
    return path


def _prices() -> dict[str, Decimal]:
    db.session.rollback()
    rows = db.session.execute(select(Coin.market, Quote.price).join(Quote)).tuples()
    return dict(rows.all())


def _ours(watches: list[Watch]) -> Due:
    return [
        (watch.bot_id, watch.market, decision)
        for watch, decision in decide_all(watches, _prices(), TODAY)
    ]


def _coin_by_coin(watches: list[Watch]) -> Due:
    due: Due = []
    db.session.rollback()
    for watch in watches:
        query = select(Quote.price).join(Coin).where(Coin.market == watch.market)
        moment = Moment(TODAY, db.session.scalars(query).one(), watch.held, watch.traded)
        decision = watch.strategy.decide(watch.plan, moment)
        if not isinstance(decision, Hold):
            due.append((watch.bot_id, watch.market, decision))
    return due


def _rate(deed: Callable[[], object]) -> float:
    began = time.perf_counter()
    deed()
    return BOTS * COINS_EACH / (time.perf_counter() - began)
