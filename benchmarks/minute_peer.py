"""The peer of `minute`: the tasks one would write first, object by object."""

import time
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.kst import floor_minute
from app.domain.market import Candle, Ticker
from app.domain.votes import VoteState
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.extensions import db
from app.models import Coin, PriceSample, Quote, Vote
from app.services.votes import Evidence
from benchmarks import stage
from benchmarks.settle import settle_row_by_row


def run(path: Path, url: str) -> float:
    """Seconds for the three tasks on this database."""
    app, market = stage.make_app(path), Upbit(url, pacer=Pacer(per_second=1_000_000))
    with app.app_context():
        db.session.scalar(select(Vote.id).limit(1))
        began = time.perf_counter()
        _store_tickers(market)
        _close_votes()
        _settle_votes(market)
        seconds = time.perf_counter() - began
    stage.close_app(app)
    return seconds


def _store_tickers(market: Upbit) -> None:
    session = _begun()
    rows = market.tickers().rows
    seen_at = max(row.stamped_at for row in rows)
    for row in rows:
        coin = session.scalars(select(Coin).where(Coin.market == row.market)).one()
        _store(coin.id, row, seen_at)
    session.commit()


def _store(coin_id: int, row: Ticker, seen_at: datetime) -> None:
    quote = db.session.get_one(Quote, coin_id)
    quote.price, quote.prev_close = row.price, row.prev_close
    quote.high, quote.low = row.high, row.low
    quote.change_rate, quote.turnover_24h = row.change_rate, row.turnover_24h
    quote.traded_at, quote.observed_at, quote.fetched_at = row.traded_at, seen_at, stage.NOW
    minute = floor_minute(seen_at)
    if db.session.get(PriceSample, (coin_id, minute)) is None:
        tenth = minute.minute % 10 == 0
        sample = PriceSample(coin_id=coin_id, minute=minute, price=row.price, is_tenth=tenth)
        db.session.add(sample)


def _close_votes() -> None:
    session = _begun()
    due = select(Vote).where(Vote.state == VoteState.ONGOING, Vote.finished_at <= stage.NOW)
    for vote in session.scalars(due):
        vote.state, vote.updated_at = VoteState.FINISHED, stage.NOW
    session.commit()


def _settle_votes(market: Upbit) -> None:
    due = (
        select(Vote.id, Coin.market, Vote.tracked_at)
        .join(Coin, Coin.id == Vote.coin_id)
        .where(Vote.state == VoteState.FINISHED, Vote.tracked_at <= stage.NOW)
    )
    candles: dict[tuple[str, datetime], Candle] = {}
    for vote_id, name, moment in db.session.execute(due).all():
        if (name, moment) not in candles:
            found = market.candle_before(name, moment)
            assert found is not None
            candles[name, moment] = found
        settle_row_by_row(vote_id, Evidence(candles[name, moment], market.source, stage.NOW))


def _begun() -> Session:
    session = db.session()
    session.rollback()
    session.connection(execution_options={"sqlite_begin": "IMMEDIATE"})
    return session
