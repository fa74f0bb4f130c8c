"""What speaks against believing a backtest."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.trading import Doubt, Evidence, doubts

SOUND = Evidence(
    growth_in=1.21,
    growth_out=1.1,
    trades_out=30,
    holding=1.0,
    missing_days=0,
    least=Decimal(5000),
    min_total=Decimal(5000),
    p_value=0.05,
)


def test_sound_evidence_raises_no_doubt() -> None:
    assert doubts(SOUND) == ()


@pytest.mark.parametrize(
    ("change", "doubt"),
    [
        ({"growth_out": 0.99, "holding": 0.9}, Doubt.OUT_OF_SAMPLE_DISAGREES),
        ({"growth_out": 1.09}, Doubt.OUT_OF_SAMPLE_DISAGREES),
        ({"trades_out": 29}, Doubt.FEW_TRADES),
        ({"p_value": 0.051}, Doubt.MAY_BE_LUCK),
        ({"holding": 1.11}, Doubt.WORSE_THAN_HOLDING),
        ({"least": Decimal(4999)}, Doubt.TOO_LITTLE_MONEY),
        ({"missing_days": 1}, Doubt.MISSING_DAYS),
    ],
)
def test_each_weakness_is_named(change: dict[str, object], doubt: Doubt) -> None:
    assert doubts(replace(SOUND, **change)) == (doubt,)  # type: ignore[arg-type]


def test_loss_in_both_is_no_disagreement() -> None:
    assert doubts(replace(SOUND, growth_in=0.9, growth_out=0.8, holding=0.7)) == ()


def test_where_nothing_was_chosen_nothing_disagrees() -> None:
    assert doubts(replace(SOUND, growth_in=None, growth_out=0.99, holding=0.9)) == ()


def test_untested_luck_is_no_doubt() -> None:
    assert doubts(replace(SOUND, p_value=None)) == ()
