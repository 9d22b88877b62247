"""Long work in the background: jobs, who watches them, and how many threads they may use."""
