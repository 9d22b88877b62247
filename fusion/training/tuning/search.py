"""The search in its stages (paper, section 4.6): a grid, the neighbours of the best, the last values of λ."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from fusion.training.tuning.instance import Instance, InstanceResult, Trained, TuningError
from fusion.training.tuning.plan import SearchPlan, best_balanced, choose
from fusion.training.tuning.store import ResultStore
from fusion.training.tuning.workers import Run

GRID = "grid"
REFINEMENT = "refinement"
LAST = "lambda"


@dataclass(frozen=True)
class SearchProgress:
    """Point that a search has reached.

    Attributes
    ----------
    stage : str
        ``grid``, ``refinement`` or ``lambda``.
    finished, total : int
        Instances that are done, and the most that there may be; exact in the last stage.
    result : InstanceResult or None
        The one that has just been trained; None at the start of a stage.
    best : InstanceResult or None
        What would be chosen now.
    """

    stage: str
    finished: int
    total: int
    result: InstanceResult | None
    best: InstanceResult | None


class Search:
    """A search, from the start or from where it stopped.

    Each stage follows from the results of the stages before it alone. So a search that was stopped asks for the
    same instances again and finds them in the store.

    Parameters
    ----------
    plan : SearchPlan
        What is tried.
    store : ResultStore
        Where results are kept and looked up.
    run : callable
        Trains instances and yields each with its outcome, as `trainer` of `fusion.training.tuning.workers` does.
    progress : callable, optional
        Called at the start of each stage and after each instance.
    retry_failed : bool
        True where instances that failed in an earlier session are trained again.
    """

    def __init__(
        self,
        plan: SearchPlan,
        store: ResultStore,
        run: Run,
        progress: Callable[[SearchProgress], None] = lambda now: None,
        retry_failed: bool = False,
    ) -> None:
        self.plan = plan
        self.store = store
        self.run = run
        self.progress = progress
        self._retried = {key for key, one in store.results.items() if one.failed} if retry_failed else set()
        self._found: dict[Instance, InstanceResult] = {}
        self._total = plan.largest_size

    def go(self) -> list[InstanceResult]:
        """Train what is missing and return the results of all instances.

        Raises
        ------
        TuningError
            If all instances of the grid failed.
        WorkersLost
            If the workers are lost.
        """
        self._stage(GRID, self.plan.grid())
        self._refuse_all_failed()
        for turn in range(1, self.plan.refinements + 1):
            # All centres before any neighbour, so that the stage can be trained at once.
            centres = [best_balanced(self._of(value)) for value in self.plan.lambdas]
            around = (self.plan.neighbours(one.instance, turn) for one in centres if one is not None)
            self._stage(REFINEMENT, [one for several in around for one in several])
        choice = choose(self._found.values())
        assert choice is not None, "an instance of the grid did not fail"
        self._stage(LAST, self.plan.last(choice.result.instance))
        return list(self._found.values())

    def _stage(self, name: str, instances: Iterable[Instance]) -> None:
        wanted = [one for one in dict.fromkeys(instances) if one not in self._found]
        todo = [one for one in wanted if one not in self.store.results or one in self._retried]
        if name == LAST:
            self._total = len(self._found) + len(wanted)
        # Those that are known first: a stage of which nothing is left to do takes no time.
        self._found |= {one: self.store.results[one] for one in wanted if one not in todo}
        self._tell(name, None)
        for instance, outcome in self.run(todo):
            result = _result(instance, name, outcome)
            self.store.add(result, outcome.files if isinstance(outcome, Trained) else None)
            self._found[instance] = result
            self._tell(name, result)

    def _tell(self, stage: str, result: InstanceResult | None) -> None:
        choice = choose(self._found.values())
        best = None if choice is None else choice.result
        self.progress(SearchProgress(stage, len(self._found), self._total, result, best))

    def _of(self, lambda_: float) -> list[InstanceResult]:
        return [one for one in self._found.values() if one.instance.lambda_ == lambda_]

    def _refuse_all_failed(self) -> None:
        results = sorted(self._found.values(), key=lambda one: one.instance)
        if all(one.failed for one in results):
            raise TuningError(
                f"All {len(results)} instances of the grid failed. The first, {results[0].instance}: "
                f"{results[0].error}\nWhen this is mended, the same command with --retry-failed trains them again."
            )


def _result(instance: Instance, stage: str, outcome: Trained | str) -> InstanceResult:
    if isinstance(outcome, str):
        return InstanceResult(instance, stage, {}, {}, error=outcome)
    # JSON has no word for what is not a number; a brightness that is none is not defined.
    brightness = {
        name: None if value is None or math.isnan(value) else value
        for name, value in outcome.brightness.items()
    }
    numbers = [*outcome.losses.values(), *(value for value in brightness.values() if value is not None)]
    if not all(math.isfinite(value) for value in numbers):
        return InstanceResult(instance, stage, {}, {}, outcome.seconds, "its losses are not numbers")
    return InstanceResult(instance, stage, outcome.losses, brightness, outcome.seconds)
