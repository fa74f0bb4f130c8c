"""The sentence for every code a refusal can carry, in the reader's language."""

import re
from collections.abc import Mapping
from decimal import Decimal

from flask_babel import lazy_gettext as _

MESSAGES = {
    "error": _("요청을 처리하지 못했어요. 바뀐 것은 없어요."),
    "not_found": _("찾을 수 없어요."),
    # people
    "nickname_missing": _("닉네임을 적어 주세요."),
    "nickname_unseen_characters": _("보이지 않는 글자나 줄바꿈은 닉네임에 쓸 수 없어요."),
    "nickname_too_long": _("닉네임은 %(limit)s자까지 쓸 수 있어요."),
    "nickname_taken": _("누가 먼저 쓰고 있는 닉네임이에요. 다른 닉네임을 골라 주세요."),
    "password_too_short": _("비밀번호는 %(limit)s자 이상이어야 해요."),
    "password_too_long": _("비밀번호는 %(limit)s자까지 쓸 수 있어요."),
    "password_common": _("너무 많은 사람이 쓰는 비밀번호예요. 다른 비밀번호를 골라 주세요."),
    "password_is_nickname": _("닉네임과 같은 비밀번호는 쓸 수 없어요."),
    "old_password_wrong": _("지금 비밀번호가 맞지 않아요."),
    "password_mismatch": _("두 비밀번호가 서로 달라요. 다시 적어 주세요."),
    "wrong_credentials": _("닉네임이나 비밀번호가 맞지 않아요."),
    "password_exists": _("비밀번호가 이미 있어요. 지금 비밀번호를 적고 바꿔 주세요."),
    "confirmation_not_nickname": _("닉네임이 맞지 않아요. 보이는 그대로 적어 주세요."),
    "language_unknown": _("언어는 ko와 en 중에서 골라 주세요."),
    "theme_unknown": _("테마는 system, light, dark 중에서 골라 주세요."),
    # Kakao
    "kakao_unavailable": _("카카오가 지금 대답하지 않아요. 잠시 뒤에 다시 해 주세요."),
    "kakao_refused": _("카카오 로그인을 확인하지 못했어요. 처음부터 다시 해 주세요."),
    "kakao_cancelled": _("카카오 로그인을 취소했어요."),
    "kakao_state_lost": _("로그인이 중간에 끊겼어요. 처음부터 다시 해 주세요."),
    "kakao_redirect_unknown": _("이 주소로 받은 코드는 쓸 수 없어요."),
    "kakao_taken": _("이 카카오 계정은 이미 다른 계정에 연결돼 있어요."),
    "kakao_already_linked": _("다른 카카오 계정이 이미 연결돼 있어요. 먼저 연결을 끊어 주세요."),
    "last_way_in": _("로그인할 수 있는 마지막 방법이에요. 먼저 비밀번호를 만들어 주세요."),
    # accounts at exchanges
    "exchange_unknown": _("거래소는 업비트와 빗썸 중에서 골라 주세요."),
    "exchange_key_shape": _(
        "열쇠에는 빈칸 없이 영문자, 숫자, 기호만 들어가요. 거래소에서 다시 복사해 주세요."
    ),
    "exchange_key_invalid": _("거래소가 이 열쇠를 모른대요. 두 열쇠를 다시 복사해 주세요."),
    "exchange_key_expired": _("기간이 지난 열쇠예요. 거래소에서 새로 만들어 주세요."),
    "exchange_key_address_not_allowed": _(
        "이 서버의 주소에서는 쓸 수 없는 열쇠예요. "
        "거래소의 열쇠 설정에 서버의 IP 주소를 더해 주세요."
    ),
    "exchange_key_missing_permission": _(
        "열쇠에 자산 조회 권한이 없어요. 거래소에서 그 권한을 더한 열쇠를 만들어 주세요."
    ),
    "exchange_key_account_blocked": _("거래소가 이 계정을 막아 두었어요. 거래소에 물어봐 주세요."),
    "exchange_key_clock": _("서버의 시계가 맞지 않아 거래소가 거절했어요. 운영자에게 알려 주세요."),
    "exchange_key_taken": _("이미 다른 곳에 연결된 열쇠예요. 거래소에서 새 열쇠를 만들어 주세요."),
    "exchange_unreachable": _(
        "거래소가 대답하지 않아 확인하지 못했어요. "
        "아무것도 저장하지 않았으니 잠시 뒤에 다시 해 주세요."
    ),
    "exchange_maintenance": _(
        "거래소가 점검 중이라 확인하지 못했어요. "
        "아무것도 저장하지 않았으니 끝난 뒤에 다시 해 주세요."
    ),
    "exchange_links_full": _("계좌는 %(most)s개까지 연결할 수 있어요."),
    # points
    "not_enough_points": _(
        "고래밥이 %(missing)s개 모자라요. %(cost)s개가 필요한데 %(balance)s개 있어요."
    ),
    "already_topped_up": _("오늘의 고래밥은 이미 받았어요. 한국 시간 0시에 다시 받을 수 있어요."),
    # votes
    "coin_unknown": _("그런 코인은 없어요. 목록에서 골라 주세요."),
    "request_key_reused": _(
        "이 화면에서는 이미 다른 질문을 만들었어요. 처음부터 다시 만들어 주세요."
    ),
    "coin_inactive": _("거래 지원이 끝난 코인이라 새 질문을 만들 수 없어요."),
    "price_not_fresh": _("시세가 오래돼서 지금은 질문을 만들 수 없어요. 고래밥은 그대로예요."),
    "vote_settled": _("이미 결과가 나온 질문이라 무효로 할 수 없어요."),
    "cursor_invalid": _("목록의 위치를 알 수 없어요. 처음부터 다시 봐 주세요."),
    "vote_closed": _("답변이 마감된 질문이에요. 고래밥은 그대로예요."),
    "already_answered": _("이미 답한 질문이에요. 답한 뒤에는 바꿀 수 없어요."),
    "direction_unknown": _("오를지 내릴지 골라 주세요."),
    "duration_unknown": _("기간을 1일, 1주일, 1개월 중에서 골라 주세요."),
    "range_not_whole": _("변동폭은 %(low)s부터 %(high)s까지의 정수로 적어 주세요."),
    "range_out_of_bounds": _("변동폭은 %(low)s부터 %(high)s까지 쓸 수 있어요."),
    "fall_too_large": _(
        "내리는 쪽은 %(high)s까지만 물을 수 있어요. 가격은 0원 아래로 내려갈 수 없어요."
    ),
    "void_reason_missing": _("무효로 하는 이유를 적어 주세요."),
    "void_reason_too_long": _("이유는 %(limit)s자까지 쓸 수 있어요."),
    # strategies
    "setting_out_of_bounds": _("%(low)s부터 %(high)s까지의 수로 적어 주세요."),
    "setting_too_fine": _("소수점 아래 %(decimals)s자리까지 쓸 수 있어요."),
    "grid_size": _("k 값은 1개부터 %(limit)s개까지 비교할 수 있어요."),
    "grid_out_of_order": _("k 값은 작은 것부터 한 번씩만 적어 주세요."),
    "means_out_of_order": _("짧은 평균은 긴 평균보다 적은 날로 계산해야 해요."),
    "history_too_short": _("일봉이 모자라요. %(needed)s일이 필요한데 %(had)s일뿐이에요."),
    "days_unusable": _("일봉이 서로 어긋나 계산할 수 없어요. 운영자에게 알려 주세요."),
    "not_a_number": _("숫자 0–9와 소수점만으로 적어 주세요."),
    "strategy_unknown": _("그런 전략은 없어요. 목록에서 골라 주세요."),
    "backtests_unfinished": _(
        "백테스트는 한 번에 %(most)s개까지 맡길 수 있어요. 하나가 끝나거나 취소된 뒤에 해 주세요."
    ),
    # bots
    "bot_coins_count": _("코인은 1개부터 %(most)s개까지 적어 주세요."),
    "bot_coins_twice": _("같은 코인을 두 번 적었어요."),
    "bot_coin_unknown": _("%(coin)s 코인은 지금 거래할 수 없어요."),
    "bot_is_on": _("거래를 끝낸 뒤에 바꿀 수 있어요."),
    "bot_is_stopping": _("지금 끝내고 있어요. 잠시 뒤에 다시 시작해 주세요."),
    "bot_halted": _("모두 멈춘 상태예요. 멈춤을 풀고 시작해 주세요."),
    "bot_not_settled": _(
        "어떻게 됐는지 모르는 주문이 있어요. 거래소가 알려 줄 때까지 기다려 주세요."
    ),
    "bot_holds_coins": _(
        "산 코인이 남아 있어 계좌를 바꿀 수 없어요. "
        "같은 거래소 계정의 새 열쇠는 계좌에서 연결하기만 하면 돼요."
    ),
    "capital_is_invested": _("코인을 사는 데 쓴 돈이라 자금을 그만큼 줄일 수 없어요."),
    "live_trading_off": _("운영자가 실거래를 꺼 두었어요."),
    "live_not_confirmed": _("실거래를 하려면 먼저 문장을 직접 써 주세요."),
    "live_key_not_good": _("주문 권한이 확인된 열쇠가 있어야 해요. 계좌를 다시 확인해 주세요."),
    "sentence_differs": _("문장이 달라요. 보이는 그대로 써 주세요."),
    # clients
    "token_missing": _("로그인이 필요해요."),
    "token_not_valid": _("로그인 정보가 만료됐거나 맞지 않아요. 다시 로그인해 주세요."),
    "field_missing": _("꼭 적어야 하는 값이에요."),
    "not_text": _("글자로 적어 주세요."),
    "not_whole_number": _("정수로 적어 주세요."),
    "number_out_of_bounds": _("1부터 %(high)s까지의 정수로 적어 주세요."),
    "board_unknown": _("그런 시세판은 없어요."),
    "frame_unknown": _("캔들 길이는 1m, 15m, 1h, 4h, 1d, 1w 중에서 골라 주세요."),
    "codes_invalid": _("코인 코드를 쉼표로 나눠 %(high)s개까지 적어 주세요."),
    "choice_unknown": _("1(예)이나 2(아니오)로 답해 주세요."),
    "json_invalid": _("JSON 형식이 맞지 않아요."),
    "json_not_object": _("JSON 객체로 보내 주세요."),
    "idempotency_key_invalid": _(
        "Idempotency-Key는 공백 없는 ASCII 문자 1자부터 %(limit)s자까지 쓸 수 있어요."
    ),
    "idempotency_key_reused": _(
        "같은 Idempotency-Key로 다른 요청을 보냈어요. 새 키로 다시 보내 주세요."
    ),
    "bad_request": _("요청이 맞지 않아요."),
    "forbidden": _("이 계정으로는 할 수 없는 일이에요."),
    "method_not_allowed": _("이 주소에서는 쓸 수 없는 방법이에요."),
    "body_too_large": _("내용이 너무 커요. 더 짧게 줄여서 다시 보내 주세요."),
    "media_type_not_supported": _("application/json으로 보내 주세요."),
    "too_many_requests": _("짧은 시간에 너무 많이 시도했어요. 잠시 뒤에 다시 해 주세요."),
    "internal_error": _("저희 쪽 잘못이에요. 하던 일은 저장되지 않았고, 고래밥은 그대로예요."),
    "unavailable": _("지금은 쉬고 있어요. 잠시 뒤에 다시 와 주세요."),
}

