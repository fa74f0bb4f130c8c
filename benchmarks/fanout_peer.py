"""The peer of `fanout`: the same board from the same memory, but serialised for each viewer."""

from flask import Blueprint, Response

from app.api.wire import cached, utc_text
from app.clock import utcnow
from app.services import market

bp = Blueprint("bench_fanout_peer", __name__)


@bp.get("/peer/live")
def show() -> Response:
    """The twenty as the live board tells them; a 304 still costs the whole text."""
    board = market.live_board(utcnow())
    return cached(
        {
            "as_of": utc_text(board.as_of),
            "source": board.source,
            "coins": [
                [
                    coin.code,
                    coin.price,
                    coin.prev_close,
                    coin.change_rate,
                    coin.turnover_24h,
                    coin.low,
                    coin.high,
                    coin.traded_at and int(coin.traded_at.timestamp()),
                    coin.observed_at and int(coin.observed_at.timestamp()),
                ]
                for coin in board.top
            ],
        }
    )
