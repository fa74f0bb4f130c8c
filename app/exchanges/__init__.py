"""THE OUTSIDE: one module per exchange behind the protocols of `base`."""
