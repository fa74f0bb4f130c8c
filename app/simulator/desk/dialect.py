"""How an exchange words its signed side; the two differ in paths, names and a few habits."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from app.simulator.desk.account import Account, Order
from app.simulator.desk.asking import Fields, Wish
from app.simulator.desk.rows import Row

MIN_TOTAL = Decimal(5_000)
MAX_TOTAL = Decimal(1_000_000_000)
ORDER, ACCOUNT = "order", "account"
DEFAULT = "default"

#: What an endpoint says to an account's question: a status and something to write as JSON.
Said = tuple[int, object]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint: the right it wants, whose patience it tries, which faults hit it."""

    answer: Callable[["Asked"], Said]
    right: str | None
    limit: str = DEFAULT
    group: str = ACCOUNT


@dataclass(frozen=True, slots=True)
class Asked:
    """A question of an account whose open orders have just met the market."""

    account: Account
    fields: Fields
    market_names: Callable[[], list[str]]
    tick: Callable[[str], Decimal]
    take: Callable[[Account, Wish], Order]
    check: Callable[[Account, Wish], None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """All that differs. `names` are this exchange's words for what Upbit words otherwise."""

    name: str
    algorithms: frozenset[str]
    has_time: bool
    fee: Decimal
    limits: Mapping[str, int]
    routes: Mapping[tuple[str, str], Route]
    id_pattern: str
    new_number: Callable[[int], str]
    names: Mapping[str, tuple[int, str]]


def listed(orders: list[Order], page: int, limit: int) -> list[Order]:
    """One page, newest first."""
    return orders[::-1][(page - 1) * limit : page * limit]


def rows(orders: list[Order], row: Callable[[Order], Row]) -> Said:
    """A list as an answer."""
    return 200, [row(order) for order in orders]
