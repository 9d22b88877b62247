"""Measurements of Jacobian and guidance images against full-image autograd: `python -m fusion benchmark`."""
