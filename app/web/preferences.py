"""Language and theme: asked for in the address, kept with the account or in a cookie."""

from urllib.parse import quote, urlencode

from flask import Flask, Response, g, redirect, request
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from app.domain.accounts import Language, Theme
from app.i18n import language
from app.services import preferences

LANGUAGES = tuple(one.value for one in Language)
THEMES = tuple(one.value for one in Theme)
_CHOICES = {"lang": LANGUAGES, "theme": THEMES}
#: What the account calls the choices of the address.
_COLUMNS = {"lang": "language", "theme": "theme"}
_CYCLE = ("system", "dark", "light")
_COOKIE_AGE = 365 * 24 * 3600
_ELSEWHERE = ("cross-site", "same-site")


def locale() -> str:
    """The language of this answer: address, account, cookie, browser, and Korean at last."""
    return _chosen("lang") or request.accept_languages.best_match(LANGUAGES, "ko") or "ko"


def theme() -> str:
    """`light` or `dark` where the person has chosen, `system` otherwise."""
    return _chosen("theme") or "system"


def next_theme(chosen: str) -> str:
    """What the theme button leads to: system, dark, light, and round again."""
    return _CYCLE[(_CYCLE.index(chosen) + 1) % len(_CYCLE)]


def same_page(**changes: str) -> str:
    """The address of this page with some parameters changed; an empty value drops one."""
    query = {
        **request.args.to_dict(flat=False),
        **{name: [value] for name, value in changes.items()},
    }
    kept = {name: [v for v in values if v] for name, values in query.items()}
    # One slash only: an address that begins with two would lead to another host.
    path = quote(request.script_root + "/" + request.path.lstrip("/"))
    return path + ("?" + urlencode(kept, doseq=True) if any(kept.values()) else "")


def kept_by_cookie() -> dict[str, str]:
    """What was chosen in this browser by somebody who wasn't signed in, as an account names it."""
    return {
        _COLUMNS[name]: request.cookies[name]
        for name, known in _CHOICES.items()
        if request.cookies.get(name) in known
    }


def init_app(app: Flask) -> None:
    """Obey `?lang=` and `?theme=`, keep them, and tell the templates."""
    app.before_request(_settle)
    app.after_request(_keep)
    app.context_processor(_for_templates)


def _for_templates() -> dict[str, object]:
    chosen = theme()
    return {
        "lang": language(),
        "theme": chosen,
        "next_theme": next_theme(chosen),
        "same_page": same_page,
    }


def _settle() -> BaseResponse | None:
    """Keep what is asked for, and send a browser back to the plain address.

    A link on somebody else's page shows one page so and changes nothing of an account.
    """
    asked = _asked()
    if not asked:
        return None
    is_visit = request.method == "GET" and request.endpoint is not None and _is_page_visit()
    if not current_user.is_authenticated:
        g.for_cookies = asked
    elif not is_visit or request.headers.get("Sec-Fetch-Site") in _ELSEWHERE:
        return None
    else:
        chosen = {_COLUMNS[name]: value for name, value in asked.items()}
        preferences.choose(user_id=current_user.id, chosen=chosen)
    return redirect(same_page(lang="", theme=""), 303) if is_visit else None


def _keep(response: Response) -> Response:
    for name, value in g.get("for_cookies", {}).items():
        response.set_cookie(name, value, max_age=_COOKIE_AGE, samesite="Lax", httponly=True)
    if response.headers.get("Content-Type", "").startswith("text/html"):
        varies = response.headers.get("Vary")
        own = "Accept-Language, Cookie"
        response.headers["Vary"] = f"{varies}, {own}" if varies else own
    return response


def _asked() -> dict[str, str]:
    query = request.query_string
    if b"lang" not in query and b"theme" not in query:  # nearly always, and far cheaper to see so
        return {}
    asked = {name: request.args.get(name, "") for name in _CHOICES}
    return {name: value for name, value in asked.items() if value in _CHOICES[name]}


def _chosen(name: str) -> str | None:
    return _asked().get(name) or _of_account(name) or _of_cookie(name)


def _of_account(name: str) -> str | None:
    """What the account says; clients say it themselves with every request."""
    if _is_client() or not current_user.is_authenticated:
        return None
    found: str | None = getattr(current_user, _COLUMNS[name])
    return found


def _of_cookie(name: str) -> str | None:
    value = request.cookies.get(name)
    return value if value in _CHOICES[name] else None


def _is_client() -> bool:
    if request.endpoint is None:
        return request.path.startswith(("/api/", "/tracker/"))
    return request.endpoint.startswith("api-")


def _is_page_visit() -> bool:
    accept = request.headers.get("Accept", "text/html")
    return "text/html" in accept
