"""One's favourite coins over JSON."""

from flask import Response

from app.api.room import room, signed_in
from app.api.shapes import CoinOut, coin_out
from app.api.told import tells
from app.api.wire import cached, empty, utc_text
from app.clock import utcnow
from app.services import market
from app.services.tokens import Bearer

bp = room("favourites")
_CODES = {"not_found": 404}


class FavouriteOut(CoinOut):
    """A favourite coin and since when it is one."""

    added_at: str | None


@bp.get("/user/favourites", strict_slashes=False)
@tells({200: list[FavouriteOut]})
@signed_in
def index(who: Bearer) -> Response:
    """One's favourites, the newest first; delisted coins stay."""
    found = market.list_favourites(user_id=who.person.id)
    told: list[FavouriteOut] = [
        {
            **coin_out(coin.code, coin.korean_name, has_logo=coin.has_logo),
            "added_at": utc_text(coin.created_at),
        }
        for coin in found
    ]
    return cached(told)


@bp.put("/user/favourites/<coin:code>", strict_slashes=False)
@tells({204: None}, codes=_CODES)
@signed_in
def add(who: Bearer, code: str) -> Response:
    """Make a coin a favourite; again is harmless."""
    market.add_favourite(user_id=who.person.id, code=code, now=utcnow())
    return empty(204)


@bp.delete("/user/favourites/<coin:code>", strict_slashes=False)
@tells({204: None}, codes=_CODES)
@signed_in
def drop(who: Bearer, code: str) -> Response:
    """Let go of a favourite; again is harmless."""
    market.drop_favourite(user_id=who.person.id, code=code)
    return empty(204)
