"""The board of the twenty coins that are traded most, to be hung on a wall."""

from flask import Blueprint, render_template

from app.clock import utcnow
from app.services import market
from app.web.market.rows import coin_rows

bp = Blueprint("board", __name__)


@bp.get("/coins/board")
def show() -> str:
    """The twenty with the largest turnover of 24 hours, live, in large figures."""
    now = utcnow()
    board = market.live_board(now)
    return render_template(
        "market/board.html", now=now, board=board, rows=coin_rows(board.top, "", now)
    )
