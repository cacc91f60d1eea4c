"""What a comparison says, in a sentence that claims no more than its runs carry."""

from simulations.studies.statistics.comparison import WEAK_BELOW, Comparison, Method, Relevance
from simulations.studies.statistics.sample import Interval
from simulations.studies.statistics.study import Figure


def direction(figure: Figure, found: Comparison, alpha: float, p_holm: float | None) -> str:
    """better | worse | higher | lower | identical | unclear. Higher and lower are for figures that have no better."""
    if found.identical:
        return "identical"
    told = found.constant or (p_holm is not None and p_holm <= alpha)
    if found.difference is None or not told:
        return "unclear"
    rises = found.difference > 0
    if figure.better is None:
        return "higher" if rises else "lower"
    return "better" if rises == (figure.better == "higher") else "worse"


def sentence(
    figure: Figure,
    found: Comparison,
    *,
    cell: str,
    base: str,
    confidence: float,
    said: str | None,
    family: int,
    runs: tuple[int, int],
) -> str:
    """`said`: the direction of a primary figure; None: the figure is not primary and is only described. `runs`: how
    many the base and the cell have."""
    if found.method is Method.NONE:
        return f"{figure.label}: too few runs to compare {cell} with {base} ({runs[1]} and {runs[0]} have it)."
    what = f"{figure.label}, {cell} against {base}"
    if found.identical:
        return f"{what}: identical in every one of {_count(found)}."
    difference = figure.text(found.difference or 0.0, sign=True) + _share(found)
    if found.constant:
        return f"{what}: {difference} in every one of {_count(found)}; the seed plays no part, so there is no test."
    interval = found.ci_simultaneous if said is not None else found.ci
    text = f"{what}: {difference}, {_percent(confidence)} interval {_span(figure, interval)}, {_count(found)}"
    if said is None:
        return f"{text}. Not a primary figure: described, not tested."
    if family > 1:
        text += f", {family} comparisons together"
    return f"{text}: {_verdict(said, found)}{_cautions(found)}."


def _verdict(said: str, found: Comparison) -> str:
    matter = {
        Relevance.RELEVANT: "larger than the difference that matters",
        Relevance.NEGLIGIBLE: "smaller than the difference that matters",
        Relevance.OPEN: "whether it matters is open",
        None: "whether it matters cannot be said in per cent of a figure near 0",
    }[found.relevance]
    if found.relevance is Relevance.OPEN and found.n_advised is not None:
        more = found.n_advised - found.n
        matter += (
            f" ({more} more {'seed' if more == 1 else 'seeds'} would do)"
            if more > 0
            else " (close to the line: more seeds may go either way)"
        )
    if said == "unclear":
        if found.relevance is Relevance.NEGLIGIBLE:
            return "no direction is shown, and any difference is smaller than the one that matters"
        return f"no direction is shown; {matter}"
    return f"{said}, and {matter}" if found.relevance else f"{said}; {matter}"


def _cautions(found: Comparison) -> str:
    cautions = []
    if found.method is Method.WELCH:
        cautions.append("the runs share no seeds, so they are not paired")
    if found.weak:
        cautions.append(f"weak, with fewer than {WEAK_BELOW} {'seeds' if found.method is Method.PAIRED else 'runs'}")
    return f" ({'; '.join(cautions)})" if cautions else ""


def _count(found: Comparison) -> str:
    if found.method is Method.PAIRED:
        return f"{found.n} paired seeds"
    return f"{found.n} runs or more on each side"


def _share(found: Comparison) -> str:
    return "" if found.relative is None else f" ({found.relative * 100:+.1f} %)".replace("-", "−")


def _span(figure: Figure, ci: Interval | None) -> str:
    return "none" if ci is None else f"{figure.text(ci.low, sign=True)} to {figure.text(ci.high, sign=True)}"


def _percent(confidence: float) -> str:
    return f"{confidence * 100:.4g} %"
