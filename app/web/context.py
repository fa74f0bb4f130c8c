"""What every page knows: who looks at it, what time it is, how old the prices are, the rules."""

from flask import Flask, g
from flask_login import current_user

from app.clock import utcnow
from app.domain.accounts import MAX_NICKNAME, MIN_PASSWORD
from app.domain.points import TOP_UP_POINTS, WELCOME_POINTS, WHALE_PCT
from app.domain.votes import STAFF_TERMS, TERMS
from app.services import market

#: The figures that pages tell people, so that no page has one of its own.
RULES = {
    "terms": TERMS,
    "staff_terms": STAFF_TERMS,
    "welcome": WELCOME_POINTS,
    "top_up": TOP_UP_POINTS,
    "whale_pct": WHALE_PCT,
    "nickname": MAX_NICKNAME,
    "password": MIN_PASSWORD,
}


def viewer_id() -> int | None:
    """The id of the person who is signed in, or None."""
    return int(current_user.id) if current_user.is_authenticated else None


def init_app(app: Flask) -> None:
    """Give the time, the age of the prices and the rules' figures to every page."""
    app.jinja_env.globals["rules"] = RULES
    app.context_processor(_for_templates)


def _for_templates() -> dict[str, object]:
    now = utcnow()
    if g.get("bare"):
        return {"now": now, "prices_stale": False, "prices_at": None}
    age = market.price_age(now)
    return {"now": now, "prices_stale": age.is_stale, "prices_at": age.as_of}
