"""The request that is answered, or that has begun the job at work.

Apart from the jobs' other files, because the server's first process reads it, which must not load torch.
"""

from __future__ import annotations

from contextvars import ContextVar

NOBODY = "-"
origin: ContextVar[str] = ContextVar("origin", default=NOBODY)
"""Its id; `NOBODY` where there is none."""
