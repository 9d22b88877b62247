"""Tests of a network by its saliency, for whoever builds one: rules from a file, held against derivatives on pairs."""
