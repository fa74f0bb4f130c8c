"""The market on pages: the list, the board of the largest, favourites, logos."""

from app.web.market import drawings
from app.web.market.asked import MAX_QUERY
from app.web.market.board import bp as _board
from app.web.market.favourites import bp as _favourites
from app.web.market.filling import bp as _filling
from app.web.market.listing import bp as _listing
from app.web.market.logos import bp as _logos
from app.web.market.rows import CoinRow, coin_rows

__all__ = ["BLUEPRINTS", "MAX_QUERY", "CoinRow", "coin_rows", "drawings"]

BLUEPRINTS = (_listing, _board, _favourites, _logos, _filling)
