"""Keys of the demo's accounts at the simulated exchange; only the demo's own page tells them."""

from dataclasses import dataclass

from app.domain.exchanges import ExchangeName


@dataclass(frozen=True, slots=True)
class SampleKeys:
    """A key that anybody may try in the demo; it opens nothing anywhere else."""

    exchange: ExchangeName
    access: str
    secret: str
    only_looks: bool = False


SAMPLES = (
    SampleKeys(ExchangeName.UPBIT, "DEMO-UPBIT-ACCESS-KEY-0001", "demo-upbit-secret-key-0001"),
    SampleKeys(
        ExchangeName.BITHUMB, "DEMO-BITHUMB-ACCESS-KEY-0001", "demo-bithumb-secret-key-0001"
    ),
    SampleKeys(
        ExchangeName.UPBIT,
        "DEMO-UPBIT-VIEW-ONLY-0002",
        "demo-upbit-secret-key-0002",
        only_looks=True,
    ),
)
