"""JSON: the same services for clients, under the contract's addresses and shapes."""

from flask import Flask

from app.api import (
    accounts,
    backtests,
    base_rates,
    candles,
    cors,
    data,
    desk,
    desk_accounts,
    desk_bots,
    errors,
    favourites,
    kakao,
    limits,
    live,
    market,
    points,
    reference,
    tokens,
    votes,
    ways,
)

_BLUEPRINTS = (
    tokens.bp,
    kakao.bp,
    accounts.bp,
    ways.bp,
    data.bp,
    votes.bp,
    points.bp,
    market.bp,
    base_rates.bp,
    candles.bp,
    market.tracker,
    live.bp,
    desk.bp,
    desk_accounts.bp,
    desk_bots.bp,
    backtests.bp,
    favourites.bp,
    reference.bp,
    reference.page,
)


def init_app(app: Flask) -> None:
    """Register the API; what leads nowhere under its addresses is answered in JSON too."""
    cors.init_app(app)
    limits.init_app(app)
    app.before_request(errors.routing_failure)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