_AMOUNT = re.compile(r"\d{1,30}(\.\d{1,30})?", re.ASCII)
_WON = frozenset({"fee", "worth", "had", "needed", "funds"})
#: The lines of a bot's log; the names in them are filled in from what was written down.
RUN_LINES = {
    "run_started": _("거래를 시작했어요. 자금 %(worth)s원"),
    "signal_entry": _("%(coin)s %(price)s원, 목표가를 넘었어요"),
    "signal_day_end": _("%(coin)s %(price)s원, 하루가 끝나서 팔아요"),
    "signal_signal": _("%(coin)s %(price)s원, 팔 신호예요"),
    "signal_stop_loss": _("%(coin)s %(price)s원, 손절해요"),
    "signal_halt": _("%(coin)s %(price)s원, 모두 멈추면서 팔아요"),
    "order_buy": _("%(coin)s 시장가 매수 %(funds)s원 (%(order)s)"),
    "order_sell": _("%(coin)s 시장가 매도 %(volume)s개 (%(order)s)"),
    "fill_buy": _("%(coin)s %(volume)s개를 %(price)s원에 샀어요. 수수료 %(fee)s원"),
    "fill_sell": _("%(coin)s %(volume)s개를 %(price)s원에 팔았어요. 수수료 %(fee)s원"),
    "order_cancelled": _("%(coin)s 주문을 취소했어요 (%(order)s)"),
    "order_refused": _("%(coin)s 주문을 거래소가 거절했어요: %(problem)s"),
    "order_not_sent": _("%(coin)s 주문을 보내지 않았어요: %(problem)s"),
    "order_unknown": _("%(coin)s 주문의 답을 받지 못했어요. 거래소에 물어보고 있어요 (%(order)s)"),
    "skip_too_small": _("%(coin)s 주문 금액 %(had)s원이 최소 %(needed)s원보다 적어요"),
    "skip_no_money": _("%(coin)s 쓸 수 있는 돈 %(had)s원이 최소 %(needed)s원보다 적어요"),
    "skip_market_closed": _("%(coin)s 지금은 거래소가 주문을 받지 않아요"),
    "skip_price_ran_away": _("%(coin)s 가격이 벌써 달아나 가까운 값에 파는 사람이 없어요"),
    "skip_thin_book": _(
        "%(coin)s 가까운 값에 나온 물량이 적어 %(had)s원만 살 수 있는데 최소 %(needed)s원이에요"
    ),
    "not_running": _("%(coin)s 거래 중이 아니라 주문하지 않았어요"),
    "server_says_no": _("%(coin)s 운영자가 실거래를 꺼 두어 주문하지 않았어요"),
    "person_says_no": _("%(coin)s 실거래 확인이 없어 주문하지 않았어요"),
    "key_says_no": _("%(coin)s 열쇠에 주문 권한이 없어 주문하지 않았어요"),
    "market_closed": _("%(coin)s 거래소가 쉬고 있어 주문하지 않았어요"),
    "under_minimum": _("%(coin)s 최소 주문 금액보다 적어 주문하지 않았어요"),
    "over_maximum": _("%(coin)s 최대 주문 금액보다 많아 주문하지 않았어요"),
    "off_tick": _("%(coin)s 호가 단위에 맞지 않아 주문하지 않았어요"),
    "more_than_bought": _("%(coin)s 산 것보다 많아 팔지 않았어요"),
    "per_order": _("%(coin)s 주문 한 번의 한도를 넘어 사지 않았어요"),
    "per_day": _("%(coin)s 하루 매수 한도를 넘어 사지 않았어요"),
    "daily_loss": _("%(coin)s 하루 손실 한도에 닿아 사지 않았어요"),
    "resting": _("%(coin)s 팔고 쉬는 동안이라 사지 않았어요"),
    "halted": _("모두 멈췄어요"),
    "run_ended": _("거래를 끝냈어요"),
    "run_broke_off": _("거래를 멈췄어요: %(reason)s"),
}
#: What an exchange or we say of an order, where there are plain words for it.
PROBLEMS = {
    "interrupted": _("서버가 멈췄다 다시 켜졌어요"),
    "never_arrived": _("거래소에 닿지 않았어요"),
    "rate_limited": _("거래소가 천천히 물어보래요"),
    "insufficient_funds": _("돈이나 코인이 모자라요"),
    "market_offline": _("거래소가 쉬고 있어요"),
    "not_running": _("그사이 멈췄어요"),
}


def run_line(code: str, params: Mapping[str, object]) -> str:
    """A line of a bot's log in the reader's language; a code without a sentence stays a code."""
    told = {name: _figure(name, value) for name, value in params.items()}
    told["coin"] = str(params.get("market", "")).partition("-")[2]
    for name in ("problem", "reason"):
        if name in told:
            told[name] = _problem(told[name])
    return str(RUN_LINES[code]) % told if code in RUN_LINES else code


def _problem(code: str) -> str:
    key = f"exchange_{code}"
    return str(MESSAGES.get(key) or PROBLEMS.get(code, code))


def _figure(name: str, value: object) -> str:
    """An amount that was kept as plain text, grouped for reading; anything else as it is.

    Won are told whole from a hundred on, and with two decimals below; coins with every digit.
    """
    text = str(value)
    if not _AMOUNT.fullmatch(text):
        return text
    amount = Decimal(text)
    if name in _WON:
        amount = round(amount, 0 if amount >= 100 else 2)
    told = f"{amount:,f}"
    return told.rstrip("0").rstrip(".") if "." in told else told


def message(code: str, params: Mapping[str, object]) -> str:
    """The sentence for `code`, filled in with `params`; an unknown code is a fault of ours."""
    return str(MESSAGES[code]) % params
