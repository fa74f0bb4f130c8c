"""The list of coins: all of them live, searched, narrowed and in any order."""

from flask import Blueprint, render_template, request

from app.clock import utcnow
from app.services import market
from app.web.context import viewer_id
from app.web.market.asked import asked_for, columns, order_links, tab_links
from app.web.market.rows import breadth, coin_rows, drawn, in_order, narrowed

bp = Blueprint("market", __name__)


@bp.get("/coins")
def index() -> str:
    """All coins by turnover, delisted ones last, or those that are asked for."""
    now, user_id, asked = utcnow(), viewer_id(), asked_for(request.args)
    favourites = None if user_id is None else market.favourite_codes(user_id=user_id)
    coins = market.catalogue(now)
    everything = coin_rows(coins, "", now)
    found = everything if not asked.q else coin_rows(coins, asked.q, now)
    shown = in_order(narrowed(found, asked, favourites or ()), asked)
    return render_template(
        "market/coins.html",
        now=now,
        asked=asked,
        rows=drawn(shown, favourites),
        shown=len(shown),
        active=sum(coin.is_active for coin in coins),
        breadth=breadth(everything),
        tabs=tab_links(asked),
        columns=columns(asked),
        orders=order_links(asked),
        board=market.live_board(now),
        member=user_id is not None,
    )
