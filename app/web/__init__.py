"""PAGES: parse the form, call one service, render or redirect."""

from flask import Flask

from app.web import (
    access,
    accounts,
    art,
    assets,
    base_rates,
    candles,
    cards,
    chart,
    coin,
    context,
    cookies,
    desk,
    errors,
    filters,
    health,
    home,
    keeping,
    making,
    market,
    pictures,
    points,
    preferences,
    security,
    sessions,
    smaller,
    votes,
)

_PARTS = (
    smaller,
    access,
    keeping,
    security,
    cookies,
    sessions,
    context,
    preferences,
    assets,
    art,
    chart,
    candles,
    base_rates,
    filters,
    cards,
    errors,
    pictures,
    accounts.kakao,
    market.drawings,
)
_BLUEPRINTS = (
    health.bp,
    home.bp,
    *votes.BLUEPRINTS,
    *accounts.BLUEPRINTS,
    pictures.bp,
    points.bp,
    *market.BLUEPRINTS,
    coin.bp,
    making.bp,
    *desk.BLUEPRINTS,
)


def init_app(app: Flask) -> None:
    """Hook in what every page needs, and register the pages."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for part in _PARTS:
        part.init_app(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
