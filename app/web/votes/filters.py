"""What a list of votes shows, as its address says it, and the links that change it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from app.domain.votes import Direction, Duration
from app.i18n import gettext
from app.services.votes import Stage, VoteCounts, VoteFilter
from app.web.filters import duration

MAX_QUERY = 40
TABS = {"ongoing": Stage.ONGOING, "waiting": Stage.FINISHED, "over": Stage.OVER}
#: The order a tab begins with stands first. What no longer closes isn't ordered by closing.
ORDERS = {
    Stage.ONGOING: ("closing", "newest", "popular", "divided"),
    Stage.FINISHED: ("newest", "popular", "divided"),
    Stage.OVER: ("newest", "popular", "divided"),
}
_FREE = ("staff",)
_OWN = ("answered", "created", *_FREE)

Link = tuple[str, str, int | None, bool]


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as its address asks for it; empty text stands for "all" or the first order."""

    state: str = "ongoing"
    q: str = ""
    direction: str = ""
    duration: str = ""
    mine: str = ""
    sort: str = ""

    @property
    def stage(self) -> Stage:
        """The tab."""
        return TABS[self.state]

    @property
    def is_plain(self) -> bool:
        """Whether nothing but the tab and the order was chosen."""
        return not (self.q or self.direction or self.duration or self.mine)

    def address(self, **changes: str) -> str:
        """The list's address with some choices changed; defaults are left out."""
        chosen = self.parameters(**changes)
        return "/votes" + ("?" + urlencode(chosen) if chosen else "")

    def parameters(self, **changes: str) -> dict[str, str]:
        """The choices that aren't the default, by name."""
        asked = replace(self, **changes)
        default = Asked(sort=ORDERS[asked.stage][0])
        names = ("state", "q", "direction", "duration", "mine", "sort")
        pairs = ((name, getattr(asked, name)) for name in names)
        return {name: value for name, value in pairs if value and value != getattr(default, name)}

    def wanted(self, cursor: str | None) -> VoteFilter:
        """The same for the service."""
        return VoteFilter(
            stage=self.stage,
            query=self.q,
            direction=Direction(self.direction) if self.direction else None,
            duration=Duration(self.duration) if self.duration else None,
            mine=self.mine or None,
            sort=self.sort or ORDERS[self.stage][0],
            cursor=cursor,
        )


def asked_for(args: Mapping[str, str], *, member: bool) -> Asked:
    """What an address asks for; a value that doesn't exist counts as not chosen."""
    state = _known(args, "state", tuple(TABS)) or "ongoing"
    stage = TABS[state]
    return Asked(
        state=state,
        q=args.get("q", "").strip()[:MAX_QUERY],
        direction=_known(args, "direction", tuple(Direction)),
        duration=_known(args, "duration", tuple(Duration)),
        mine=_known(args, "mine", kinds(stage, member=member)),
        sort=_known(args, "sort", ORDERS[stage]) or ORDERS[stage][0],
    )


def kinds(stage: Stage, *, member: bool) -> tuple[str, ...]:
    """The choices about oneself: a visitor has none, and only what is open can be unanswered."""
    if not member:
        return _FREE
    return ("unanswered", *_OWN) if stage is Stage.ONGOING else _OWN


def tab_links(asked: Asked, counts: VoteCounts) -> Sequence[Link]:
    """The three tabs with their numbers. A tab begins without the choices of another."""
    words = {
        "ongoing": gettext("진행 중"),
        "waiting": gettext("결과 대기"),
        "over": gettext("결과 나옴"),
    }
    return [
        (
            Asked(state=name, q=asked.q).address(),
            word,
            counts.by_stage.get(TABS[name], 0),
            name == asked.state,
        )
        for name, word in words.items()
    ]


def groups(
    asked: Asked, counts: VoteCounts, own: Mapping[str, int], *, member: bool
) -> Iterator[tuple[str, str, Sequence[Link]]]:
    """Each group of choices: its name in the address, its title, its links."""
    yield "sort", gettext("순서"), _order_links(asked)
    yield "duration", gettext("기간"), _duration_links(asked, counts)
    yield "direction", gettext("방향"), _direction_links(asked)
    yield "mine", gettext("나") if member else gettext("종류"), _mine_links(asked, own, member)


def pill_links(asked: Asked, *, member: bool) -> Sequence[Link]:
    """The choices that a phone shows at once; touching a chosen one takes it back."""
    words = _order_words()
    pills = [("mine", "unanswered", gettext("안 답한 것만"))] if member else []
    pills += [("sort", name, words[name]) for name in ("popular", "divided")]
    pills += [("duration", name, duration(name)) for name in Duration]
    if asked.stage is not Stage.ONGOING:
        pills = [pill for pill in pills if pill[1] != "unanswered"]
    return [_toggle(asked, *pill) for pill in pills]


def _toggle(asked: Asked, name: str, value: str, word: str) -> Link:
    chosen = getattr(asked, name) == value
    return asked.address(**{name: "" if chosen else value}), word, None, chosen


def _order_words() -> dict[str, str]:
    return {
        "closing": gettext("마감 임박"),
        "newest": gettext("새로운"),
        "popular": gettext("많이 참여한"),
        "divided": gettext("의견이 팽팽한"),
    }


def _order_links(asked: Asked) -> Sequence[Link]:
    words, chosen = _order_words(), asked.sort
    return [
        (asked.address(sort=name), words[name], None, name == chosen)
        for name in ORDERS[asked.stage]
    ]


def _duration_links(asked: Asked, counts: VoteCounts) -> Sequence[Link]:
    stage = asked.stage
    everything = (
        asked.address(duration=""),
        gettext("전체"),
        counts.by_stage.get(stage, 0),
        not asked.duration,
    )
    return [everything] + [
        (
            asked.address(duration=name),
            duration(name),
            counts.by_duration.get((stage, name), 0),
            name == asked.duration,
        )
        for name in Duration
    ]


def _direction_links(asked: Asked) -> Sequence[Link]:
    words = {"": gettext("전체"), "up": gettext("오를까요"), "down": gettext("내릴까요")}
    return [
        (asked.address(direction=name), word, None, name == asked.direction)
        for name, word in words.items()
    ]


def _mine_links(asked: Asked, own: Mapping[str, int], member: bool) -> Sequence[Link]:
    words = {
        "unanswered": gettext("안 답한 것만"),
        "answered": gettext("내가 답한 것"),
        "created": gettext("내가 만든 것"),
        "staff": gettext("운영자 · 무료"),
    }
    everything = (asked.address(mine=""), gettext("전체"), None, not asked.mine)
    return [everything] + [
        (asked.address(mine=kind), words[kind], own.get(kind), kind == asked.mine)
        for kind in kinds(asked.stage, member=member)
    ]


def _known(args: Mapping[str, str], name: str, values: tuple[str, ...]) -> str:
    value = args.get(name, "")
    return value if value in values else ""
