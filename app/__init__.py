"""The application factory: a table of contents."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import addresses, api, db, i18n, jobs, web, wiring
from app.extensions import babel, bootstrap, csrf, limiter, login, scheduler
from config import Config


def create_app(config: Config) -> Flask:
    """Build the application from `config`; starts nothing and touches no network."""
    app = Flask(__name__, instance_path=str(config.instance))
    app.config.from_mapping(config.flask_settings())
    # Nothing of ours is a coroutine; asking every hook of every request took a fifth of its time.
    app.ensure_sync = lambda func: func  # type: ignore[method-assign]
    db.init_app(app)
    wiring.init_app(app)
    addresses.init_app(app)
    web.init_app(app)
    api.init_app(app)
    for extension in (bootstrap, csrf, limiter, login, scheduler):
        extension.init_app(app)
    babel.init_app(app, locale_selector=web.preferences.locale)
    i18n.init_app(app)
    jobs.init_app(app)
    if config.trusted_proxies:  # outside of all that asks whether TLS is on
        hops = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops, hops)  # type: ignore[method-assign]
    return app
