"""The market as we keep it: listings, quotes with their honest age, samples, logos."""

from app.services.market.board import LiveBoard, live_board
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
from app.services.market.listings import (
    ImplausibleListing,
    ListingChanges,
    fetch_logos,
    refresh_listings,
)
from app.services.market.prices import (
    SPEAKS_FOR,
    StoreReport,
    remember_prices,
    remember_quote,
    store_tickers,
    thin_samples,
)

__all__ = [
    "SPEAKS_FOR",
    "CatalogueCoin",
    "FavouriteCoin",
    "ImplausibleListing",
    "ListingChanges",
    "LiveBoard",
    "PriceAge",
    "StoreReport",
    "add_favourite",
    "catalogue",
    "coins_now",
    "drop_favourite",
    "favourite_codes",
    "fetch_logos",
    "get_coin",
    "list_favourites",
    "live_board",
    "price_age",
    "price_age_now",
    "price_series",
    "refresh_listings",
    "remember_prices",
    "remember_quote",
    "store_tickers",
    "thin_samples",
]
