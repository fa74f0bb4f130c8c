"""What is asked for: fields of a query or body, and an order as it is wished for."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qsl

from app.simulator.desk.account import ASK, BEST, BID, LIMIT, MARKET, SPEND
from app.simulator.desk.refused import Refused
from app.simulator.server import Request

_AMOUNT = re.compile(r"\d{1,20}(\.\d{1,8})?", re.ASCII)
_COUNT = re.compile(r"\d{1,6}", re.ASCII)
_KINDS = {BID: (LIMIT, SPEND, BEST), ASK: (LIMIT, MARKET, BEST)}
_IN_FORCE = {LIMIT: (None, "ioc", "fok", "post_only"), BEST: ("ioc", "fok")}

Fields = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True)
class Wish:
    """An order as a client words it, in terms that fit together."""

    market: str
    side: str
    kind: str
    price: Decimal | None
    volume: Decimal | None
    in_force: str | None
    name: str | None


def fields_of(request: Request) -> Fields:
    """The fields of the query, or of the JSON body of a POST; `name[]` is the list `name`."""
    if request.method != "POST":
        pairs = parse_qsl(request.raw_query, keep_blank_values=True)
    else:
        pairs = list(_body_pairs(request.body))
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name.removesuffix("[]"), []).append(value)
    return fields


def _body_pairs(body: bytes) -> list[tuple[str, str]]:
    # That it is an object was seen when its hash was checked.
    found = json.loads(body or b"{}", parse_float=str, parse_int=str)
    return [
        (name, str(each))
        for name, value in found.items()
        for each in (value if isinstance(value, list) else [value])
        if each is not None
    ]


def one(fields: Fields, name: str) -> str | None:
    """The last value of a field, or None."""
    values = fields.get(name)
    return values[-1] if values else None


def needed(fields: Fields, name: str) -> str:
    """A field that must be there."""
    value = one(fields, name)
    if not value:
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    return value


def count(fields: Fields, name: str, default: int, most: int) -> int:
    """A whole number from 1 to `most`."""
    text = one(fields, name) or str(default)
    if not _COUNT.fullmatch(text) or not 1 <= int(text) <= most:
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    return int(text)


def wish_of(fields: Fields, kind_name: str, id_name: str) -> Wish:
    """The order that the fields describe; Refused where they don't fit together."""
    side, kind = needed(fields, "side"), needed(fields, kind_name)
    if side not in _KINDS:
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    if kind not in _KINDS[side]:
        raise Refused(400, f"create_{side}_error")
    in_force = one(fields, "time_in_force")
    if in_force not in _IN_FORCE.get(kind, (None,)):
        raise Refused(400, "invalid_time_in_force", "주문조건을 다시 확인해 주세요.")
    priced = kind == LIMIT or (side == BID and kind in (SPEND, BEST))
    measured = kind == LIMIT or side == ASK
    return Wish(
        market=needed(fields, "market"),
        side=side,
        kind=kind,
        price=_amount(fields, "price", wanted=priced, side=side),
        volume=_amount(fields, "volume", wanted=measured, side=side),
        in_force=in_force,
        name=one(fields, id_name),
    )


def _amount(fields: Fields, name: str, *, wanted: bool, side: str) -> Decimal | None:
    text = one(fields, name)
    if not wanted:
        if text is not None:
            raise Refused(400, f"create_{side}_error")
        return None
    if text is None or not _AMOUNT.fullmatch(text) or not Decimal(text):
        raise Refused(400, "invalid_parameter", "잘못된 파라미터")
    return Decimal(text)
