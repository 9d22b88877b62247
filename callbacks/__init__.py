"""What happens on the page: one file an interaction, each with ``register(app)``."""
