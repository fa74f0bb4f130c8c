"""Examples for the description: answers put together from shapes, refusals as they are sent."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from marshmallow.fields import Field, Integer, String

from app.api.errors import FIELD_NAMES, HTTP_CODES, PLACES, failed, refused
from app.api.example_values import VALUES
from app.api.told import body_of, told_by
from app.domain.accounts import MAX_NICKNAME, MAX_PASSWORD, MIN_PASSWORD
from app.domain.trading import MOST_COINS
from app.domain.votes import MAX_FALL_PCT, MAX_RANGE_PCT, MIN_RANGE_PCT
from app.services.exchanges import MOST_LINKED
from app.services.idempotency import MAX_KEY
from app.services.trading.backtests import MOST_UNFINISHED

View = Callable[..., Any]

_PLAIN: dict[object, object] = {str: "…", bool: True, int: 1, float: 1.5, Decimal: 100, dict: {}}
#: What fills the sentence of a refusal.
_PARAMS: dict[str, dict[str, object]] = {
    "nickname_too_long": {"limit": MAX_NICKNAME},
    "password_too_short": {"limit": MIN_PASSWORD},
    "password_too_long": {"limit": MAX_PASSWORD},
    "not_enough_points": {"missing": 4, "cost": 10, "balance": 6},
    "range_not_whole": {"low": MIN_RANGE_PCT, "high": MAX_RANGE_PCT},
    "range_out_of_bounds": {"low": MIN_RANGE_PCT, "high": MAX_RANGE_PCT},
    "fall_too_large": {"high": MAX_FALL_PCT},
    "number_out_of_bounds": {"high": 500},
    "codes_invalid": {"high": 100},
    "exchange_links_full": {"most": MOST_LINKED},
    "backtests_unfinished": {"most": MOST_UNFINISHED},
    "bot_coins_count": {"most": MOST_COINS},
    "setting_out_of_bounds": {"low": "10", "high": "1000"},
    "bot_coin_unknown": {"coin": "NOPE"},
    "setting_too_fine": {"decimals": 0},
    "grid_size": {"limit": 100},
    "idempotency_key_invalid": {"limit": MAX_KEY},
}
_EXTRAS = {"kakao_refused": {"error_code": "KOE320"}}
#: Refusals that blame any field of their kind, none, or one that isn't their first word.
ANY_FIELD = {"field_missing": Field, "not_text": String, "not_whole_number": Integer}
_NO_FIELD = ("token_missing", "token_not_valid", "not_found")
_FIELDS: dict[object, str] = {
    "fall_too_large": "range",
    "exchange_key_shape": "access_key",
    "bot_coin_unknown": "codes",
    "bot_coins_count": "codes",
    "bot_coins_twice": "codes",
    "strategy_unknown": "plays",
    "means_out_of_order": "short",
    "grid_size": "k_first",
    "kakao_redirect_unknown": "redirect_uri",
    "idempotency_key_invalid": "idempotency_key",
    ("choice_unknown", "api-desk-bots.halt"): "sells",
    ("coin_unknown", "api-backtests.ask"): "codes",
    ("not_a_number", "api-backtests.ask"): "days",
    ("setting_out_of_bounds", "api-backtests.ask"): "days",
    ("setting_too_fine", "api-backtests.ask"): "days",
    ("not_a_number", "api-desk-bots.save"): "k",
    ("setting_out_of_bounds", "api-desk-bots.save"): "k",
    ("setting_too_fine", "api-desk-bots.save"): "k",
    ("old_password_wrong", "api-accounts.change_password"): "old_password",
    ("old_password_wrong", "api-data.leave"): "confirmation",
}
_NOBODYS = "non_field_errors"


def answered(shape: Any, place: str = "") -> object:
    """An answer of this shape; `place` is the field it stands in, as `Shape.field`."""
    if is_typeddict(shape):
        name = shape.__name__.removesuffix("Out")
        hints = get_type_hints(shape)
        return {key: answered(kind, f"{name}.{key}") for key, kind in hints.items()}
    for known in (place, place.partition(".")[2]):
        if known in VALUES:
            return VALUES[known]
    if isinstance(shape, type) and issubclass(shape, StrEnum):
        return next(iter(shape)).value
    kind, arguments = get_origin(shape), get_args(shape)
    if kind is list:
        return [answered(arguments[0])]
    if kind is dict:
        return {"BTC": answered(arguments[1])}
    if kind in (UnionType, Union):
        return answered(arguments[0], place)
    return arguments[0] if kind is Literal else _PLAIN[shape]


def asked(schema: str, name: str, field: Field[Any]) -> object:
    """A value for a field of a body."""
    given = field.metadata.get("examples")
    by_name = VALUES.get(f"{schema}.{name}", VALUES.get(name))
    return given[0] if given else by_name or _PLAIN[int if isinstance(field, Integer) else str]


def turned_down(endpoint: str, view: View, code: str, status: int) -> dict[str, Any]:
    """The body of a refusal of an endpoint, as it is sent."""
    if code in HTTP_CODES.values() and code not in _NO_FIELD:
        return failed(status)
    field = _field(endpoint, view, code, status)
    body = refused(code, status, {field: [code]} if field else {}, _PARAMS.get(code, {}))
    told = told_by(view)
    beside = told.beside.get(code) if told else None
    if beside:
        body = {beside: body["error"]["message"], "error": body["error"]}
    return body | _EXTRAS.get(code, {})


def _field(endpoint: str, view: View, code: str, status: int) -> str:
    """The field that a refusal is told at; empty where it is told at none."""
    if code in _NO_FIELD:
        return ""
    for table in (PLACES, _FIELDS):
        known = table.get((code, endpoint)) or table.get(code)
        if known:
            return known
    body, told = body_of(view), told_by(view)
    fields = body().fields if body else {}
    if code in ANY_FIELD:
        kind = ANY_FIELD[code]
        return next(name for name, one in fields.items() if isinstance(one, kind))
    query = told.query if told else {}
    if code == "number_out_of_bounds":
        return next(name for name, one in query.items() if one.get("type") == "integer")
    first = code.partition("_")[0]
    name = FIELD_NAMES.get(first, first)
    is_ours = name in {*fields, *query, "password"}
    return name if is_ours and status == 400 else _NOBODYS
