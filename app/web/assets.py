"""Addresses of our own files that change when the file does, so that browsers may keep them."""

from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from flask import Flask, Response, current_app, request

_KEEP = "public, max-age=31536000, immutable"
_ENDPOINTS = ("static", "bootstrap.static")
#: Fetched by the Makefile; a machine that couldn't have it shows drawings and tables alone.
_CHART_LIBRARY = "vendor/lightweight-charts.mjs"


def asset(filename: str, endpoint: str = "static") -> str:
    """The address of a static file with its fingerprint."""
    owner = current_app.blueprints[endpoint.partition(".")[0]] if "." in endpoint else current_app
    address = _address(owner.static_url_path or "", owner.static_folder or "", filename)
    return request.script_root + address


def chart_library() -> str:
    """The address of the library that draws charts, or "" where this server hasn't got it."""
    return asset(_CHART_LIBRARY) if _is_there(current_app.static_folder or "") else ""


def init_app(app: Flask) -> None:
    """Give the addresses to the templates and let browsers keep what carries a fingerprint."""
    app.jinja_env.globals.update(
        asset=asset, chart_library=chart_library, public_url=app.config["WHALING_PUBLIC_URL"]
    )
    app.after_request(_keep)


@lru_cache(maxsize=128)
def _address(url: str, folder: str, filename: str) -> str:
    fingerprint = sha256((Path(folder) / filename).read_bytes()).hexdigest()[:10]
    return f"{url}/{filename}?v={fingerprint}"


@lru_cache(maxsize=8)
def _is_there(folder: str) -> bool:
    return (Path(folder) / _CHART_LIBRARY).is_file()


def _keep(response: Response) -> Response:
    if request.endpoint in _ENDPOINTS and "v" in request.args and response.status_code == 200:
        response.headers["Cache-Control"] = _KEEP
    return response
