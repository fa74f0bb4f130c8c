"""The signed side of both exchanges: keys, balances, orders, and what becomes of them."""
