"""Who is signed in: the session cookie, "remember me", and the way to the sign-in page."""

from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, cast
from urllib.parse import urlencode

from flask import (
    Flask,
    Request,
    Response,
    after_this_request,
    flash,
    g,
    redirect,
    request,
    session,
)
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import UserMixin, current_user, login_user, logout_user
from itsdangerous import BadSignature, URLSafeTimedSerializer

from app.clock import utcnow
from app.extensions import login
from app.services import browsers, preferences
from app.services.accounts import Person
from app.web.preferences import kept_by_cookie

_LONGEST_IDENT = 60
_LIVE = "/api/v1/live"


class _Cookies(SecureCookieSessionInterface):
    """A request that bears a token is a client's: it has no session, and costs none.

    Nor has one for live prices, which are the same for everybody and asked for every second.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "Authorization" in request.headers and request.path.startswith("/api/"):
            return None
        if request.path == _LIVE:
            return None
        shown = request.cookies.get(self.get_cookie_name(app))
        return self.session_class(_read(self, app, shown) if shown else None)

    @cache  # noqa: B019 - one application, one of these
    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return super().get_signing_serializer(app)


def _read(cookies: _Cookies, app: Flask, shown: str) -> dict[str, Any] | None:
    """What a cookie says that we signed, not too long ago; None where it isn't worth anything."""
    serializer = cookies.get_signing_serializer(app)
    if serializer is None:
        return None
    try:
        said, signed_at = _signed(serializer, shown)
    except BadSignature:
        return None
    age_s = int(utcnow().timestamp()) - int(signed_at.timestamp())
    is_good = 0 <= age_s <= app.permanent_session_lifetime.total_seconds()
    return deepcopy(said) if is_good else None


@lru_cache(maxsize=1000)
def _signed(serializer: URLSafeTimedSerializer, shown: str) -> tuple[dict[str, Any], datetime]:
    """A browser shows the same cookie again and again; what we didn't sign isn't kept."""
    return cast(tuple[dict[str, Any], datetime], serializer.loads(shown, return_timestamp=True))


@dataclass(frozen=True, eq=False)
class Member(UserMixin):  # type: ignore[misc]
    """A signed-in person, as Flask-Login wants one; pages read the person's figures through it."""

    person: Person
    session_id: int | None = None

    def get_id(self) -> str:
        """What the cookies hold: worthless once the epoch is raised or the session ended."""
        ident = f"{self.person.id}.{self.person.session_epoch}"
        return ident if self.session_id is None else f"{ident}.{self.session_id}"

    def __getattr__(self, name: str) -> object:
        return getattr(object.__getattribute__(self, "person"), name)


def init_app(app: Flask) -> None:
    """Load people from their cookies."""
    app.session_interface = _Cookies()
    login.user_loader(load)
    login.unauthorized_handler(ask_to_sign_in)
    app.after_request(_note_seen)


def load(ident: str) -> Member | None:
    """The person a cookie names, or None where it isn't worth anything any more.

    A page for a failure knows nobody whom it would have to ask the database for.
    """
    if g.get("bare"):
        return None
    numbers = ident.split(".")
    if len(numbers) not in (2, 3) or len(ident) > _LONGEST_IDENT:
        return None
    if not all(number.isdecimal() and number.isascii() for number in numbers):
        return None
    session_id = int(numbers[2]) if len(numbers) == 3 else None
    found = browsers.find(
        user_id=int(numbers[0]), epoch=int(numbers[1]), session_id=session_id, now=utcnow()
    )
    g.browser = found
    return Member(found.person, session_id) if found else None


def _note_seen(response: Response) -> Response:
    """After the page is made, so that nobody's view finds a transaction open."""
    browser = g.get("browser")
    if browser is not None and response.status_code < 500:
        browsers.note_seen(browser, now=utcnow())
    return response


def sign_in(user_id: int, epoch: int, *, remember: bool) -> None:
    """Begin a session; the cookie is made anew, so a planted one is worth nothing.

    Language and theme that were chosen in this browser before are those of an account without any.
    """
    device = request.headers.get("User-Agent", "")
    begun = browsers.begin(user_id=user_id, epoch=epoch, device=device, now=utcnow())
    preferences.take_over(user_id=user_id, chosen=kept_by_cookie())
    found = browsers.find(user_id=user_id, epoch=epoch, session_id=begun, now=utcnow())
    if found is not None:
        session.clear()
        login_user(Member(found.person, begun), remember=remember)


def sign_out() -> None:
    """End this session and forget the browser."""
    if current_user.is_authenticated and current_user.session_id is not None:
        browsers.end(user_id=me().id, session_id=current_user.session_id, now=utcnow())
    session.clear()  # first, because what signing out leaves in it forgets the cookie
    logout_user()
    after_this_request(_forget_pages)


def _forget_pages(response: Response) -> Response:
    """Pieces of pages that scripts fetched are in the browser's cache."""
    response.headers["Clear-Site-Data"] = '"cache"'
    return response


def me() -> Person:
    """Who is signed in, on pages that only a signed-in person sees."""
    return cast(Person, current_user.person)


def person_key() -> str:
    """Whose tries a limit counts, on pages that only a signed-in person sees."""
    return f"person {me().id}"


def require_sign_in() -> ResponseReturnValue | None:
    """For `before_request` of pages that are a person's own: strangers are led to sign in."""
    return None if current_user.is_authenticated else ask_to_sign_in()


def ask_to_sign_in() -> ResponseReturnValue:
    """Lead to the sign-in page, and back to where one wanted to go."""
    flash(_("로그인이 필요해요."), "info")
    wanted = request.full_path.rstrip("?") if request.method == "GET" else ""
    query = "?" + urlencode({"next": wanted}) if wanted else ""
    return redirect(f"/login{query}", 303)
