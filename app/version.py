"""The version of this program, as `/health` and the exchange see it."""

VERSION = "0.1.0"
