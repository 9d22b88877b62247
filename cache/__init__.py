"""The services that callbacks call: memoized, computed once, with progress. The only door to fusion."""
