"""PAGES: parse the form, call one service, render or redirect."""

from flask import Flask

from app.web import (
    access,
    art,
    assets,
    cards,
    chart,
    errors,
    filters,
    health,
    preferences,
    security,
    sessions,
)

_PARTS = (access, security, sessions, preferences, assets, art, chart, filters, cards, errors)
_BLUEPRINTS = (health.bp,)


def init_app(app: Flask) -> None:
    """Hook in what every page needs, and register the pages."""
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    for part in _PARTS:
        part.init_app(app)
    for blueprint in _BLUEPRINTS:
        app.register_blueprint(blueprint)
