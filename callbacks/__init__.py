"""Interactions with the pages: one file each, with ``register(app)``."""
