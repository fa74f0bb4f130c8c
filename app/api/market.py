"""Coins over JSON: for choosing one, one in detail, and the coin service's list of prices."""

from datetime import datetime
from decimal import Decimal
from typing import TypedDict

from flask import Response, request

from app.api.room import room
from app.api.shapes import CoinOut, coin_out, krname, picture
from app.api.told import tells
from app.api.wire import cached, kst_text, utc_text
from app.clock import utcnow
from app.domain.errors import NotFound
from app.domain.kst import floor_minute, to_kst
from app.services import market
from app.services.market import CatalogueCoin

bp = room("market")
tracker = room("tracker", "/tracker")
_TRACKER_QUERY = {"coin_code": {"type": "array", "items": {"type": "string"}}}


class CoinDetail(CoinOut):
    """A coin with what the exchange says about it, and its latest price with its honest age."""

    english_name: str
    is_active: bool
    warning: bool
    cautions: list[str]
    price: Decimal | None
    change_percent: Decimal | None
    turnover_24h: float | None
    price_as_of: str | None


class TrackedCoin(TypedDict):
    """A coin as the coin service tells it; `observed_at` is the time of the price in UTC."""

    coin_code: str
    coin_name: str
    coin_fullname: str
    coin_image: str
    cur_price: Decimal
    full_updated_time: str
    updated_date: int
    updated_time: int
    observed_at: str | None


@bp.get("/coins", strict_slashes=False)
@tells({200: list[CoinOut]}, query={"coin": {"type": "string"}})
def index() -> Response:
    """The coins that questions can be asked about; `coin` is part of a code or Korean name."""
    part = request.args.get("coin", "").strip().casefold()
    return cached([_coin(coin) for coin in _active() if _fits(coin, part)])


@bp.get("/coins/<code>", strict_slashes=False)
@tells({200: CoinDetail}, codes={"not_found": 404})
def show(code: str) -> Response:
    """One coin, delisted ones too."""
    for coin in market.catalogue(utcnow()):
        if coin.code == code:
            return cached(_detail(coin))
    raise NotFound


@tracker.get("/coins", strict_slashes=False)
@tells({200: list[TrackedCoin]}, query=_TRACKER_QUERY)
def prices() -> Response:
    """Coins with their latest prices; `coin_code`, repeated, picks some; unknown are absent."""
    wanted = set(request.args.getlist("coin_code"))
    coins = [coin for coin in _active() if not wanted or coin.code in wanted]
    return cached(
        [
            _tracked(coin, coin.price, coin.observed_at)
            for coin in coins
            if coin.price is not None and coin.observed_at is not None
        ]
    )


def _active() -> list[CatalogueCoin]:
    return [coin for coin in market.catalogue(utcnow()) if coin.is_active]


def _fits(coin: CatalogueCoin, part: str) -> bool:
    return part in coin.code.casefold() or part in coin.korean_name.casefold()


def _coin(coin: CatalogueCoin) -> CoinOut:
    return coin_out(coin.code, coin.korean_name, has_logo=coin.has_logo)


def _detail(coin: CatalogueCoin) -> CoinDetail:
    rate = coin.change_rate
    return {
        **_coin(coin),
        "english_name": coin.english_name,
        "is_active": coin.is_active,
        "warning": coin.warning,
        "cautions": list(coin.cautions),
        "price": coin.price,
        "change_percent": None if rate is None else round(100 * Decimal(str(rate)), 2),
        "turnover_24h": coin.turnover_24h,
        "price_as_of": utc_text(coin.observed_at),
    }


def _tracked(coin: CatalogueCoin, price: Decimal, observed_at: datetime) -> TrackedCoin:
    minute = floor_minute(to_kst(observed_at))
    name = krname(coin.korean_name)
    return {
        "coin_code": coin.code,
        "coin_name": name,
        "coin_fullname": f"{name}({coin.code})",
        "coin_image": picture(coin.code, has_logo=coin.has_logo),
        "cur_price": price,
        "full_updated_time": kst_text(minute),
        "updated_date": int(minute.strftime("%Y%m%d")),
        "updated_time": 100 * minute.hour + minute.minute,
        "observed_at": utc_text(observed_at),
    }
