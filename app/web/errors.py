"""Refusals and failures as pages: a word to the person and the way on."""

from urllib.parse import quote, urlsplit

from flask import Flask, current_app, flash, g, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException

from app.domain.errors import AppError, Conflict, NotFound
from app.i18n import gettext
from app.messages import message

#: Title and explanation per status; what isn't here is told like a 400 or a 500.
PAGES = {
    400: (_("요청이 맞지 않아요"), _("보낸 내용이 빠졌거나 잘못됐어요. 돌아가서 다시 해 보세요.")),
    403: (_("볼 수 없는 페이지예요"), _("이 계정으로는 할 수 없는 일이에요.")),
    404: (
        _("그런 페이지는 없어요"),
        _("주소가 바뀌었거나 없어진 질문일 수 있어요. 고래밥은 그대로예요."),
    ),
    405: (
        _("이렇게는 열 수 없어요"),
        _("이 주소는 다른 방법으로만 쓸 수 있어요. 처음부터 다시 가 주세요."),
    ),
    409: (_("지금은 할 수 없어요"), _("그사이 상태가 바뀌었어요. 고래밥은 그대로예요.")),
    413: (_("내용이 너무 커요"), _("더 짧게 줄여서 다시 보내 주세요.")),
    429: (
        _("조금 쉬었다 해 주세요"),
        _("짧은 시간에 너무 많이 시도했어요. 잠시 뒤에 다시 해 주세요."),
    ),
    500: (
        _("문제가 생겼어요"),
        _("저희 쪽 잘못이에요. 하던 일은 저장되지 않았고, 고래밥은 그대로예요."),
    ),
    503: (_("지금은 쉬고 있어요"), _("잠시 뒤에 다시 와 주세요. 고래밥은 그대로예요.")),
}


def init_app(app: Flask) -> None:
    """Answer refusals of ours and failures of HTTP with a page."""
    app.register_error_handler(HTTPException, http_failure)
    app.register_error_handler(AppError, refusal)
    app.register_error_handler(CSRFError, stale_form)


def refusal(error: AppError) -> ResponseReturnValue:
    """After a form: the sentence, back on the page it came from. Otherwise an error page."""
    sentence = message(error.code, error.params)
    if request.method == "POST" and not isinstance(error, NotFound):
        flash(sentence, "error")
        return redirect(origin(), 303)
    return page(_status(error), None if isinstance(error, NotFound) else sentence)


def http_failure(error: HTTPException) -> ResponseReturnValue:
    """The page for a status; redirects and prepared answers pass through with their headers."""
    status = error.code or 500
    if error.response is not None or status < 400:
        return error.get_response()
    if status == 404 and _is_there(plain := "/" + request.path.strip("/")):
        query = request.query_string.decode("latin-1")
        return redirect(quote(request.script_root + plain) + (f"?{query}" if query else ""), 308)
    body, status = page(status)
    kept = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    return body, status, kept


def _is_there(path: str) -> bool:
    """Whether a page has this address, so that it was only a slash too much that was typed."""
    adapter = current_app.create_url_adapter(request)
    return path != request.path and adapter is not None and adapter.test(path, method="GET")


def stale_form(_error: CSRFError) -> ResponseReturnValue:
    """A form without a valid token: open for too long, or not ours."""
    return page(400, gettext("오래 열어 둔 페이지예요. 돌아가서 새로 고친 뒤 다시 해 주세요."))


def page(status: int, sentence: str | None = None) -> tuple[str, int]:
    """An error page; from 500 on it asks nothing of the database, which may be what failed."""
    title, explanation = PAGES.get(status, PAGES[500 if status >= 500 else 400])
    g.bare = status >= 500
    return render_template(
        "errors/error.html", status=status, heading=title, text=sentence or explanation
    ), status


def _status(error: AppError) -> int:
    if isinstance(error, NotFound):
        return 404
    return 409 if isinstance(error, Conflict) else 400


def origin() -> str:
    """The page of ours the form was on, else the start page."""
    came_from = urlsplit(request.referrer or "")
    if came_from.netloc != request.host:
        return "/"
    query = f"?{came_from.query}" if came_from.query else ""
    return "/" + came_from.path.lstrip("/") + query
