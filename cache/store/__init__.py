"""The place of results: flask-caching's back ends, addresses, plain bytes, and computing once however many ask."""
