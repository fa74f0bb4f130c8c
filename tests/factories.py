"""What tests need to exist: plain functions with defaults that let sums be done in the head."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count

from sqlalchemy import select

from app.db import transaction
from app.domain.accounts import nickname
from app.domain.candles import Ask, finished_until
from app.domain.exchanges import ExchangeName, Keys, KeyState
from app.domain.market import Candle, CandleUnit, Listing, Ticker, search_key
from app.domain.points import Reason
from app.domain.runs import BotMode
from app.domain.trading import BacktestSettings
from app.domain.votes import Choice, Direction, Duration, Question, VoteState
from app.extensions import db
from app.models import CandleSpan, Coin, Holding, LedgerEntry, LinkedAccount, Quote, User, Vote
from app.services import accounts, market, votes
from app.services.exchanges import Sealer
from app.services.market import Target
from app.services.trading import backtest_queue, backtests, bots
from app.services.trading.testing import run_backtest
from app.services.votes import Draft, Evidence
from app.wiring import fingerprint_key, sealing_keys

NOW = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
_numbers = count(1)


def make_user(
    name: str | None = None,
    *,
    points: int = 300,
    is_staff: bool = False,
    record: tuple[int, int] = (0, 0),
    password: str | None = None,
    now: datetime = NOW,
) -> User:
    """A person whose welcome was `points`; `record` = (right, settled).

    A record set here isn't backed by ballots: the audit will say so.
    """
    shown = nickname(name or f"person{next(_numbers)}")
    with transaction() as session:
        user = User(
            nickname=shown.shown,
            nickname_key=shown.key,
            password_hash=password and accounts.hash_password(password),
            is_staff=is_staff,
            points=points,
            right_count=record[0],
            settled_count=record[1],
            created_at=now,
        )
        session.add(user)
        session.flush()
        if points:
            session.add(
                LedgerEntry(user_id=user.id, reason=Reason.WELCOME, amount=points, created_at=now)
            )
        user_id = user.id
    found = db.session.get(User, user_id, populate_existing=True)
    assert found is not None
    return found


def make_coin(
    code: str = "BTC",
    *,
    price: str | None = "100",
    korean_name: str = "비트코인",
    english_name: str = "Bitcoin",
    observed_at: datetime = NOW,
    delisted_at: datetime | None = None,
) -> Coin:
    """An active coin at 100 won, observed just now; `price=None` for one never seen."""
    with transaction() as session:
        coin = Coin(
            code=code,
            market=f"KRW-{code}",
            korean_name=korean_name,
            english_name=english_name,
            search_key=search_key(code, korean_name, english_name),
            is_active=delisted_at is None,
            listed_at=NOW - timedelta(days=100),
            delisted_at=delisted_at,
        )
        session.add(coin)
    market.coins_now.forget()
    if price is not None:
        set_price(code, price, at=observed_at)
    found = db.session.scalar(select(Coin).where(Coin.code == code))
    assert found is not None
    return found


def set_price(code: str, price: str, *, at: datetime = NOW) -> None:
    """The coin's quote, observed at `at`."""
    market.remember_quote(code=code, price=Decimal(price), at=at)


def make_vote(
    creator: User,
    *,
    coin: str = "BTC",
    direction: str = "up",
    duration: str = "day",
    range_pct: int = 10,
    now: datetime = NOW,
    request_key: str | None = None,
) -> Vote:
    """An open vote: will BTC be 10 % higher in a day? Makes the coin at 100 won if need be.

    A coin that is there keeps its price, observed again at `now`.
    """
    if market.get_coin(coin) is None:
        make_coin(coin, observed_at=now)
    set_price(coin, _last_price(coin), at=now)
    vote_id = votes.open_vote(
        user_id=creator.id,
        draft=make_draft(coin, direction=direction, duration=duration, range_pct=range_pct),
        request_key=request_key or f"request-{next(_numbers)}",
        now=now,
    )
    return reload(vote_id)


def _last_price(code: str) -> str:
    price = select(Quote.price).join(Coin, Coin.id == Quote.coin_id).where(Coin.code == code)
    return str(db.session.scalar(price) or 100)


def make_draft(
    coin: str = "BTC", *, direction: str = "up", duration: str = "day", range_pct: int = 10
) -> Draft:
    """The question of `make_vote`, not asked yet."""
    return Draft(coin, Question(Direction(direction), Duration(duration), range_pct))


def make_closed_vote(creator: User, *, now: datetime = NOW, **kwargs: object) -> Vote:
    """A vote of yesterday whose result is due at `now` cut to the minute."""
    vote = make_vote(creator, now=now - timedelta(days=1), **kwargs)  # type: ignore[arg-type]
    return close(vote)


def close(vote: Vote) -> Vote:
    """Close a vote at its own deadline."""
    vote_id = vote.id
    votes.close_due_votes(now=vote.finished_at)
    return reload(vote_id)


def make_settled_vote(creator: User, *, final_price: str = "110", now: datetime = NOW) -> Vote:
    """A vote of yesterday, settled now; from 100 to 110 won it came out yes."""
    vote = make_closed_vote(creator, now=now)
    vote_id = vote.id
    settle(vote, final_price, now=now)
    return reload(vote_id)


def answer(user: User, vote: Vote, choice: str = "yes", *, now: datetime | None = None) -> None:
    """One answer, a minute after the vote was made."""
    votes.cast_ballot(
        user_id=user.id,
        vote_id=vote.id,
        choice=Choice(choice),
        whale_min_settled=1,
        now=now or vote.created_at + timedelta(minutes=1),
    )


