"""What pages and searches read of the market: coins with quotes, ages, series."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import func, select

from app.db import Remembered
from app.domain.market import STALE_AFTER, age_s
from app.extensions import db
from app.models import Coin, PriceSample, Quote


@dataclass(frozen=True, slots=True)
class CatalogueCoin:
    """A coin as lists and searches need it, with its latest quote if there is one.

    `open`, `high`, `low` and `turnover_today` are of the exchange's day, which begins at 09:00 in
    Korea; `prev_close` is the close of the day before.
    """

    id: int
    code: str
    korean_name: str
    english_name: str
    search_key: str
    is_active: bool
    warning: bool
    cautions: tuple[str, ...]
    has_logo: bool
    price: Decimal | None
    change_rate: float | None
    turnover_24h: float | None
    observed_at: datetime | None
    prev_close: Decimal | None
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    turnover_today: float | None
    high_52w: Decimal | None
    low_52w: Decimal | None
    traded_at: datetime | None


@dataclass(frozen=True, slots=True)
class PriceAge:
    """How old the newest prices are; `as_of` is None before the first ones came.

    `age_s` is None then, and where our clock has been set back since.
    """

    as_of: datetime | None
    age_s: float | None

    @property
    def is_stale(self) -> bool:
        """Older than three minutes, or nobody knows: every page says so."""
        return self.age_s is None or self.age_s > STALE_AFTER.total_seconds()


def get_coin(code: str) -> Coin | None:
    """The coin with this code, delisted or not, or None."""
    return db.session.scalar(select(Coin).where(Coin.code == code))


def find_coin(code: str, now: datetime) -> CatalogueCoin | None:
    """The coin with this code as the catalogue has it, delisted or not, or None."""
    return next((coin for coin in catalogue(now) if coin.code == code), None)


def catalogue(now: datetime) -> list[CatalogueCoin]:
    """All coins with their quotes by turnover, largest first; up to a second old."""
    return coins_now.get(now)


def price_age(now: datetime) -> PriceAge:
    """How old the newest prices are."""
    as_of = price_age_now.get(now)
    if as_of is None:
        return PriceAge(None, None)
    return PriceAge(as_of, age_s(as_of, now))


def price_series(
    *, coin_id: int, since: datetime, until: datetime, points: int = 160
) -> list[tuple[datetime, Decimal]]:
    """Observed prices of a coin in a span, thinned to about `points`, oldest first."""
    rows = db.session.execute(
        select(PriceSample.minute, PriceSample.price)
        .where(PriceSample.coin_id == coin_id, PriceSample.minute.between(since, until))
        .order_by(PriceSample.minute)
    ).all()
    step = max(1, len(rows) // points)
    thinned = rows[::step]
    if rows and thinned[-1] is not rows[-1]:
        thinned = [*thinned, rows[-1]]
    return [(row.minute, row.price) for row in thinned]


def _read_catalogue(_now: datetime) -> list[CatalogueCoin]:
    rows = db.session.execute(
        select(
            Coin.id,
            Coin.code,
            Coin.korean_name,
            Coin.english_name,
            Coin.search_key,
            Coin.is_active,
            Coin.warning,
            Coin.cautions,
            Coin.has_logo,
            Quote.price,
            Quote.change_rate,
            Quote.turnover_24h,
            Quote.observed_at,
            Quote.prev_close,
            Quote.open,
            Quote.high,
            Quote.low,
            Quote.turnover_today,
            Quote.high_52w,
            Quote.low_52w,
            Quote.traded_at,
        )
        .outerjoin(Quote, Quote.coin_id == Coin.id)
        .order_by(Quote.turnover_24h.desc().nulls_last(), Coin.code)
    )
    return [
        CatalogueCoin(*row[:7], tuple(row.cautions.split()), *row[8:])  # type: ignore[call-arg]
        for row in rows
    ]


def _read_price_age(_now: datetime) -> datetime | None:
    return db.session.scalar(select(func.max(Quote.observed_at)))


coins_now = Remembered(_read_catalogue, timedelta(seconds=1))
price_age_now = Remembered(_read_price_age, timedelta(seconds=1))
