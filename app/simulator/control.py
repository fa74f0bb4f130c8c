"""The switch at `/_sim`: state, faults, clock, stream and markets, for this machine only."""

import json
from collections.abc import Callable
from dataclasses import replace

from app.clock import monotonic
from app.simulator.exchange import Exchange
from app.simulator.reply import Reply, as_json
from app.simulator.server import Request
from app.simulator.world import UnknownCode

CONTROL = "/_sim"
Fields = dict[str, object]


def control(exchange: Exchange, request: Request) -> Reply:
    """Answer one request to the switch. Bad input gets a 400 that says why, and changes nothing.

    403 for other machines and for pages in a browser (they send Origin), 404 and 405 as usual.
    """
    if not request.from_here or request.origin:
        return _refused(403, "the switch answers this machine only")
    method, deed = _DEEDS.get(request.path, ("", None))
    if request.path != CONTROL and deed is None:
        return _refused(404, f"no such switch; there are {', '.join(_DEEDS)}")
    if request.method not in ({"GET", "HEAD"} if deed is None else {method}):
        allowed = method or "GET, HEAD"
        return replace(_refused(405, f"use {allowed}"), headers={"Allow": allowed})
    return as_json(200, _state(exchange)) if deed is None else _done(exchange, deed, request.body)


def _done(exchange: Exchange, deed: Callable[[Exchange, Fields], None], body: bytes) -> Reply:
    try:
        deed(exchange, _fields(body))
    except UnknownCode as error:
        return _refused(400, f"no listed market {error.args[0]!s:.40}")
    except ValueError as error:
        return _refused(400, str(error))
    return as_json(200, _state(exchange))


def _refused(status: int, message: str) -> Reply:
    return as_json(status, {"error": {"name": status, "message": message}})


def _fields(body: bytes) -> Fields:
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ValueError("the body must be a JSON object") from error
    if not isinstance(fields, dict):
        raise ValueError("the body must be a JSON object")
    return fields


def _only(fields: Fields, *known: str) -> None:
    for name in fields:
        if name not in known:
            raise ValueError(f"unknown field {name!r:.40}; known are {', '.join(known)}")


def _fault(exchange: Exchange, fields: Fields) -> None:
    if "mode" not in fields:
        raise ValueError("mode is missing")
    exchange.fault(**fields)  # type: ignore[arg-type]


def _clock(exchange: Exchange, fields: Fields) -> None:
    _only(fields, "speed")
    if "speed" not in fields:
        raise ValueError("speed is missing")
    exchange.clock.set_speed(fields["speed"])  # type: ignore[arg-type]


def _stream(exchange: Exchange, fields: Fields) -> None:
    _only(fields, "burst")
    if "burst" not in fields:
        raise ValueError("burst is missing")
    exchange.burst(fields["burst"])  # type: ignore[arg-type]


def _market(exchange: Exchange, fields: Fields) -> None:
    _only(fields, "code", "action", "price", "korean_name", "english_name")
    code, action = fields.pop("code", None), fields.pop("action", None)
    if not isinstance(code, str):
        raise ValueError("code must be a market like KRW-BTC")
    if action == "list":
        exchange.list_market(code, **fields)
    elif action == "delist":
        _only(fields)
        exchange.delist(code)
    elif action == "price":
        _only(fields, "price")
        exchange.set_price(code, fields.get("price"))
    else:
        raise ValueError("action must be list, delist or price")


_DEEDS: dict[str, tuple[str, Callable[[Exchange, Fields], None]]] = {
    f"{CONTROL}/fault": ("POST", _fault),
    f"{CONTROL}/clock": ("POST", _clock),
    f"{CONTROL}/stream": ("POST", _stream),
    f"{CONTROL}/market": ("POST", _market),
}


def _state(exchange: Exchange) -> Fields:
    moment = monotonic()
    replay = exchange.settings.replay
    return {
        "now": exchange.clock.now().isoformat(),
        "speed": exchange.clock.speed,
        "seed": exchange.settings.seed,
        "replay": None if replay is None else str(replay),
        "faults": [fault.described(moment) for fault in exchange.faults()],
        "burst": exchange.burst_per_s,
        "markets": exchange.codes(),
        "requests": dict(exchange.requests),
    }
