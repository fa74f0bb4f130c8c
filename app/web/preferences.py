"""Language and theme: asked for in the address, kept in a cookie, else what the browser says."""

from urllib.parse import quote, urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from app.i18n import language

LANGUAGES = ("ko", "en")
THEMES = ("system", "light", "dark")
_CHOICES = {"lang": LANGUAGES, "theme": THEMES}
_CYCLE = ("system", "dark", "light")
_COOKIE_AGE = 365 * 24 * 3600


def locale() -> str:
    """The language of this answer: address, then cookie, then browser, then Korean."""
    return _chosen("lang") or request.accept_languages.best_match(LANGUAGES, "ko") or "ko"


def theme() -> str:
    """`light` or `dark` where the person has chosen, `system` otherwise."""
    return _chosen("theme") or "system"


def next_theme() -> str:
    """What the theme button leads to: system, dark, light, and round again."""
    return _CYCLE[(_CYCLE.index(theme()) + 1) % len(_CYCLE)]


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


def init_app(app: Flask) -> None:
    """Obey `?lang=` and `?theme=`, keep them, and tell the templates."""
    app.before_request(_settle)
    app.after_request(_keep)
    app.context_processor(_for_templates)


def _for_templates() -> dict[str, object]:
    return {
        "lang": language(),
        "theme": theme(),
        "next_theme": next_theme(),
        "same_page": same_page,
    }


def _settle() -> BaseResponse | None:
    """Send a browser that chose back to the plain address; others get the answer at once."""
    if request.method != "GET" or request.endpoint is None or not _asked() or not _is_page_visit():
        return None
    return redirect(same_page(lang="", theme=""), 303)


def _keep(response: Response) -> Response:
    for name in _asked():
        response.set_cookie(
            name,
            request.args[name],
            max_age=_COOKIE_AGE,
            samesite="Lax",
            httponly=True,
        )
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def _asked() -> list[str]:
    return [name for name, known in _CHOICES.items() if request.args.get(name) in known]


def _chosen(name: str) -> str | None:
    wanted = (request.args.get(name), request.cookies.get(name))
    return next((value for value in wanted if value in _CHOICES[name]), None)


def _is_page_visit() -> bool:
    accept = request.headers.get("Accept", "text/html")
    return "text/html" in accept
