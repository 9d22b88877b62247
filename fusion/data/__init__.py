"""Pairs: the samples that ship, the user's own, and simulated ones to train on."""
