"""What a backtest is asked: read strictly, refused by its field, kept digit by digit."""

from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput
from app.domain.trading import BacktestSettings, backtest_from_json, typed_backtest
from app.domain.trading.settings import Plays


def test_usual_settings_search_nine_values_over_a_year() -> None:
    usual = typed_backtest({})

    assert usual == BacktestSettings()
    assert len(usual.search().grid) == 9
    assert usual.search().costs.bid_fee == Decimal("0.0005")
    assert usual.search().costs.slippage == Decimal("0.001")


def test_every_digit_survives_the_database() -> None:
    asked = typed_backtest(
        {
            "codes": "btc, eth",
            "days": "400",
            "k_first": "0.125",
            "k_step": "0.005",
            "k_last": "0.5",
            "fee": "0.0139",
            "mean_days": "5",
            "stop_loss": "2.5",
            "capital": "3,000,000",
        }
    )

    assert backtest_from_json(asked.to_json()) == asked
    assert asked.codes == ("BTC", "ETH")
    assert asked.capital == 3_000_000


def test_crossing_is_asked_without_a_grid_that_holds() -> None:
    asked = typed_backtest({"plays": "crossing", "k_step": "9", "short": "3", "long": "10"})

    assert asked.plays is Plays.CROSSING
    assert asked.chooses_k is False
    assert (asked.crossing().short, asked.crossing().long) == (3, 10)
    assert asked.crossing().stop is None


def test_stop_holds_for_the_crossing_too() -> None:
    stop = typed_backtest({"plays": "crossing", "stop_loss": "3"}).crossing().stop

    assert stop is not None
    assert stop.pct == 3


@pytest.mark.parametrize(
    ("typed", "field", "code"),
    [
        ({"codes": ""}, "codes", "bot_coins_count"),
        ({"codes": "BTC BTC"}, "codes", "bot_coins_twice"),
        ({"codes": "BTC;"}, "codes", "coin_unknown"),
        ({"plays": "luck"}, "plays", "strategy_unknown"),
        ({"days": "9"}, "days", "setting_out_of_bounds"),
        ({"days": "1001"}, "days", "setting_out_of_bounds"),
        ({"days": "30.5"}, "days", "setting_too_fine"),
        ({"days": "many"}, "days", "not_a_number"),
        ({"days": ""}, "days", "setting_out_of_bounds"),
        ({"k_first": ""}, "k_first", "field_missing"),
        ({"k_first": "0.9", "k_last": "0.1"}, "k_first", "grid_size"),
        ({"k_step": "0.001", "k_last": "5"}, "k_first", "grid_size"),
        ({"k_step": "0"}, "k_step", "setting_out_of_bounds"),
        ({"fee": "6"}, "fee", "setting_out_of_bounds"),
        ({"fee": "0.00001"}, "fee", "setting_too_fine"),
        ({"slippage": "21"}, "slippage", "setting_out_of_bounds"),
        ({"window": "0"}, "window", "setting_out_of_bounds"),
        ({"mean_days": "201"}, "mean_days", "setting_out_of_bounds"),
        ({"stop_loss": "51"}, "stop_loss", "setting_out_of_bounds"),
        ({"capital": "4999"}, "capital", "setting_out_of_bounds"),
        ({"plays": "crossing", "short": "20", "long": "20"}, "short", "means_out_of_order"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(
    typed: dict[str, str], field: str, code: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        typed_backtest(typed)

    assert (refused.value.field, refused.value.code) == (field, code)


def test_bounds_of_a_fee_are_told_in_percent() -> None:
    with pytest.raises(InvalidInput) as refused:
        typed_backtest({"fee": "6"})
    assert refused.value.params == {"low": "0", "high": "5"}

    with pytest.raises(InvalidInput) as refused:
        typed_backtest({"fee": "0.00001"})
    assert refused.value.params == {"decimals": 4}
