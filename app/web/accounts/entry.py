"""The way in and out: sign up, sign in, sign out, and the tutorial."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from flask_login import current_user

from app.clock import utcnow
from app.domain.accounts import NicknameTaken, WrongCredentials, nickname
from app.domain.errors import InvalidInput
from app.domain.points import WELCOME_POINTS
from app.extensions import csrf, limiter
from app.i18n import gettext
from app.services import accounts
from app.web.accounts.forms import LoginForm, SignupForm
from app.web.desk import entrance
from app.web.sessions import sign_in, sign_out

bp = Blueprint("accounts", __name__)

SIGN_IN_LIMIT = "10/minute;50/hour"
SIGN_UP_LIMIT = "20/minute;100/hour"
_ENTRANCES = ("/login", "/signup", "/logout")


def own_path(address: str) -> str | None:
    """The address when it leads to a page of ours that isn't an entrance, else None.

    Browsers read a backslash as a slash and drop tabs and line ends, so that `/\\host` and
    `/<tab>/host` lead away as `//host` does.
    """
    if not address.startswith("/") or address.startswith("//") or "\\" in address:
        return None
    if any(ord(char) <= ord(" ") for char in address):
        return None
    return None if urlsplit(address).path in _ENTRANCES else address


def _nickname_typed() -> str:
    """Whose account is tried; one that can't exist counts for the address alone."""
    try:
        return nickname(request.form.get("nickname", "")).key
    except InvalidInput:
        return get_remote_address()


def _failed(response: Response) -> bool:
    return response.status_code != 303


def _home() -> ResponseReturnValue:
    return redirect(own_path(request.args.get("next", "")) or "/", 303)


@bp.route("/login", methods=["GET", "POST"], strict_slashes=False)
@limiter.limit(SIGN_IN_LIMIT, methods=["POST"], exempt_when=entrance.is_for_keys)
@limiter.limit(
    SIGN_IN_LIMIT,
    methods=["POST"],
    key_func=_nickname_typed,
    deduct_when=_failed,
    exempt_when=entrance.is_for_keys,
)
def login() -> ResponseReturnValue:
    """Sign in with nickname and password, and go where one wanted to go.

    The desk's client shows exchange keys at the same address, without a form's token.
    """
    if entrance.is_for_keys():
        return entrance.enter()
    if request.method == "POST" and current_app.config["WTF_CSRF_ENABLED"]:
        csrf.protect()
    if current_user.is_authenticated:
        return _home()
    form = LoginForm()
    if not form.validate_on_submit():
        return render_template("accounts/login.html", form=form)
    try:
        user = accounts.check_credentials(
            name=form.nickname.data or "", password=form.password.data or ""
        )
    except WrongCredentials as error:
        form.refuse(error)
        return render_template("accounts/login.html", form=form), 422
    sign_in(user.id, user.session_epoch, remember=bool(form.remember.data))
    return _home()


csrf.exempt(login)  # it asks for the token itself


@bp.route("/signup", methods=["GET", "POST"])
@limiter.limit(SIGN_UP_LIMIT, methods=["POST"])
def signup() -> ResponseReturnValue:
    """Become a person with the welcome points, and be shown how it works."""
    if current_user.is_authenticated:
        return _home()
    form = SignupForm()
    if not form.validate_on_submit():
        return render_template("accounts/signup.html", form=form)
    try:
        user = accounts.sign_up(
            name=form.nickname.data or "", password=form.chosen_password(), now=utcnow()
        )
    except (InvalidInput, NicknameTaken) as error:
        form.refuse(error, "nickname")
        return render_template("accounts/signup.html", form=form), 422
    sign_in(user.id, user.session_epoch, remember=False)
    flash(gettext("반가워요! 고래밥 %(n)s개를 드렸어요.", n=WELCOME_POINTS), "success")
    return redirect("/tutorial", 303)


@bp.post("/logout")
def logout() -> ResponseReturnValue:
    """End this session; twice is harmless."""
    sign_out()
    flash(gettext("로그아웃했어요."), "success")
    return redirect("/", 303)


@bp.get("/tutorial")
def tutorial() -> str:
    """How it works, in four slides, for everybody."""
    return render_template("accounts/tutorial.html")
