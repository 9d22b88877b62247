"""Everything that stands before the routes: names of the server, other web pages, limits, headers, sign-in."""
