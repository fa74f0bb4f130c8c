"""The rows of the list of coins: worked out, narrowed, put in order, drawn."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from flask import current_app
from markupsafe import Markup

from app.domain.market import is_fresh, matches
from app.i18n import language
from app.services import market, votes
from app.services.market import CatalogueCoin
from app.web.art import drawing
from app.web.filters import change_pct, coin_name, tone
from app.web.market.asked import Asked

_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class CoinRow:
    """A coin as lists show it: what it moved since the day before, in percent and in won.

    `place` is where the price stands between today's low (0) and high (100); `line` the closes of
    a week.
    """

    coin: CatalogueCoin
    change: Decimal | None
    move: Decimal | None
    place: Decimal | None
    line: tuple[Decimal, ...]
    is_old: bool
    open_votes: int


@dataclass(frozen=True, slots=True)
class Breadth:
    """How the traded coins stand as a whole; `turnover` is of the last 24 hours."""

    up: int
    down: int
    turnover: Decimal
    open_votes: int


def coin_rows(coins: Sequence[CatalogueCoin], query: str, now: datetime) -> list[CoinRow]:
    """The coins that fit what is searched, those that are traded before those no longer are."""
    asked, lines = votes.open_by_coin(now), market.week_lines(now)
    found = [coin for coin in coins if matches(coin.search_key, query)]
    found.sort(key=lambda coin: not coin.is_active)
    return [_row(coin, now, lines.get(coin.id, ()), asked.get(coin.code, 0)) for coin in found]


def breadth(rows: Sequence[CoinRow]) -> Breadth:
    """The whole market in four figures; delisted coins don't count."""
    traded = [row for row in rows if row.coin.is_active]
    tones = [_tone(row) for row in traded]
    return Breadth(
        up=tones.count("up"),
        down=tones.count("down"),
        turnover=sum((Decimal(str(row.coin.turnover_24h or 0)) for row in traded), Decimal(0)),
        open_votes=sum(row.open_votes for row in traded),
    )


def narrowed(
    rows: Sequence[CoinRow], asked: Asked, favourites: Collection[str]
) -> Sequence[CoinRow]:
    """The rows of a tab."""
    fits: dict[str, Callable[[CoinRow], bool]] = {
        "favourites": lambda row: row.coin.code in favourites,
        "asked": lambda row: row.open_votes > 0,
        "up": lambda row: row.coin.is_active and _tone(row) == "up",
        "down": lambda row: row.coin.is_active and _tone(row) == "down",
    }
    return [row for row in rows if fits[asked.tab](row)] if asked.tab in fits else rows


def in_order(rows: Sequence[CoinRow], asked: Asked) -> list[CoinRow]:
    """The rows as asked for. What has no such figure stands after what has, delisted coins last."""
    keys = {id(row): _KEYS[asked.sort](row) for row in rows}
    known = [row for row in rows if keys[id(row)] is not None]
    unknown = [row for row in rows if keys[id(row)] is None]
    known.sort(key=lambda row: keys[id(row)], reverse=asked.descending)  # type: ignore[arg-type, return-value]
    return sorted([*known, *unknown], key=lambda row: not row.coin.is_active)


def drawn(rows: Sequence[CoinRow], starred: Collection[str] | None) -> Markup:
    """The rows as HTML, each drawn once while nothing of it changes.

    `starred` are a person's favourites; None is for visitors, whose stars lead to signing in.
    """
    spoken = language()
    return Markup("").join(
        _drawn(row, None if starred is None else row.coin.code in starred, spoken) for row in rows
    )


@lru_cache(maxsize=4096)
def _drawn(row: CoinRow, starred: bool | None, _language: str) -> Markup:
    """`_language` is part of the key; the macro asks for it itself."""
    macros = current_app.jinja_env.get_template("market/_row.html").module
    return drawing(macros.row(row, starred))  # type: ignore[attr-defined]


def _row(coin: CatalogueCoin, now: datetime, line: tuple[Decimal, ...], open_votes: int) -> CoinRow:
    rate, seen = coin.change_rate, coin.observed_at
    return CoinRow(
        coin=coin,
        change=None if rate is None else Decimal(str(rate)) * _HUNDRED,
        move=_move(coin),
        place=_place(coin),
        line=line,
        is_old=seen is None or not is_fresh(seen, now),
        open_votes=open_votes,
    )


def _move(coin: CatalogueCoin) -> Decimal | None:
    if coin.price is None or coin.prev_close is None:
        return None
    return coin.price - coin.prev_close


def _place(coin: CatalogueCoin) -> Decimal | None:
    """A price that has just left the day's range stands at its end until the range follows."""
    if coin.price is None or coin.low is None or coin.high is None or coin.low >= coin.high:
        return None
    share = (coin.price - coin.low) * _HUNDRED / (coin.high - coin.low)
    return min(max(share, Decimal(0)), _HUNDRED)


def _tone(row: CoinRow) -> str:
    return "flat" if row.change is None else tone(row.change)


def _week(row: CoinRow) -> Decimal | None:
    return change_pct(row.line[0], row.line[-1]) if len(row.line) > 1 else None


_KEYS: dict[str, Callable[[CoinRow], Decimal | float | str | None]] = {
    "turnover": lambda row: row.coin.turnover_24h,
    "name": lambda row: coin_name(row.coin),
    "price": lambda row: row.coin.price,
    "change": lambda row: row.change,
    "move": lambda row: row.move,
    "range": lambda row: row.place,
    "week": _week,
    "votes": lambda row: row.open_votes,
}
