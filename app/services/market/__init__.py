"""The market as we keep it: listings, quotes with their honest age, samples, logos."""

from app.services.market.base_rates import base_rate, base_rates
from app.services.market.board import LiveBoard, live_board
from app.services.market.candles import (
    candle_series,
    last_finished_day,
    want_candles,
    week_lines,
)
from app.services.market.catalogue import (
    CatalogueCoin,
    PriceAge,
    catalogue,
    coins_now,
    get_coin,
    price_age,
    price_age_now,
    price_series,
)
from app.services.market.favourites import (
    FavouriteCoin,
    add_favourite,
    drop_favourite,
    favourite_codes,
    list_favourites,
)
    "TickReport",
