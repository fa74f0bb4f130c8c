"""Coins: the list with its search, and the logos that the server keeps."""

import re
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from flask import Blueprint, Response, abort, render_template, request, send_from_directory

from app.clock import utcnow
from app.domain.market import FRESH_FOR, matches
from app.services import market, votes
from app.services.market import CatalogueCoin
from app.web.security import shown_elsewhere
from app.wiring import logo_folder

bp = Blueprint("market", __name__)

MAX_QUERY = 60
_CODE = re.compile(r"[A-Z0-9]{1,20}")
_LOGO_AGE = 7 * 86_400


@dataclass(frozen=True, slots=True)
class CoinRow:
    """A coin as the list shows it; `change` in percent against the day before."""

    coin: CatalogueCoin
    change: Decimal | None
    is_old: bool
    open_votes: int


@bp.get("/coins")
def index() -> str:
    """All coins by turnover, delisted ones last, or those that fit what is searched."""
    now = utcnow()
    query = request.args.get("q", "").strip()[:MAX_QUERY]
    coins = market.catalogue(now)
    return render_template(
        "market/coins.html",
        now=now,
        query=query,
        rows=coin_rows(coins, query, now),
        active=sum(coin.is_active for coin in coins),
        age=market.price_age(now),
    )


@bp.get("/coins/<code>/logo")
def logo(code: str) -> Response:
    """The coin's logo as the exchange gave it, or 404; any other name never meets the disk."""
    if not _CODE.fullmatch(code):
        abort(404)
    picture = send_from_directory(
        logo_folder(), f"{code}.png", mimetype="image/png", max_age=_LOGO_AGE
    )
    return shown_elsewhere(picture)


def coin_rows(coins: list[CatalogueCoin], query: str, now: datetime) -> list[CoinRow]:
    """The coins that fit, those that are traded before those that no longer are."""
    asked = votes.open_by_coin(now)
    found = [coin for coin in coins if matches(coin.search_key, query)]
    found.sort(key=lambda coin: not coin.is_active)
    return [_row(coin, now, asked.get(coin.code, 0)) for coin in found]


def _row(coin: CatalogueCoin, now: datetime, open_votes: int) -> CoinRow:
    rate, seen = coin.change_rate, coin.observed_at
    return CoinRow(
        coin=coin,
        change=None if rate is None else Decimal(str(rate)) * 100,
        is_old=seen is None or now - seen > FRESH_FOR,
        open_votes=open_votes,
    )
