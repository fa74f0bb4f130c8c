"""The choices of a question as they travel in the address, and how far they carry."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from urllib.parse import urlencode

from app.domain.errors import InvalidInput
from app.domain.votes import MAX_RANGE_PCT, MIN_RANGE_PCT, Direction, Duration, Question, question
from app.services.market import CatalogueCoin

COIN, DURATION, RANGE, DIRECTION, SUMMARY = 1, 2, 3, 4, 5
#: Longer than any choice can be; what is cut off was wrong before.
_LONGEST = 40
_STEPS = {"coin": COIN, "duration": DURATION, "range": RANGE, "direction": DIRECTION}
_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Choices:
    """What was chosen or typed so far; "" for what wasn't yet."""

    coin: str = ""
    duration: str = ""
    range: str = ""
    direction: str = ""

    @classmethod
    def of(cls, values: Mapping[str, str]) -> "Choices":
        """The choices among the values of a form or an address."""
        return cls(**{name: values.get(name, "").strip()[:_LONGEST] for name in _STEPS})

    def chosen(self) -> dict[str, str]:
        """Those that were made, by name."""
        return {name: value for name, value in asdict(self).items() if value}

    def url(self, step: int | None = None, **changes: str) -> str:
        """The address that holds these choices, some of them changed; `step` opens that step."""
        query = replace(self, **changes).chosen() | ({"step": str(step)} if step else {})
        return "/create" + ("?" + urlencode(query) if query else "")


@dataclass(frozen=True, slots=True)
class Progress:
    """The step to show, what is wrong there, and the parts that hold so far."""

    step: int
    coin: CatalogueCoin | None = None
    duration: Duration | None = None
    range_pct: int | None = None
    direction: Direction | None = None
    error: InvalidInput | None = None

    @property
    def asked(self) -> Question | None:
        """The question, once every part holds."""
        if self.duration is None or self.range_pct is None or self.direction is None:
            return None
        return Question(self.direction, self.duration, self.range_pct)


def judge(choices: Choices, coins: Mapping[str, CatalogueCoin]) -> Progress:
    """Check the choices in order, up to the first that is missing or wrong."""
    chosen, sound = choices.chosen(), Progress(COIN)
    try:
        for name, step in _STEPS.items():
            if name not in chosen:
                return replace(sound, step=step)
            sound = _take(sound, name, chosen[name], coins)
    except InvalidInput as error:
        return replace(sound, step=_STEPS[error.field], error=error)
    return replace(sound, step=SUMMARY)


def _take(sound: Progress, name: str, text: str, coins: Mapping[str, CatalogueCoin]) -> Progress:
    """One more part that holds, or InvalidInput naming the part that doesn't."""
    if name == "coin":
        return replace(sound, coin=_traded(text, coins))
    asked = question(
        direction=text if name == "direction" else Direction.UP,
        duration=text if name == "duration" else sound.duration or Duration.DAY,
        range_pct=_whole(text) if name == "range" else sound.range_pct or MIN_RANGE_PCT,
    )
    if name == "duration":
        return replace(sound, duration=asked.duration)
    if name == "range":
        return replace(sound, range_pct=asked.range_pct)
    return replace(sound, direction=asked.direction)


def _traded(code: str, coins: Mapping[str, CatalogueCoin]) -> CatalogueCoin:
    coin = coins.get(code)
    if coin is None:
        raise InvalidInput("coin", "coin_unknown")
    if not coin.is_active:
        raise InvalidInput("coin", "coin_inactive")
    return coin


def _whole(text: str) -> int:
    """The number typed; wide digits of East Asian keyboards and a percent sign are fine."""
    plain = unicodedata.normalize("NFKC", text).strip().removesuffix("%").strip()
    if not _WHOLE.fullmatch(plain):
        raise InvalidInput("range", "range_not_whole", low=MIN_RANGE_PCT, high=MAX_RANGE_PCT)
    return int(plain)
