"""More seeds for a study that is there already."""

from simulations.studies.expansion import ExpansionFault
from simulations.studies.models import Study, StudyRun
from simulations.studies.services.submission import planned_runs, refusal

MAX_SEED = 2**31 - 1


def add_seeds(study: Study, count: int) -> None:
    """Plan `count` more rounds, with the seeds after the largest there is. The caller holds the study's lock and saves
    `seeds`. Raises ApiError 422 where seeds end."""
    first = max(study.seeds) + 1
    if first + count - 1 > MAX_SEED:
        raise refusal([ExpansionFault("study.seeds_end", f"Seeds end at {MAX_SEED}.", "seeds")])
    before = len(study.seeds)
    study.seeds = [*study.seeds, *range(first, first + count)]
    StudyRun.objects.bulk_create(planned_runs(study, list(study.cells.all()), range(before, before + count)))
