"""What a person sets of a bot: read from what is typed, kept without losing a digit."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.errors import InvalidInput
from app.domain.trading import (
    BotSettings,
    Limits,
    MovingAverageCrossing,
    Plays,
    VolatilityBreakout,
    settings_from_json,
    typed_settings,
)


def test_settings_come_back_from_the_database_as_they_were() -> None:
    settings = BotSettings(
        codes=("BTC", "1INCH"),
        plays=Plays.CROSSING,
        capital=Decimal(5_000),
        k=None,
        mean_days=5,
        stop_loss_pct=None,
        share_pct=Decimal("12.5"),
        limits=Limits(Decimal(10_000), Decimal(20_000), Decimal("2.5"), timedelta(hours=6)),
    )

    assert settings_from_json(settings.to_json()) == settings
    assert settings_from_json(BotSettings().to_json()) == BotSettings()


def test_typed_settings_are_read_as_people_write_them() -> None:
    settings = typed_settings({"codes": " btc, eth ", "capital": "1,500,000", "k": "", "rest": ""})

    assert settings.codes == ("BTC", "ETH")
    assert settings.markets == ("KRW-BTC", "KRW-ETH")
    assert (settings.capital, settings.k, settings.chooses_k) == (1_500_000, None, True)
    assert settings.limits.rest == timedelta(0)


@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("codes", "", "bot_coins_count"),
        ("codes", " ".join(f"C{n}" for n in range(21)), "bot_coins_count"),
        ("codes", "BTC BTC", "bot_coins_twice"),
        ("codes", "비트코인", "coin_unknown"),
        ("plays", "martingale", "strategy_unknown"),
        ("capital", "", "field_missing"),
        ("capital", "a lot", "not_a_number"),
        ("capital", "4999", "setting_out_of_bounds"),
        ("capital", "5000.5", "setting_too_fine"),
        ("k", "0", "setting_out_of_bounds"),
        ("k", "-1", "not_a_number"),
        ("window", "0", "setting_out_of_bounds"),
        ("window", "1.5", "setting_too_fine"),
        ("stop_loss", "51", "setting_out_of_bounds"),
        ("share", "101", "setting_out_of_bounds"),
        ("per_order", "0", "setting_out_of_bounds"),
        ("daily_loss", "101", "setting_out_of_bounds"),
        ("rest", "999999999", "setting_out_of_bounds"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(field: str, text: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        typed_settings({field: text})

    assert (refused.value.field, refused.value.code) == (field, code)


def test_strategy_is_the_one_that_was_set() -> None:
    crossing = BotSettings(plays=Plays.CROSSING).strategy(Decimal(1))

    assert isinstance(crossing, MovingAverageCrossing)
    assert not BotSettings(plays=Plays.CROSSING, k=None).chooses_k


def test_chosen_k_is_used_only_where_none_is_set() -> None:
    own = BotSettings(k=Decimal("0.3")).strategy(Decimal("0.7"))
    chosen = BotSettings(k=None).strategy(Decimal("0.7"))

    assert isinstance(own, VolatilityBreakout)
    assert isinstance(chosen, VolatilityBreakout)
    assert (own.k, chosen.k) == (Decimal("0.3"), Decimal("0.7"))
