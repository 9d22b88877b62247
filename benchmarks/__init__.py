"""Measurements against what the paper's tool does; run with ``make bench``."""
