"""Pages of the desk: a person's accounts, backtests, bots."""

from app.web.desk import accounts, backtest, bot

BLUEPRINTS = (accounts.bp, backtest.bp, bot.bp)
