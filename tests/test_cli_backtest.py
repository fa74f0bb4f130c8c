"""`flask backtest`: the same figures as the page, and refusals that name the option."""

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy.orm import Session

from app import cli
from app.clock import utcnow
from app.domain.trading import typed_backtest
from app.services.trading import testing
from tests import factories as make

Command = Callable[..., Result]
CLOSES = [str(50_000 + 250 * (n * n % 17 + n // 7)) for n in range(120)]


@pytest.fixture
def run(app: Flask, session: Session, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Bitcoin has 120 days."""
    monkeypatch.setattr(testing, "SHUFFLES", 3)
    cli.init_app(app)
    now = utcnow()
    make.make_candles(make.make_coin("BTC", observed_at=now), *CLOSES, until=now)
    return lambda *arguments: app.test_cli_runner().invoke(args=["backtest", *arguments])


def test_figures_are_those_that_the_page_shows(run: Command) -> None:
    said = run("btc", "--days", "120", "--k", "0.2:0.4:0.1", "--stop-loss", "5").output

    settings = typed_backtest({"days": "120", "k_first": "0.2", "k_last": "0.4", "stop_loss": "5"})
    coin = testing.run_backtest(settings, now=utcnow(), progress=lambda _done: None)["coins"][0]
    assert coin["out_of_sample"] is not None
    assert "120 of 120 days known" in said
    assert f"best k {coin['best_k']}\tnext k {coin['next_k']}" in said
    assert f"out_of_sample\t{coin['out_of_sample']['return_pct']:+.2f}%" in said
    assert [line[:5] for line in said.splitlines() if line.startswith("k ")] == [
        "k 0.2",
        "k 0.3",
        "k 0.4",
    ]
    assert said.count("doubt\t") == len(coin["doubts"])


def test_crossing_prints_one_line_beside_holding(run: Command) -> None:
    said = run("BTC", "--plays", "crossing", "--short", "2", "--long", "5").output

    assert "out_of_sample\t" in said
    assert "holding\t" in said
    assert "best k" not in said
    assert "in_sample\t" not in said.replace("out_of_sample", "")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("GONE",), "codes: coin_unknown"),
        (("BTC", "--k", "0.1"), "k_last: field_missing"),
        (("BTC", "--k", "0.1:0.9:x"), "k_step: not_a_number"),
        (("BTC", "--fee", "6"), "fee: setting_out_of_bounds low=0 high=5"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(
    run: Command, options: tuple[str, ...], sentence: str
) -> None:
    result = run(*options)

    assert result.exit_code == 2
    assert sentence in result.output


def test_coin_that_cannot_be_judged_is_told_and_the_exit_says_so(run: Command) -> None:
    make.make_coin("ETH", observed_at=utcnow())

    both, alone = run("ETH", "BTC"), run("ETH")

    assert "problem\thistory_too_short" in both.output
    assert (both.exit_code, alone.exit_code) == (0, 1)
