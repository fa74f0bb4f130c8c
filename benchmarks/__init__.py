"""Benchmarks: each task beside its peer and its limit, in the same run, with equal results."""
