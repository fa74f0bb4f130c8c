"""The only place that chooses: which exchange has the prices, which Kakao vouches for people."""

import hmac
from pathlib import Path
from typing import cast

from flask import Flask, current_app

from app.domain.errors import NotFound
from app.domain.exchanges import ExchangeName, Keys
from app.exchanges.base import Broker, Market, PaperBook, PriceStream
from app.exchanges.http import HttpClient
from app.exchanges.pacing import Pacer
from app.exchanges.paper import PaperBroker, PriceNow
from app.exchanges.registry import Registry
from app.exchanges.upbit import Upbit
from app.exchanges.upbit_stream import UpbitStream
from app.exchanges.websocket import WebSocket
from app.kakao.client import Kakao, KakaoApp
from app.version import VERSION

DEMO_PER_SECOND = 200.0
_AGENT = f"whaling/{VERSION}"


def init_app(app: Flask) -> None:
    """Make the clients of the outside from the settings; they open no socket before a call."""
    app.extensions["whaling_kakao"] = _kakao(app) if app.config["WHALING_KAKAO_CLIENT_ID"] else None
    app.extensions["whaling_market"] = Upbit(
        app.config["WHALING_UPBIT_URL"],
        logo_url=app.config["WHALING_UPBIT_LOGO_URL"],
        # The demo's exchange is our own and has no limit; a month of play asks it a lot at once.
        pacer=Pacer(per_second=DEMO_PER_SECOND) if app.config["WHALING_DEMO"] else None,
        http=HttpClient(app.config["WHALING_UPBIT_URL"], user_agent=_AGENT),
    )
    app.extensions["whaling_accounts"] = Registry(
        upbit_url=app.config["WHALING_UPBIT_URL"],
        bithumb_url=app.config["WHALING_BITHUMB_URL"],
        user_agent=_AGENT,
    )
    # Tokens are signed with a key of their own, so that a signed cookie never passes for one.
    secret = str(app.config["SECRET_KEY"]).encode()
    app.extensions["whaling_token_key"] = hmac.digest(secret, b"whaling tokens", "sha256")


def _kakao(app: Flask) -> Kakao:
    with app.app_context():
        return Kakao(kakao_app(), user_agent=_AGENT)


def market() -> Market:
    """The exchange that prices and candles come from."""
    return cast(Market, current_app.extensions["whaling_market"])


def price_stream() -> PriceStream | None:
    """A line, not open yet, to what the exchange pushes; None where nothing is to be pushed."""
    url = current_app.config["WHALING_UPBIT_WS_URL"]
    return UpbitStream(WebSocket(url, user_agent=_AGENT)) if url else None


def broker(exchange: ExchangeName, keys: Keys) -> Broker:
    """The broker of a person's account. Make one for each use: it holds the keys."""
    return _accounts().broker(exchange, keys)


def paper_broker(exchange: ExchangeName, book: PaperBook, price: PriceNow) -> Broker:
    """A broker over paper books, on the terms of an exchange and by its real order books."""
    return PaperBroker(exchange, book, price, _accounts().order_books(exchange).asks)


def bot_broker(
    exchange: ExchangeName, keys: Keys | None, book: PaperBook, price: PriceNow
) -> Broker:
    """What a bot trades with: the account of its keys, or its paper books where it has none."""
    return paper_broker(exchange, book, price) if keys is None else broker(exchange, keys)


def _accounts() -> Registry:
    return cast(Registry, current_app.extensions["whaling_accounts"])


def live_trading() -> bool:
    """The server's own yes to real money."""
    return cast(bool, current_app.config["WHALING_LIVE_TRADING"])


def kakao_or_none() -> Kakao | None:
    """Kakao, or None where this server offers no way in by it."""
    return cast(Kakao | None, current_app.extensions["whaling_kakao"])


def kakao() -> Kakao:
    """Kakao; raises NotFound where this server offers no way in by it."""
    found = kakao_or_none()
    if found is None:
        raise NotFound
    return found


def kakao_app() -> KakaoApp:
    """Our app at Kakao, with the key and the number that Kakao's messages must carry."""
    return KakaoApp(
        client_id=current_app.config["WHALING_KAKAO_CLIENT_ID"],
        client_secret=current_app.config["WHALING_KAKAO_CLIENT_SECRET"],
        native_key=current_app.config["WHALING_KAKAO_NATIVE_KEY"],
        app_id=current_app.config["WHALING_KAKAO_APP_ID"],
        admin_key=current_app.config["WHALING_KAKAO_ADMIN_KEY"],
        auth_url=current_app.config["WHALING_KAKAO_AUTH_URL"],
        api_url=current_app.config["WHALING_KAKAO_API_URL"],
    )


def kakao_callback() -> str:
    """Where Kakao sends browsers back: always the same, whatever a visitor's Host header says."""
    return f"{current_app.config['WHALING_PUBLIC_URL']}/login/kakao/callback"


def is_kakao_redirect(address: str) -> bool:
    """Whether a client may say that its code was sent there."""
    return address in current_app.config["WHALING_KAKAO_REDIRECT_URIS"]


def token_key() -> bytes:
    """What access and refresh tokens are signed with."""
    return cast(bytes, current_app.extensions["whaling_token_key"])


def sealing_keys() -> tuple[str, ...]:
    """What people's exchange keys are sealed with, newest first."""
    return cast(tuple[str, ...], current_app.config["WHALING_EXCHANGE_KEYS"])


def fingerprint_key() -> bytes:
    """What tells one exchange key from another without keeping it."""
    secret = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.digest(secret, b"whaling exchange keys", "sha256")


def logo_folder() -> Path:
    """Where the logos that the server fetched are kept."""
    return Path(current_app.config["WHALING_INSTANCE"]) / "logos"


def whale_min_settled() -> int:
    """How many settled answers a whale needs at least."""
    return cast(int, current_app.config["WHALING_WHALE_MIN_SETTLED"])
