"""TABLES: columns, constraints and relationships; every promise SQLite can hold is held here."""

from app.models.accounts import User
from app.models.exchanges import Holding, LinkedAccount
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
from app.models.trading import (
    Backtest,
    Bot,
    BotRun,
    BotValue,
    Order,
    OrderFill,
    PaperBalance,
    PaperOrder,
    Position,
    RunLine,
)
from app.models.votes import Ballot, Vote

__all__ = [
    "Backtest",
    "Ballot",
    "Bot",
    "BotRun",
    "BotValue",
    "CandleSpan",
    "CandleWish",
    "ClientSession",
    "Coin",
    "Favourite",
    "Holding",
    "Identity",
    "JobRun",
    "KeptAnswer",
    "Lease",
    "LedgerEntry",
    "LinkedAccount",
    "MarketFeed",
    "Order",
    "OrderFill",
    "PaperBalance",
    "PaperOrder",
    "Picture",
    "Position",
    "PriceSample",
    "Quote",
    "RunLine",
    "StoredCandle",
    "User",
    "Vote",
]
