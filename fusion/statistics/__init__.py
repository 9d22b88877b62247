"""Numbers beside the pictures: guidance and influence by region, the paper's requirements (docs/statistics.md)."""
