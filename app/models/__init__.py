"""TABLES: columns, constraints and relationships; every promise SQLite can hold is held here."""

from app.models.accounts import User
from app.models.identities import Identity, Picture
from app.models.jobs import JobRun, Lease
from app.models.market import (
    CandleSpan,
    CandleWish,
    Coin,
    Favourite,
    MarketFeed,
    PriceSample,
    Quote,
    StoredCandle,
)
from app.models.points import LedgerEntry
from app.models.tokens import ClientSession, KeptAnswer
from app.models.votes import Ballot, Vote

__all__ = [
    "Ballot",
    "CandleSpan",
    "CandleWish",
    "ClientSession",
    "Coin",
    "Favourite",
    "Identity",
    "JobRun",
    "KeptAnswer",
    "Lease",
    "LedgerEntry",
    "MarketFeed",
    "Picture",
    "PriceSample",
    "Quote",
    "StoredCandle",
    "User",
    "Vote",
]
