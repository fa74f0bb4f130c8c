"""People's accounts at exchanges: sealed keys, linking, balances."""

from app.services.exchanges.entering import Entered, enter_by_keys
from app.services.exchanges.holdings import (
    WON,
    AccountView,
    HoldingView,
    Share,
    due_for_balances,
    due_for_check,
    get_account,
    list_accounts,
    note_look,
    refresh,
    refresh_balances,
)
from app.services.exchanges.linking import (
    MOST_LINKED,
    Doors,
    KeyNotChecked,
    KeyRefused,
    find_by_key,
    forget_account,
    link_account,
    recheck,
    typed_keys,
    unlink_account,
)
from app.services.exchanges.owned import Owned, owned_coins
from app.services.exchanges.sealing import SealBroken, Sealer, renew_seals

__all__ = [
    "MOST_LINKED",
    "WON",
    "AccountView",
    "Doors",
    "Entered",
    "HoldingView",
    "KeyNotChecked",
    "KeyRefused",
    "Owned",
    "SealBroken",
    "Sealer",
    "Share",
    "due_for_balances",
    "due_for_check",
    "enter_by_keys",
    "find_by_key",
    "forget_account",
    "get_account",
    "link_account",
    "list_accounts",
    "note_look",
    "owned_coins",
    "recheck",
    "refresh",
    "refresh_balances",
    "renew_seals",
    "typed_keys",
    "unlink_account",
]
