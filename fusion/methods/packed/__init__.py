"""Methods in folders: a network as a file beside a description, read without running anything that is not on a list."""
