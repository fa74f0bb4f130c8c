"""A backtest's result in words and figures, as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from markupsafe import Markup

from app.domain.trading import BacktestSettings, Doubt
from app.i18n import gettext
from app.messages import message
from app.services.market import CatalogueCoin
from app.services.trading.results import BacktestCoin, BacktestLine, BacktestTrade
from app.services.trading.testing import SHUFFLES
from app.web.desk.drawings import bars, equity
from app.web.filters import coin_name, count, signed_pct, won_exact

TRADES_SHOWN = 30
_LUCK = Decimal("0.05")


@dataclass(frozen=True, slots=True)
class Column:
    """One way to trade: its name and its figures."""

    name: str
    line: BacktestLine
    is_holding: bool = False

    @property
    def gain(self) -> Decimal:
        """In percent."""
        return exact(self.line["return_pct"])

    @property
    def fall(self) -> Decimal:
        """The largest fall in percent, below nothing."""
        return -exact(self.line["drawdown_pct"])

    @property
    def hit_pct(self) -> Decimal | None:
        """Trades that gained as a percentage; None without any."""
        trades = self.line["trades"]
        return Decimal(100 * self.line["hits"]) / trades if trades else None


@dataclass(frozen=True, slots=True)
class Shown:
    """One coin's result."""

    coin: BacktestCoin
    name: str
    columns: tuple[Column, ...]
    trades: tuple[BacktestTrade, ...]
    trade_count: int
    equity: Markup
    bars: Markup
    doubts: tuple[tuple[str, str], ...]
    luck: str
    rules: tuple[tuple[str, str], ...]

    def column(self, name: str) -> Column | None:
        """The figures of `in_sample`, `out_of_sample` or `holding`."""
        line = self.coin[name]  # type: ignore[literal-required]
        return next((one for one in self.columns if one.line is line), None)


def exact(figure: float) -> Decimal:
    """A figure of a result as it was written, not as the binary number beside it."""
    return Decimal(str(figure))


def coin_names(coins: Sequence[CatalogueCoin]) -> dict[str, str]:
    """Names by code, in the reader's language."""
    return {coin.code: coin_name(coin) for coin in coins}


def problem_words(coin: BacktestCoin) -> str:
    """Why a coin has no figures."""
    return message(coin["problem"] or "error", coin["params"])


def shown(coin: BacktestCoin, settings: BacktestSettings, name: str, *, everything: bool) -> Shown:
    """A coin that has figures, with its charts; all trades, or the newest ones."""
    curves, outside = coin["curves"], [one for one in coin["trades"] if one["part"] == "out"]
    newest = outside[::-1]
    return Shown(
        coin=coin,
        name=name,
        columns=_columns(coin),
        trades=tuple(newest if everything else newest[:TRADES_SHOWN]),
        trade_count=len(outside),
        equity=equity(curves) if curves else Markup(),
        bars=bars(coin["ks"], coin["best_k"]) if coin["ks"] else Markup(),
        doubts=_doubts(coin),
        luck=_luck(coin["p_value"]),
        rules=tuple(_rules(coin, settings)),
    )


def _columns(coin: BacktestCoin) -> tuple[Column, ...]:
    names = (
        ("in_sample", gettext("지나고 고른 k"), False),
        ("out_of_sample", gettext("그때그때 고른 k") if coin["ks"] else gettext("전략"), False),
        ("holding", gettext("그냥 보유"), True),
    )
    return tuple(
        Column(word, coin[key], is_holding)  # type: ignore[literal-required]
        for key, word, is_holding in names
        if coin[key] is not None  # type: ignore[literal-required]
    )


def _doubts(coin: BacktestCoin) -> tuple[tuple[str, str], ...]:
    """What speaks against the figures: a title and why, the gravest first."""
    out = coin["out_of_sample"]
    trades = count(out["trades"]) if out else "0"
    words = {
        Doubt.OUT_OF_SAMPLE_DISAGREES: (
            gettext("지나고 고른 k의 값은 부풀려져 있어요"),
            gettext(
                "k를 고른 날로 성적을 매겼기 때문이에요. 같은 날들에 앞선 날만 보고 고르면 "
                "그만큼 나오지 않았어요."
            ),
        ),
        Doubt.FEW_TRADES: (
            gettext("거래가 적어요"),
            gettext("거래가 %(n)s번뿐이라 운일 수도 있어요.", n=trades),
        ),
        Doubt.MAY_BE_LUCK: (
            gettext("우연과 구별되지 않아요"),
            gettext("날의 순서를 섞은 시장에서도 이만한 결과가 드물지 않게 나왔어요."),
        ),
        Doubt.WORSE_THAN_HOLDING: (
            gettext("그냥 들고 있는 편이 나았어요"),
            gettext("같은 기간에 사서 그대로 둔 것보다 적게 벌었어요."),
        ),
        Doubt.TOO_LITTLE_MONEY: (
            gettext("돈이 주문할 수 없을 만큼 줄었어요"),
            gettext("실제로는 그 뒤의 거래를 할 수 없었을 거예요."),
        ),
        Doubt.MISSING_DAYS: (
            gettext("빠진 날이 있어요"),
            gettext("사이에 일봉이 없는 날이 %(n)s일 있어요.", n=count(coin["data"]["missing"])),
        ),
    }
    return tuple(words[Doubt(one)] for one in coin["doubts"])


