"""State that a link carries, on its way to and from the page."""
