"""Examples for the description: answers put together from shapes, refusals as they are sent."""

from collections.abc import Callable
from decimal import Decimal
from enum import StrEnum
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

from marshmallow.fields import Field, Integer, String

from app.api.errors import FIELD_NAMES, HTTP_CODES, PLACES, failed, refused
from app.api.told import body_of, told_by
from app.domain.accounts import MAX_NICKNAME, MAX_PASSWORD, MIN_PASSWORD
from app.domain.trading import MOST_COINS
from app.domain.votes import MAX_FALL_PCT, MAX_RANGE_PCT, MIN_RANGE_PCT
from app.services.exchanges import MOST_LINKED
from app.services.idempotency import MAX_KEY
from app.services.trading.backtests import MOST_UNFINISHED

View = Callable[..., Any]

_PICTURE = "https://whaling.example.org/coins/BTC/logo"
_SIGNED = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiI3In0.c2lnbmVk"
#: A value per field, wherever it stands; where a shape needs another one, `Shape.field`.
_VALUES: dict[str, object] = {
    # people and tokens
    "nickname": "neo",
    "password": "a long password",
    "old_password": "a long password",
    "new_password": "a longer password",
    "confirmation": "a long password",
    "language": "en",
    "theme": "dark",
    "point": 240,
    "acc_percent": 66.66,
    "Accuracy.acc_percent": "66.7",
    "right_answers": 2,
    "settled_answers": 3,
    "profile_img": None,
    "is_default_profile": True,
    "is_admin": False,
    "is_whale": False,
    "access_token": _SIGNED,
    "access": _SIGNED,
    "refresh_token": _SIGNED,
    "id_token": _SIGNED,
    "nonce": "n-0S6_WzA2Mj",
    "code": "BTC",
    "Code.code": "code-of-kakao",
    "LinkProof.code": "code-of-kakao",
    "redirect_uri": "https://client.example.org/oauth",
    "has_password": True,
    "kakao_since": "2026-11-02T09:30:00Z",
    "device": "Whaling-iOS/1.0",
    "is_current": True,
    "last_seen_at": "2026-11-20T05:04:00Z",
    "expires_at": "2026-11-27T05:04:00Z",
    # votes
    "id": 7,
    "vote_id": 12,
    "coin_code": "BTC",
    "krname": "비트코인",
    "image": _PICTURE,
    "is_admin_vote": False,
    "state": "ongoing",
    "Evidence.state": "tracked",
    "duration": "week",
    "range": 5,
    "comment": "up",
    "choice": 1,
    "spent_point": 10,
    "earned_point": 20,
    "is_answer": None,
    "created_price": 146918000,
    "finished_price": None,
    "total_participants": 5,
    "pos_participants": 3,
    "neg_participants": 2,
    "pos_whales": 1,
    "neg_whales": 0,
    "uploader": 3,
    "uploader_nickname": "trinity",
    "voided": False,
    "void_reason": None,
    "base_rate": 0.1788,
    "base_rate_hits": 64,
    "base_rate_count": 358,
    "ongoing_count": 1,
    "finished_count": 4,
    "created_at": "2026-11-20T05:04:00Z",
    "Vote.created_at": "2026-11-20T14:04:12.206269",
    "updated_at": "2026-11-20T14:20:31.531007",
    "finished_at": "2026-11-23T14:04:00",
    "tracked_at": "2026-11-27T14:04:00",
    "participated_at": "2026-11-20T14:20:31.531007",
    # evidence
    "market": "KRW-BTC",
    "created_price_at": "2026-11-20T05:04:09Z",
    "threshold_price": 154263900,
    "comparison": ">=",
    "final_price": 155201000,
    "outcome": "yes",
    "candle_opened_at": "2026-11-27T05:03:00Z",
    "source": "upbit",
    "fetched_at": "2026-11-27T05:04:08Z",
    "raw_quote": '{"market":"KRW-BTC","trade_price":155201000}',
    "settled_at": "2026-11-27T05:04:08Z",
    "voided_at": None,
    # points
    "reason": "stake",
    "amount": -10,
    "ToppedUp.amount": 10,
    "balance": 240,
    "ledger_sum": 240,
    "entry_count": 7,
    "next_before": None,
    # coins
    "english_name": "Bitcoin",
    "is_active": True,
    "warning": False,
    "cautions": ["TRADING_VOLUME_SOARING"],
    "price": 146918000,
    "change_percent": 1.24,
    "turnover_24h": 412816843210.5,
    "price_as_of": "2026-11-20T05:04:09Z",
    "coin_name": "비트코인",
    "coin_fullname": "비트코인(BTC)",
    "coin_image": _PICTURE,
    "cur_price": 146918000,
    "full_updated_time": "2026-11-20T14:04:00",
    "updated_date": 20261120,
    "updated_time": 1404,
    "observed_at": "2026-11-20T05:04:09Z",
    "added_at": "2026-11-20T05:04:00Z",
    # the desk's market
    "ticker": "BTC",
    "chgAmt": 1800000,
    "chgRate": 1.24034291,
    "chg_rate": 1.24034291,
    "value": 301204555120.25,
    "accu_price": 301204555120.25,
    "name": "비트코인",
    "buy_price": 140120000,
    "buy_time": "2026-11-19T10:12:03+09:00",
    "quantity": 0.03991204,
    "fee": 2796.24,
    # linked accounts
    "exchange": "upbit",
    "last_four": "3F9A",
    "DeskAccount.state": "good",
    "problem": None,
    "can_withdraw": False,
    "checked_at": "2026-11-20T05:04:00Z",
    "linked_at": "2026-11-02T09:30:00Z",
    "balances_at": "2026-11-20T05:04:00Z",
    "DeskAccount.value": 5863798,
    "Holding.value": 5863798,
    "profit": 271320,
    "profit_percent": 4.8515,
    "currency": "BTC",
    "free": 0.03991204,
    "locked": 0,
    "avg_buy_price": 140120000,
    "percent": 100.0,
    # backtests
    "backtest_id": 3,
    "settings": {"codes": "BTC", "plays": "breakout", "days": "365", "k_first": "0.1"},
    "done": 201,
    "total": 201,
    "Backtest.state": "done",
    "BacktestWithResult.state": "done",
    "started_at": "2026-11-20T05:04:01Z",
    "BacktestData.source": "upbit",
    "wanted": 365,
    "known": 365,
    "missing": 0,
    "first": "2025-11-20",
    "last": "2026-11-19",
    "BacktestCoin.params": {},
    "best_k": "0.5",
    "next_k": "0.5",
    "k": "0.5",
    "since": "2025-12-21",
    "p_value": 0.0348,
    "doubts": ["few_trades"],
    "part": "out",
    "BacktestTrade.day": "2026-11-17",
    "sold_on": "2026-11-18",
    "target": "143050000",
    "bought_at": "143200000",
    "sold_at": "146200000",
    "BacktestTrade.reason": "day_end",
    "BacktestTrade.fee": "1010.5",
    "BacktestTrade.return_pct": "1.99300251",
    "BacktestCurves.days": ["2026-11-18", "2026-11-19"],
    "BacktestCurves.in_sample": [20.1, 21.3],
    "BacktestCurves.out_of_sample": [5.2, 6.4],
    "BacktestCurves.holding": [18.0, 17.2],
    "datetime": "2026-11-19T09:00:00+09:00",
    "open": 144264000,
    "high": 145980000,
    "low": 143900000,
    "close": 145118000,
    "volume": 2104.81520133,
    # bots
    "Bot.mode": "paper",
    "Bot.exchange": "upbit",
    "Bot.state": "running",
    "Bot.confirmed_at": None,
    "Bot.halted_at": None,
    "Bot.run_started_at": "2026-11-18T00:00:00Z",
    "Bot.end_reason": None,
    "Bot.worth": 5059040,
    "Bot.start_worth": 5000000,
    "Bot.hold_worth": 5012300,
    "Bot.fees": 7215,
    "Bot.orders": 5,
    "Bot.settings": {"codes": "BTC ETH", "plays": "breakout", "capital": "5000000", "k": "0.5"},
    "BotTarget.k": 0.5,
    "BotTarget.open": 144264000,
    "BotTarget.target": 145820000,
    "BotTarget.price": 146918000,
    "BotTarget.is_held": True,
    "BotTarget.has_traded": True,
    "BotLine.at": "2026-11-20T04:52:08Z",
    "BotLine.kind": "fill",
    "BotLine.code": "fill_buy",
    "BotLine.text": "BTC 0.00852100개를 146,918,000원에 샀어요. 수수료 625원",
    # candles
    "frame": "1h",
    "candles": [[1795150800, 146100000, 147020000, 145980000, 146918000, 102.4185]],
    "forming": [1795154400, 146918000, 147100000, 146900000, 147050000],
    "complete": True,
    # base rates
    "until": "2026-11-19",
    # the live board
    "as_of": "2026-11-20T05:04:09.413000Z",
    "age_s": 0.4,
    "Live.source": "stream",
    "Live.coins": [["BTC", 146918000, 145118000, 0.0124, 412816843210.5, 144800000, 147300000,
                    1795151049]],
}  # fmt: skip
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
    ("coin_unknown", "api-backtests.ask"): "codes",
    ("bot_coins_count", "api-backtests.ask"): "codes",
    ("bot_coins_twice", "api-backtests.ask"): "codes",
    ("bot_coins_count", "api-desk-bots.save"): "codes",
    ("bot_coins_twice", "api-desk-bots.save"): "codes",
    "bot_coin_unknown": "codes",
    ("strategy_unknown", "api-desk-bots.save"): "plays",
    ("not_a_number", "api-desk-bots.save"): "k",
    ("setting_out_of_bounds", "api-desk-bots.save"): "k",
    ("setting_too_fine", "api-desk-bots.save"): "k",
    ("means_out_of_order", "api-desk-bots.save"): "short",
    ("choice_unknown", "api-desk-bots.halt"): "sells",
    ("strategy_unknown", "api-backtests.ask"): "plays",
    ("not_a_number", "api-backtests.ask"): "days",
    ("setting_out_of_bounds", "api-backtests.ask"): "days",
    ("setting_too_fine", "api-backtests.ask"): "days",
    ("grid_size", "api-backtests.ask"): "k_first",
    ("means_out_of_order", "api-backtests.ask"): "short",
    "kakao_redirect_unknown": "redirect_uri",
    "idempotency_key_invalid": "idempotency_key",
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
        if known in _VALUES:
            return _VALUES[known]
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
    by_name = _VALUES.get(f"{schema}.{name}", _VALUES.get(name))
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
