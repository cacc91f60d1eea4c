"""What would change a verdict: from the interval, the difference that matters and the runs that would show it."""

from simulations.studies.statistics.comparison import Comparison, Method, Relevance

ENOUGH = "Nothing that can be planned: it is about as large as what matters, so that more seeds may show either."


def outlook(found: Comparison, matters: float, *, verdict: bool) -> str:
    """In a sentence. `matters`: as a share; `verdict`: whether enough runs succeeded for one."""
    if not verdict:
        return "Too many runs failed: run them again for a verdict."
    if found.method is Method.NONE:
        return "More seeds: too few runs have this figure on both sides."
    if found.ci is None and not found.constant:
        return "Many more seeds: most runs have none of what is counted."
    if found.constant:
        if found.settled:
            return "No number of seeds: the seed plays no part in this difference."
        return "More seeds: so few may agree by chance."
    if found.relevance is None:
        return "More seeds, unless the base is 0: as far as these show it may be, and then nothing is a share of it."
    if found.relevance is Relevance.OPEN:
        return _more_seeds(found, matters)
    span = found.ci_simultaneous_relative
    if span is None:
        return ""
    least, most = sorted((abs(span.low), abs(span.high)))
    limit = f"{matters * 100:g} % that matter"
    if found.relevance is Relevance.RELEVANT:
        return f"Only if a difference of {least * 100:.1f} % did not matter: the whole interval is above the {limit}."
    return f"Only if a difference of {most * 100:.1f} % mattered: the whole interval is below the {limit}."


def _more_seeds(found: Comparison, matters: float) -> str:
    if found.n_advised is None:
        return "Far more seeds than are possible: the difference varies too much from seed to seed."
    more = found.n_advised - found.n
    if more <= 0:
        return ENOUGH
    if found.ci_simultaneous and not found.ci_simultaneous.contains(0):
        return "More seeds, which narrow the interval: it shows a difference, and not yet whether it matters."
    seeds = "1 more seed" if more == 1 else f"{more} more seeds"
    shown = f"a difference of {matters * 100:g} %, if there is one"
    return f"About {seeds}: {found.n_advised} in all show {shown}, in 4 of 5 studies."
