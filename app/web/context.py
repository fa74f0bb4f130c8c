"""What every page knows: who looks at it, what time it is, how old the prices are."""

from flask import Flask, g
from flask_login import current_user

from app.clock import utcnow
from app.services import market


def viewer_id() -> int | None:
    """The id of the person who is signed in, or None."""
    return int(current_user.id) if current_user.is_authenticated else None


def init_app(app: Flask) -> None:
    """Give the time and the age of the prices to every page."""
    app.context_processor(_for_templates)


def _for_templates() -> dict[str, object]:
    now = utcnow()
    if g.get("bare"):
        return {"now": now, "prices_stale": False, "prices_at": None}
    age = market.price_age(now)
    return {"now": now, "prices_stale": age.is_stale, "prices_at": age.as_of}
