"""What a backtest tells: the same figures as the rules, over the days that are known."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest
from sqlalchemy.orm import Session

from app.domain.exchanges import ExchangeName
from app.domain.trading import BacktestSettings, as_days, typed_backtest, walk_forward
from app.extensions import db
from app.services.market import candle_series
from app.services.trading import testing
from app.services.trading.results import BacktestResult, from_json, to_json
from app.services.trading.testing import run_backtest, total_steps
from tests import factories as make

NOW = datetime(2026, 3, 2, 3, 4, 30, tzinfo=UTC)
#: Up and down in uneven steps, so that each k trades on other days.
WAVE = (0, 3, 1, 6, 2, 9, 4, 5, 13, 7, 8, 16, 3, 11, 20, 6, 15, 9, 25, 12)


def closes(count: int) -> list[str]:
    return [str(50_000 + 250 * (WAVE[n % len(WAVE)] + n // 7)) for n in range(count)]


def run(now: datetime = NOW, **typed: str) -> BacktestResult:
    return run_backtest(typed_backtest(typed), now=now, progress=lambda _done: None)


@pytest.fixture(autouse=True)
def _few_shuffles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(testing, "SHUFFLES", 3)


def test_trades_out_of_sample_are_those_of_the_rules(session: Session) -> None:
    coin = make.make_coin("BTC")
    make.make_candles(coin, *closes(80), until=NOW)
    settings = typed_backtest({"days": "80", "window": "20"})

    told = run_backtest(settings, now=NOW, progress=lambda _done: None)["coins"][0]

    candles = candle_series(coin_id=coin.id, frame=1440, until=NOW, count=80)
    used, trades = walk_forward(as_days(candles, ExchangeName.UPBIT), settings.search())
    out = [one for one in told["trades"] if one["part"] == "out"]
    assert len(trades) > 10
    assert [one["day"] for one in out] == [trade.day.isoformat() for trade in trades]
    assert [one["bought_at"] for one in out] == [trade.bought_at for trade in trades]
    assert [one["k"] for one in out] == [used[trade.day] for trade in trades]
    assert told["out_of_sample"] is not None
    assert told["out_of_sample"]["trades"] == len(trades)
    growth = Decimal(1)
    for trade in trades:
        growth *= trade.growth
    assert told["out_of_sample"]["return_pct"] == pytest.approx(float(100 * (growth - 1)), abs=1e-3)


def test_each_k_of_the_grid_is_told_over_the_days_of_the_lines(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)

    told = run(days="80", window="20")["coins"][0]

    assert [one["k"] for one in told["ks"]] == [Decimal(tenth) / 10 for tenth in range(1, 10)]
    assert told["best_k"] == max(told["ks"], key=lambda one: one["return_pct"])["k"]
    assert told["in_sample"] is not None
    assert told["in_sample"]["return_pct"] == max(one["return_pct"] for one in told["ks"])
    assert told["out_of_sample"] is not None
    assert sum(one["chosen_days"] for one in told["ks"]) == told["out_of_sample"]["days"]
    assert told["next_k"] is not None
    assert told["p_value"] is not None
    assert 0 < told["p_value"] <= 1


def test_curves_are_of_the_same_days_and_end_at_the_figures(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)

    told = run(days="80", window="20")["coins"][0]

    curves = told["curves"]
    assert curves is not None
    assert len({len(line) for line in curves.values()}) == 1  # type: ignore[arg-type]
    assert len(curves["days"]) == 80 - 1 - 20  # a day without the one before it, and the window
    for name in ("in_sample", "out_of_sample", "holding"):
        line = told[name]
        assert line is not None
        assert (curves["days"][0], curves[name][-1]) == (line["since"], line["return_pct"])


def test_result_is_kept_to_the_last_digit_and_one_of_another_version_is_not_read(
    session: Session,
) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)
    told = run(days="80", window="20")

    kept = to_json(told)

    assert from_json(kept) == told
    assert isinstance(told["coins"][0]["trades"][0]["fee"], Decimal)
    assert from_json(to_json({**told, "version": 0})) is None


def test_days_that_are_known_and_holes_between_them_are_told(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(50)[:30], None, None, *closes(50), until=NOW)

    data = run(days="365", window="20")["coins"][0]["data"]

    assert (data["wanted"], data["known"], data["missing"]) == (365, 80, 2)
    assert (data["first"], data["last"]) == ("2025-12-10", "2026-03-01")
    assert data["source"] == "upbit"


def test_running_day_never_counts(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW + timedelta(days=1))

    data = run(days="365", window="20")["coins"][0]["data"]

    assert (data["known"], data["last"]) == (79, "2026-03-01")


def test_no_transaction_stays_open_while_figures_are_made(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)
    open_then: list[bool] = []

    run_backtest(
        typed_backtest({"window": "20"}),
        now=NOW,
        progress=lambda _done: open_then.append(db.session().in_transaction()),
    )

    assert open_then
    assert not any(open_then)


def test_days_before_those_wanted_are_not_looked_at(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(70), *[None] * 5, *closes(5), until=NOW)

    data = run(days="40", window="20")["coins"][0]["data"]

    assert (data["known"], data["missing"], data["first"]) == (35, 5, "2026-01-21")


def test_coin_with_too_short_a_history_says_so_and_others_are_judged(session: Session) -> None:
    make.make_candles(make.make_coin("ETH"), *closes(15), until=NOW)
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)
    make.make_coin("XRP")

    short, fine, none, unlisted = run(codes="ETH BTC XRP GONE", window="20")["coins"]

    assert (short["problem"], short["params"]) == ("history_too_short", {"needed": 21, "had": 14})
    assert short["in_sample"] is None
    assert fine["problem"] is None
    assert none["problem"] == unlisted["problem"] == "history_too_short"
    assert none["data"]["known"] == 0


def test_days_that_cannot_be_are_said_to_be_unusable(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)
    read = candle_series
    monkeypatch.setattr(testing, "candle_series", lambda **asked: read(**asked)[::-1])

    assert run()["coins"][0]["problem"] == "days_unusable"


def test_crossing_has_one_line_out_of_sample_and_no_k(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(80), until=NOW)

    told = run(plays="crossing", short="2", long="5", days="80")["coins"][0]

    assert (told["best_k"], told["in_sample"], told["ks"], told["p_value"]) == (
        None,
        None,
        [],
        None,
    )
    assert told["out_of_sample"] is not None
    assert told["out_of_sample"]["days"] == 74
    assert len(told["trades"]) == told["out_of_sample"]["trades"] > 3
    assert {one["k"] for one in told["trades"]} == {None}
    assert told["curves"] is not None
    assert told["curves"]["out_of_sample"][-1] == told["out_of_sample"]["return_pct"]
    assert "few_trades" in told["doubts"]


def test_crossing_wants_a_day_on_which_it_could_decide(session: Session) -> None:
    make.make_candles(make.make_coin("BTC"), *closes(6), until=NOW)

    told = run(plays="crossing", short="2", long="5")["coins"][0]

    assert (told["problem"], told["params"]) == ("history_too_short", {"needed": 7, "had": 6})


def test_progress_climbs_to_the_total(session: Session) -> None:
    for code in ("BTC", "ETH"):
        make.make_candles(make.make_coin(code), *closes(60), until=NOW)
    settings, seen = BacktestSettings(codes=("BTC", "ETH")), list[int]()

    run_backtest(settings, now=NOW, progress=seen.append)

    assert seen[-1] == total_steps(settings) == 8
    assert all(before < after for before, after in pairwise(seen))
