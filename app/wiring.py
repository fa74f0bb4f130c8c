"""The only place that chooses: which exchange answers for the market, which key signs tokens."""

import hmac
from pathlib import Path
from typing import cast

from flask import Flask, current_app

from app.exchanges.base import Market
from app.exchanges.http import HttpClient
from app.exchanges.pacing import Pacer
from app.exchanges.upbit import Upbit
from app.version import VERSION

DEMO_PER_SECOND = 200.0


def init_app(app: Flask) -> None:
    """Make the exchange client from the settings; it opens no socket before its first call."""
    app.extensions["whaling_market"] = Upbit(
        app.config["WHALING_UPBIT_URL"],
        logo_url=app.config["WHALING_UPBIT_LOGO_URL"],
        # The demo's exchange is our own and has no limit; a month of play asks it a lot at once.
        pacer=Pacer(per_second=DEMO_PER_SECOND) if app.config["WHALING_DEMO"] else None,
        http=HttpClient(app.config["WHALING_UPBIT_URL"], user_agent=f"whaling/{VERSION}"),
    )
    # Tokens are signed with a key of their own, so that a signed cookie never passes for one.
    secret = str(app.config["SECRET_KEY"]).encode()
    app.extensions["whaling_token_key"] = hmac.digest(secret, b"whaling tokens", "sha256")


def market() -> Market:
    """The exchange that prices and candles come from."""
    return cast(Market, current_app.extensions["whaling_market"])


def token_key() -> bytes:
    """What access and refresh tokens are signed with."""
    return cast(bytes, current_app.extensions["whaling_token_key"])


def logo_folder() -> Path:
    """Where the logos that the server fetched are kept."""
    return Path(current_app.config["WHALING_INSTANCE"]) / "logos"


def whale_min_settled() -> int:
    """How many settled answers a whale needs at least."""
    return cast(int, current_app.config["WHALING_WHALE_MIN_SETTLED"])
