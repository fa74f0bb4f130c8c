"""People's accounts at exchanges: sealed keys, linking, balances."""

from app.services.exchanges.sealing import SealBroken, Sealer, renew_seals

__all__ = ["SealBroken", "Sealer", "renew_seals"]
