"""The frames of a chart, by the word that an address has for each."""

#: How long a candle is, in minutes.
FRAMES = {"1m": 1, "15m": 15, "1h": 60, "4h": 240, "1d": 1440, "1w": 10_080}
USUAL_FRAME = "1d"
