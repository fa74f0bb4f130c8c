"""What a key's state, its rights and its problems are called on pages."""

from datetime import datetime

from app.domain.exchanges import ExchangeName, KeyProblem, KeyState
from app.i18n import gettext
from app.messages import message
from app.services.exchanges import WON, AccountView, HoldingView, Share
from app.web.filters import coin_name

#: Tone and picture of a state's chip.
LOOKS = {
    KeyState.GOOD: ("good", "check"),
    KeyState.REFUSED: ("danger", "close"),
    KeyState.UNKNOWN: ("warn", "alert"),
}


def exchange_name(exchange: ExchangeName) -> str:
    """`업비트`, in English `Upbit`."""
    names = {ExchangeName.UPBIT: gettext("업비트"), ExchangeName.BITHUMB: gettext("빗썸")}
    return names[exchange]


def shown_state(account: AccountView) -> KeyState:
    """What can be said of the key now: a good one whose last check came to nothing is unknown."""
    if account.state is KeyState.GOOD and account.problem is not None:
        return KeyState.UNKNOWN
    return account.state


def state_word(state: KeyState) -> str:
    """A word for the chip."""
    words = {
        KeyState.GOOD: gettext("확인됨"),
        KeyState.REFUSED: gettext("거절"),
        KeyState.UNKNOWN: gettext("모름"),
    }
    return words[state]


def rights(account: AccountView) -> str:
    """What the key may do, for a line under its name."""
    if account.can_trade is None:
        return gettext("주문 권한은 확인하지 못했어요")
    return gettext("보기와 주문") if account.can_trade else gettext("보기 전용")


def problem(account: AccountView, now: datetime) -> str:
    """What is wrong and what to do about it; empty while all is well."""
    if account.has_ended(now):
        return message("exchange_key_expired", {})
    if account.problem is None:
        return ""
    if account.state is KeyState.REFUSED:
        return message(f"exchange_key_{account.problem}", {})
    if account.problem is KeyProblem.MAINTENANCE:
        return gettext("거래소가 점검 중이라 다시 확인하지 못했어요. 끝나면 저절로 다시 물어봐요.")
    if account.problem is KeyProblem.UNREACHABLE:
        return gettext("거래소가 대답하지 않아 다시 확인하지 못했어요. 저절로 다시 물어봐요.")
    return gettext("서버가 보관한 열쇠를 열 수 없어요. 같은 열쇠를 다시 연결해 주세요.")


def holding_name(holding: HoldingView) -> str:
    """The coin's name, `원화`, or the bare code of what no market knows."""
    if holding.currency == WON:
        return gettext("원화")
    return coin_name(holding.coin) if holding.coin else holding.currency


def share_name(share: Share) -> str:
    """Whose part of the whole it is."""
    return holding_name(share.holding) if share.holding else gettext("그 밖")