def _luck(p_value: float | None) -> str:
    """The shuffle test in plain words; "" where it wasn't made."""
    if p_value is None:
        return ""
    as_good = round(p_value * (SHUFFLES + 1)) - 1
    figures = {"all": count(SHUFFLES), "n": count(max(0, as_good))}
    if exact(p_value) > _LUCK:
        return gettext(
            "날의 순서를 섞은 시장 %(all)s개에서 똑같이 k를 골라 봤더니 %(n)s개가 이만큼 벌었어요. "
            "규칙 덕분이라고 말하기 어려워요.",
            **figures,
        )
    return gettext(
        "날의 순서를 섞은 시장 %(all)s개에서 똑같이 k를 골라 봤더니 %(n)s개만 이만큼 벌었어요. "
        "우연만으로는 드문 결과예요.",
        **figures,
    )


def _rules(coin: BacktestCoin, settings: BacktestSettings) -> list[tuple[str, str]]:
    """How it was calculated: the assumptions, each with its figure."""
    data, slip = coin["data"], f"{settings.slippage_pct:f}%"
    strategy = _breakout_rules(settings) if settings.chooses_k else _crossing_rules(settings)
    stop = settings.stop_loss_pct
    stopped = (
        gettext("산 값보다 %(pct)s 내리면 팔아요", pct=f"{stop:f}%") if stop else gettext("없음")
    )
    period = f"{_day(data['first'])} – {_day(data['last'])}"
    return [
        *strategy,
        (
            gettext("미끄러짐"),
            gettext("살 때 %(pct)s 비싸게, 팔 때 %(pct)s 싸게, 호가 단위로", pct=slip),
        ),
        (gettext("손절"), stopped),
        (gettext("수수료"), gettext("살 때와 팔 때 %(pct)s씩", pct=f"{settings.fee_pct:f}%")),
        (gettext("시작하는 돈"), gettext("%(amount)s원", amount=won_exact(settings.capital))),
        (
            gettext("데이터"),
            gettext(
                "업비트 일봉 %(known)s개 (%(period)s), 빠진 날 %(missing)s",
                known=count(data["known"]),
                period=period,
                missing=count(data["missing"]),
            ),
        ),
    ]


def _breakout_rules(settings: BacktestSettings) -> list[tuple[str, str]]:
    mean = settings.mean_days
    target = gettext("오늘 시가 + 어제 (고가 − 저가) × k")
    if mean:
        target = gettext("%(rule)s, 그리고 %(days)s일 평균 위", rule=target, days=mean)
    return [
        (gettext("목표가"), target),
        (
            gettext("k 고르기"),
            gettext("앞선 %(days)s일에 가장 좋았던 k를 날마다 다시", days=settings.window),
        ),
        (gettext("파는 때"), gettext("다음 날 09:00 시가")),
    ]


def _crossing_rules(settings: BacktestSettings) -> list[tuple[str, str]]:
    days = {"short": settings.short, "long": settings.long}
    return [
        (
            gettext("사는 때"),
            gettext("%(short)s일 평균이 %(long)s일 평균 위로 올라간 다음 날", **days),
        ),
        (gettext("파는 때"), gettext("%(short)s일 평균이 다시 내려간 다음 날", **days)),
    ]


def _day(text: str | None) -> str:
    return f"{date.fromisoformat(text):%Y.%m.%d}" if text else "–"


def summary(of: Shown) -> str:
    """The equity chart in one sentence."""
    by_name = {one.name: signed_pct(one.gain, 1) for one in of.columns}
    told = ", ".join(f"{name} {gain}" for name, gain in by_name.items())
    return gettext("날마다의 수익 곡선. %(told)s.", told=told)
