"""Whaling: a game of price votes, settled by evidence."""
