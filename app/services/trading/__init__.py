"""Trading: bots, their orders, the paper books, backtests."""
