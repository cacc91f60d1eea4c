"""What a comparison says, in a sentence that claims no more than its runs carry."""

from simulations.studies.statistics.comparison import WEAK_BELOW, Comparison, Method, Relevance
from simulations.studies.statistics.sample import Interval
from simulations.studies.statistics.study import Figure

EITHER = " The difference is about as large as what matters: more seeds may show either."


def direction(figure: Figure, found: Comparison, alpha: float, p_holm: float | None) -> str:
    """better | worse | higher | lower | identical | unclear. Higher and lower are for figures that have no better."""
    if found.identical:
        return "identical"
    told = found.settled or (p_holm is not None and p_holm <= alpha)
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
    matters: float,
) -> str:
    """`said`: the direction of a primary figure; None: the figure is not primary and is only described. `runs`: how
    many the base and the cell have. `matters`: the smallest difference that does, as a share."""
    if found.method is Method.NONE:
        return f"{figure.label}: too few runs to compare {cell} with {base} ({runs[1]} and {runs[0]} have it)."
    what = f"{figure.label}, {cell} against {base}"
    if found.identical:
        return f"{what}: identical in every one of {_count(found)}."
    difference = figure.text(found.difference or 0.0, sign=True) + _share(found)
    if found.constant:
        same = f"{what}: {difference} in every one of {_count(found)}"
        if not found.settled:
            return f"{same}: so few may agree by chance, and there is no test."
        shown = [_verdict(figure, said, found, matters)] if said is not None else []
        return " ".join((f"{same}.", *shown, "The seed plays no part in it, so there is no test."))
    if found.ci is None:
        return f"{what}: {difference}. From {_count(found)}, most with none on either side: too rare for an interval."
    interval = found.ci_simultaneous if said is not None else found.ci
    seen = f"{_percent(confidence)} interval: {_span(figure, interval)}, from {_count(found)}"
    if said is None:
        return f"{what}: {difference}. {seen}. Not a primary figure: described, not tested."
    if family > 1:
        seen += f", wide enough for all {family} comparisons to hold at once"
    return " ".join((f"{what}: {difference}.", _verdict(figure, said, found, matters), f"{seen}.", *_cautions(found)))


def _verdict(figure: Figure, said: str, found: Comparison, matters: float) -> str:
    """Whether it is better or worse, whether by enough to matter, and if the runs cannot tell, what would."""
    limit = f"{matters * 100:g} %"
    if said == "unclear":
        either = "higher or lower" if figure.better is None else "better or worse"
        shown = f"The runs do not show whether it is {either}"
        rest = {
            Relevance.RELEVANT: f", only that it is enough to matter (more than {limit}).",
            Relevance.NEGLIGIBLE: f"; any difference is too small to matter (less than {limit}).",
            Relevance.OPEN: f", nor whether it is enough to matter ({limit}).{_more(found, limit, shown=False)}",
        }
    else:
        shown = f"It is {said}"
        rest = {
            Relevance.RELEVANT: f", and by enough to matter (more than {limit}).",
            Relevance.NEGLIGIBLE: f", but by too little to matter (less than {limit}).",
            Relevance.OPEN: f"; whether by enough to matter ({limit}) is open.{_more(found, limit, shown=True)}",
        }
    if found.relevance is None:
        return f"{shown}; whether it matters cannot be said in per cent, since the base may be 0."
    return shown + rest[found.relevance]


def _more(found: Comparison, limit: str, shown: bool) -> str:
    """`shown`: that there is a difference."""
    if found.n_advised is None:
        return ""
    more = found.n_advised - found.n
    if more > 0 and shown:
        return " More seeds would narrow the interval."
    if more > 0:
        seeds = "seed" if more == 1 else "seeds"
        return f" About {more} more {seeds} would show a difference of {limit}, if there is one, in 4 of 5 studies."
    return EITHER


def _cautions(found: Comparison) -> list[str]:
    cautions = []
    if found.method is Method.WELCH:
        cautions.append("The runs share fewer than two seeds, so they are not paired.")
    if found.weak:
        kind = "seeds" if found.method is Method.PAIRED else "runs"
        cautions.append(f"Weak evidence: fewer than {WEAK_BELOW} {kind}.")
    return cautions


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
