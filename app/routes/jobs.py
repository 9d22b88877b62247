"""The page “Jobs”: what the server computes in the background, for whom, how long yet; and stopping it.

Anybody who may open pages sees all jobs, and stops those of their own pages: work that others wait for goes on.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, current_app, jsonify

from app.guard.visitors import visitor
from app.routes.answers import problem_answer
from app.routes.plain_pages import document
from cache.jobs.entries import JobEntry, JobState, Subject
from cache.services.services import services_of

TITLE = "Jobs"
STYLE = """body { background: Canvas; color: CanvasText; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 64rem; padding: 0 1rem; overflow-wrap: anywhere; }
table { border-collapse: collapse; width: 100%; }
:root { --line: 1px solid color-mix(in srgb, CanvasText 20%, Canvas); }
th, td { text-align: left; padding: 0.4rem 0.8rem 0.4rem 0; border-bottom: var(--line); }
td { vertical-align: middle; }
td progress { width: 7rem; vertical-align: middle; margin-right: 0.5rem; }
.job-number { font-variant-numeric: tabular-nums; white-space: nowrap; }
@media (max-width: 40rem) {
  thead { display: none; }
  tr { display: block; padding: 0.6rem 0; border-bottom: var(--line); }
  td, th[scope=row] { display: block; border: 0; padding: 0.1rem 0; }
}"""
BODY = """<nav aria-label="Pages"><a href="./">Saliency pictures</a> · <a href="compare">Compare</a> ·
<a href="training">Training</a></nav>
<main>
<h1>Jobs</h1>
<p>What this server computes in the background now. Those who wait take turns; work stops when nobody waits for it
any more, and what is done of it is kept. You can stop what your own pages wait for.</p>
<table id="jobs-table" hidden>
<thead><tr><th scope="col">What</th><th scope="col">Pair and method</th><th scope="col">For</th>
<th scope="col">Progress</th><th scope="col">Left</th><th scope="col"><span hidden>Stop</span></th></tr></thead>
<tbody></tbody>
</table>
<p id="jobs-nothing">Asking the server…</p>
<p id="jobs-told" role="status"></p>
<noscript><p>This page needs JavaScript.</p></noscript>
</main>
<script type="module" src="assets/jobs.mjs"></script>"""
SOMEBODYS = "A pair of somebody's own"
GONE = "Nothing of yours waits for this any more."

routes = Blueprint("jobs", __name__)


@routes.get("/jobs")
def show() -> Response:
    """Answer with the page, which asks for the list by itself; its addresses are relative."""
    return Response(document(TITLE, STYLE, BODY), mimetype="text/html")


@routes.get("/jobs.json")
def listed() -> Response:
    """Answer with all jobs that have not ended.

    Each has an ``id``, ``what``, ``pair`` and ``method`` in words, ``link`` (the view it is of, or nothing), ``yours``,
    ``others`` (how many others wait for it), ``state``, ``fraction``, ``seconds`` and ``left`` (seconds or null).
    """
    services, own = services_of(current_app), visitor()
    known = {entry.address for entry in services.scenes.entries()}
    answer = jsonify(jobs=[described(id, entry, own, known) for id, entry in services.jobs.entries()])
    answer.headers["Cache-Control"] = "no-store"
    return answer


@routes.post("/jobs/<id>/stop")
def stop(id: str) -> Response:
    """Stop a job as far as the visitor's pages want it."""
    if services_of(current_app).jobs.stop(id, visitor()):
        return jsonify(stopped=True)
    return problem_answer(404, GONE)


def described(id: str, entry: JobEntry, own: str, known: set[str]) -> dict[str, Any]:
    """Return a job as the page shows it to a visitor.

    Parameters
    ----------
    id : str
        By which it is stopped.
    entry : JobEntry
        The job.
    own : str
        The visitor's name.
    known : set of str
        Addresses of pairs of which everybody knows; others are named and linked only to those who wait for them.
    """
    yours, subject = own in entry.owners, entry.subject
    public = subject is not None and (yours or subject.pair in known)
    return {
        "id": id,
        "what": subject.what if subject else "Work",
        "pair": subject.pair_title if subject and public else SOMEBODYS,
        "method": subject.method_title if subject else "",
        "link": link_to(subject) if subject and public else None,
        "yours": yours,
        "others": len(entry.owners - {own}),
        "state": "waiting" if entry.state is JobState.QUEUED else "running",
        "fraction": entry.fraction,
        "seconds": entry.seconds,
        "left": entry.seconds_left,
    }


def link_to(subject: Subject) -> str:
    """Return the address of the view that a job is of, from the page's own."""
    return "./?" + urlencode({"pair": subject.pair, "method": subject.method})
