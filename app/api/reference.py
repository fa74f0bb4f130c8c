"""The API about itself: its description for programs."""

from functools import lru_cache
from typing import Any

from flask import Flask, Response, current_app

from app.api.openapi import describe
from app.api.room import room
from app.api.told import tells
from app.api.wire import cached

bp = room("reference")


@bp.get("/openapi.json")
@tells({200: dict})
def openapi() -> Response:
    """This description."""
    return cached(_description(current_app._get_current_object()))  # type: ignore[attr-defined]


@lru_cache(maxsize=4)
def _description(app: Flask) -> dict[str, Any]:
    """Made when it is first asked for, so that nobody waits for it at the start."""
    return describe(app)
