"""What the list of coins shows, as its address says it, and the links that change it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.i18n import gettext

MAX_QUERY = 60
TABS = ("all", "favourites", "asked", "up", "down")
#: By name the column begins with A, by any figure with the largest.
SORTS = ("turnover", "name", "price", "change", "move", "range", "week", "votes")
_DIRECTIONS = ("desc", "asc")

Link = tuple[str, str, bool]
#: Label, address, `aria-sort` of the present order or "", and the classes of the column.
Column = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as its address asks for it; what is left out is the default."""

    tab: str = "all"
    q: str = ""
    sort: str = "turnover"
    order: str = "desc"

    @property
    def descending(self) -> bool:
        """Whether the largest stand first."""
        return self.order == "desc"

    def address(self, **changes: str) -> str:
        """The list's address with some choices changed; defaults are left out."""
        chosen = self.parameters(**changes)
        return "/coins" + ("?" + urlencode(chosen) if chosen else "")

    def parameters(self, **changes: str) -> dict[str, str]:
        """The choices that aren't the default, by name."""
        asked = replace(self, **changes)
        default = Asked(sort=asked.sort, order=_first_order(asked.sort))
        pairs = {name: getattr(asked, name) for name in ("tab", "q", "order")}
        found = {name: value for name, value in pairs.items() if value != getattr(default, name)}
        return found | ({"sort": asked.sort} if asked.sort != SORTS[0] else {})


def asked_for(args: Mapping[str, str]) -> Asked:
    """What an address asks for; a value that doesn't exist counts as not chosen."""
    sort = _known(args, "sort", SORTS)
    order = args.get("order", "")
    return Asked(
        tab=_known(args, "tab", TABS),
        q=args.get("q", "").strip()[:MAX_QUERY],
        sort=sort,
        order=order if order in _DIRECTIONS else _first_order(sort),
    )


def tab_links(asked: Asked) -> Sequence[Link]:
    """The five views of the list; what is searched for stays."""
    words = {
        "all": gettext("전체"),
        "favourites": gettext("관심"),
        "asked": gettext("질문 있는"),
        "up": gettext("오른"),
        "down": gettext("내린"),
    }
    return [(asked.address(tab=tab), word, tab == asked.tab) for tab, word in words.items()]


def columns(asked: Asked) -> Sequence[Column]:
    """The columns in their order. Touching the one that orders the list turns it round."""
    shown = (
        ("name", gettext("코인"), ""),
        ("price", gettext("현재가"), "n"),
        ("change", gettext("전일 대비"), "n"),
        ("move", gettext("변동 금액"), "n opt wide"),
        ("turnover", gettext("24시간 거래대금"), "n opt"),
        ("range", gettext("오늘 저가–고가"), "n opt wide"),
        ("week", gettext("7일"), "n"),
        ("votes", gettext("열린 질문"), "n opt"),
    )
    return [
        (word, _turned(asked, name), _aria(asked) if name == asked.sort else "", css)
        for name, word, css in shown
    ]


def order_links(asked: Asked) -> Sequence[Link]:
    """The orders that a phone offers, where columns have no head."""
    orders = (
        ("turnover", "desc", gettext("거래대금순")),
        ("change", "desc", gettext("많이 오른 순")),
        ("change", "asc", gettext("많이 내린 순")),
        ("price", "desc", gettext("비싼 순")),
        ("votes", "desc", gettext("질문 많은 순")),
        ("name", "asc", gettext("이름순")),
    )
    return [
        (
            asked.address(sort=sort, order=order),
            word,
            (sort, order) == (asked.sort, asked.order),
        )
        for sort, order, word in orders
    ]


def _turned(asked: Asked, name: str) -> str:
    if name != asked.sort:
        return asked.address(sort=name, order=_first_order(name))
    return asked.address(order="asc" if asked.descending else "desc")


def _aria(asked: Asked) -> str:
    return "descending" if asked.descending else "ascending"


def _first_order(sort: str) -> str:
    return "asc" if sort == "name" else "desc"


def _known(args: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    value = args.get(name, "")
    return value if value in values else values[0]
