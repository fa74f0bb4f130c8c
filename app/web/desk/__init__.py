"""Pages of the desk: a person's accounts, backtests, bots."""

from flask import Blueprint

BLUEPRINTS: tuple[Blueprint, ...] = ()