def settle(vote: Vote, final_price: str = "110", *, now: datetime | None = None) -> bool:
    """Settle a closed vote at a final price; whether that did it."""
    moment = now or vote.tracked_at + timedelta(seconds=10)
    evidence = make_evidence(vote, final_price)
    return votes.settle_votes(vote_ids=[vote.id], evidence=evidence, now=moment) == 1


def make_evidence(vote: Vote, price: str = "110") -> Evidence:
    """The candle of the minute before the vote's `tracked_at`, closing at `price`."""
    candle = make_candle(price, opened_at=vote.tracked_at - timedelta(minutes=1))
    return Evidence(candle, "upbit", vote.tracked_at + timedelta(seconds=8))


def make_candle(
    price: str = "110", *, opened_at: datetime = NOW, market: str = "KRW-BTC"
) -> Candle:
    """A candle in which the price stood still."""
    value = Decimal(price)
    return Candle(market, opened_at, value, value, value, value, raw=f'{{"trade_price":{price}}}')


def make_candles(
    coin: Coin, *closes: str | None, unit: CandleUnit = CandleUnit.DAY, until: datetime = NOW
) -> None:
    """Finished candles of a coin, oldest first, the last one over just before `until`.

    Each opens at the close before it. None is a time without trades.
    """
    end = finished_until(until, unit)
    start = end - len(closes) * unit.length
    candles, last = [], next((close for close in closes if close), "100")
    for place, close in enumerate(closes):
        if close is not None:
            first, value = Decimal(last), Decimal(close)
            candles.append(
                Candle(
                    coin.market,
                    start + place * unit.length,
                    open=first,
                    high=max(first, value),
                    low=min(first, value),
                    close=value,
                    volume=1.0,
                    turnover=float(value),
                )
            )
            last = close
    target = Target(1, coin.id, coin.code, coin.market, unit, start, end)
    ask = Ask(end, max(1, len(closes)), since=start)
    market.store_page(target=target, ask=ask, candles=candles[::-1], now=until)


def know_the_start(coin: Coin, *, unit: CandleUnit = CandleUnit.DAY) -> None:
    """Have the exchange say that it has nothing older than what we hold."""
    known_from = db.session.scalar(
        select(CandleSpan.known_from).where(CandleSpan.coin_id == coin.id, CandleSpan.unit == unit)
    )
    assert known_from is not None
    target = Target(1, coin.id, coin.code, coin.market, unit, known_from, known_from)
    market.store_page(target=target, ask=Ask(known_from, 1), candles=(), now=NOW)


def make_ticker(code: str = "BTC", price: str = "100", *, at: datetime = NOW) -> Ticker:
    """A row of the exchange's snapshot."""
    return Ticker(f"KRW-{code}", Decimal(price), traded_at=at, stamped_at=at)


def make_listing(code: str = "BTC", *, korean_name: str = "비트코인") -> Listing:
    """A row of the exchange's list."""
    return Listing(f"KRW-{code}", code, korean_name, code.title())


def reload(vote_id: int) -> Vote:
    """The vote as the database has it now."""
    vote = db.session.get(Vote, vote_id, populate_existing=True)
    assert vote is not None
    return vote


def balance(user: User) -> int:
    """The stored balance now."""
    return db.session.scalar(select(User.points).where(User.id == user.id)) or 0


def is_state(vote: Vote, state: str) -> bool:
    """Whether the vote is in this state now."""
    return reload(vote.id).state is VoteState(state)


def link_account(
    user_id: int,
    *,
    exchange: ExchangeName = ExchangeName.UPBIT,
    keys: Keys | None = None,
    now: datetime = NOW,
    **about: object,
) -> LinkedAccount:
    """A linked account whose key is good for looking and trading; `about` are other columns."""
    keys = keys or Keys(f"an-access-key-{next(_numbers):04d}", "a-secret-key")
    sealer = Sealer(sealing_keys(), fingerprint_key())
    known: dict[str, object] = {
        "state": KeyState.GOOD, "can_view": True, "can_view_orders": True, "can_trade": True,
        "can_withdraw": False, "checked_at": now, "linked_at": now,
        "sealed_keys": sealer.seal(keys),
    }  # fmt: skip
    with transaction() as session:
        account = LinkedAccount(
            user_id=user_id,
            exchange=exchange,
            fingerprint=sealer.fingerprint(exchange, keys),
            last_four=keys.last_four,
            **(known | about),
        )
        session.add(account)
    return account


def hold(account_id: int, currency: str, free: str, bought_at: str | None = None) -> None:
    """Let a linked account hold something."""
    price = None if bought_at is None else Decimal(bought_at)
    with transaction() as session:
        session.add(
            Holding(
                account_id=account_id, currency=currency, free=Decimal(free), locked=Decimal(0),
                avg_buy_price=price,
            )
        )  # fmt: skip


def make_backtest(user_id: int, *, now: datetime = NOW) -> int:
    """One that is done; without candles of Bitcoin it says that there are too few."""
    settings = BacktestSettings()
    made = backtests.ask(user_id=user_id, settings=settings, now=now)
    backtest_queue.take_next(now)
    result = run_backtest(settings, now=now, progress=lambda _done: None)
    backtest_queue.finish(backtest_id=made, result=result, now=now)
    return made


def make_run(user_id: int, *, now: datetime = NOW) -> int:
    """A run of the bot on paper that was halted; its coin is Bitcoin, which must be listed."""
    bots.start_bot(user_id=user_id, mode=BotMode.PAPER, live_trading=False, now=now)
    bots.halt_all(user_id=user_id, sells=False, now=now)
    bots.lift_halt(user_id=user_id, now=now)
    return bots.get_bot(user_id=user_id, mode=BotMode.PAPER).run_id or 0
