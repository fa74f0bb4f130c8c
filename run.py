"""Serve Whaling: read the settings, bring the database up to date, start the clockwork, listen."""

import argparse
import gc
import logging
import os
import signal
import sys
from types import FrameType

gc.disable()  # nothing loaded below is garbage; looking for some took a tenth of the start

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError
from waitress import create_server

from app import create_app as build_app
from app import jobs
from app.db import transaction
from app.extensions import db
from app.schema import MIGRATIONS, TOUCH, SchemaError, is_current
from app.serving import connection_options, keep_connections
from config import Config, ConfigError

gc.freeze()
gc.enable()


def create_app() -> Flask:
    """The application for `flask --app run …`: with the commands and the migration tool."""
    from flask_migrate import Migrate

    from app import cli

    app = build_app(_config(demo=os.environ.get("WHALING_DEMO") == "1"))
    Migrate(app, db, directory=str(MIGRATIONS))
    cli.init_app(app)
    return app


def main(arguments: list[str] | None = None) -> int:
    """`python run.py [--demo] [--host] [--port]`; returns the exit code."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    if options.demo:
        from app import demo

        simulator = demo.start_exchange()
        os.environ["UPBIT_URL"] = simulator.url
        os.environ["UPBIT_WS_URL"] = simulator.ws_url
        os.environ["BITHUMB_URL"] = simulator.bithumb_url
        os.environ.setdefault("LIVE_TRADING", "on")  # at an exchange without any real money
    app = build_app(_config(demo=options.demo, host=options.host, port=options.port))
    _bring_up_to_date(app)
    if options.demo:
        print("Making people and votes for the demo …", flush=True)
        print(demo.prepare(app, simulator), flush=True)
    _serve(app)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--demo", action="store_true", help="own database, simulated exchange")
    parser.add_argument("--host", help="address to listen on (default: HOST or 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on (default: PORT or 5000)")
    return parser


def _config(**overrides: object) -> Config:
    try:
        return Config.from_env(**overrides)  # type: ignore[arg-type]
    except ConfigError as error:
        sys.exit(f"whaling: {error}")


def _bring_up_to_date(app: Flask) -> None:
    """Migrate an empty or older database; refuse one that is newer, or can't be written."""
    with app.app_context():
        try:
            if not is_current(db.engine):
                from flask_migrate import Migrate, upgrade

                Migrate(app, db, directory=str(MIGRATIONS))
                upgrade()
            with transaction() as session:
                session.execute(TOUCH)
        except SchemaError as error:
            sys.exit(f"whaling: {error}")
        except SQLAlchemyError as error:
            reason = getattr(error, "orig", None) or type(error).__name__
            sys.exit(f"whaling: the database {db.engine.url!r} can't be used: {reason}")


def _serve(app: Flask) -> None:
    """Listen until told to stop; the running job ends and gives its lease back.

    The database is closed last, so that SQLite folds its log in and the file alone is all there is.
    """
    settings = app.config
    keep_connections()
    try:
        server = create_server(
            app,
            host=settings["WHALING_HOST"],
            port=settings["WHALING_PORT"],
            threads=settings["WHALING_THREADS"],
            ident="whaling",
            # Waitress drops what proxies say; those we trust are read by ProxyFix in the factory.
            clear_untrusted_proxy_headers=not settings["WHALING_TRUSTED_PROXIES"],
            **connection_options(),
        )
    except (OSError, ValueError) as error:
        place = f"HOST={settings['WHALING_HOST']} PORT={settings['WHALING_PORT']}"
        sys.exit(f"whaling: can't listen at {place}: {getattr(error, 'strerror', None) or error}")
    signal.signal(signal.SIGTERM, _stop)
    address = f"http://{settings['WHALING_HOST']}:{server.effective_port}"
    if settings["WHALING_SCHEDULER"]:
        jobs.start(app)
    try:
        print(f"Whaling listens at {address}  (Ctrl-C ends it)", flush=True)
        server.run()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        server.close()
        if settings["WHALING_SCHEDULER"]:
            jobs.stop(app)
        with app.app_context():
            db.engine.dispose()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
