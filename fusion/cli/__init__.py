"""The command line: ``python -m fusion``."""
