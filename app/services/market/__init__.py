"""The market as we keep it: listings, quotes with their honest age, samples, logos."""

from app.services.market.base_rates import all_base_rates, base_rate, base_rates
from app.services.market.board import LiveBoard, live_board
from app.services.market.candles import (
    candle_series,
    known_stretch,
    last_finished_day,
    want_candles,
    week_lines,
)
from app.services.market.catalogue import (
    CatalogueCoin,
    PriceAge,
    catalogue,
    coins_now,
    find_coin,
    get_coin,
    price_age,
    price_age_now,
    price_series,
)
from app.services.market.chart import Chart, coin_chart, forming_candle, price_line
from app.services.market.favourites import (
    FavouriteCoin,
    add_favourite,
    drop_favourite,
    favourite_codes,
    list_favourites,
)
from app.services.market.feed import (
    FeedNote,
    FeedState,
    TickReport,
    feed_state,
    followed_markets,
    store_ticks,
)
from app.services.market.filling import Implausible, drop_old_candles, push_back, store_page
from app.services.market.listings import (
    ImplausibleListing,
    ListingChanges,
    fetch_logos,
    refresh_listings,
)
from app.services.market.prices import (
    StoreReport,
    remember_prices,
    remember_quote,
    store_tickers,
    thin_samples,
)
from app.services.market.progress import FILLING_JOB, FillProgress, fill_progress
from app.services.market.quotes import SPEAKS_FOR
from app.services.market.targets import KEEP_DAYS, Target, candle_targets, watched_codes
from app.services.market.wishes import look_at_candles

__all__ = [
    "FILLING_JOB",
    "KEEP_DAYS",
    "SPEAKS_FOR",
    "CatalogueCoin",
    "Chart",
    "FavouriteCoin",
    "FeedNote",
    "FeedState",
    "FillProgress",
    "Implausible",
    "ImplausibleListing",
    "ListingChanges",
    "LiveBoard",
    "PriceAge",
    "StoreReport",
    "Target",
    "TickReport",
    "add_favourite",
    "all_base_rates",
    "base_rate",
    "base_rates",
    "candle_series",
    "candle_targets",
    "catalogue",
    "coin_chart",
    "coins_now",
    "drop_favourite",
    "drop_old_candles",
    "favourite_codes",
    "feed_state",
    "fetch_logos",
    "fill_progress",
    "find_coin",
    "followed_markets",
    "forming_candle",
    "get_coin",
    "known_stretch",
    "last_finished_day",
    "list_favourites",
    "live_board",
    "look_at_candles",
    "price_age",
    "price_age_now",
    "price_line",
    "price_series",
    "push_back",
    "refresh_listings",
    "remember_prices",
    "remember_quote",
    "store_page",
    "store_tickers",
    "store_ticks",
    "thin_samples",
    "want_candles",
    "watched_codes",
    "week_lines",
]
