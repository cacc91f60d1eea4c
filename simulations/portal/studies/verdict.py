"""A study's answer in one sentence, and what stands behind it in a few."""

from collections import Counter

from simulations.charts.scale import plain
from simulations.studies.figures import Answer, title
from simulations.studies.kpis import FIGURES
from simulations.studies.models import Study
from simulations.studies.statistics.comparison import WEAK_BELOW, Method
from simulations.studies.statistics.outlook import outlook
from simulations.studies.statistics.summary import Compared

Status = Study.Status
WORDS = {
    "relevant": "and large enough to matter",
    "negligible": "too small to matter",
    "open": "and whether it matters is open",
}

KINDS = {Status.RUNNING: "info", Status.PAUSED: "warn", Status.COMPLETE: "ok", Status.INCOMPLETE: "bad"}


def kind_of(study: Study, answer: Answer) -> str:
    """Its colour, as of a job's verdict: what is to be read with grave care is not green."""
    kind = KINDS.get(Status(study.status), "idle")
    return "warn" if kind == "ok" and any(flag.level == "red" for flag in answer.summary.flags) else kind


def headline(answer: Answer, *, ended: int, total: int, final: bool) -> str:
    """What is known, said first."""
    sentence = _known(answer)
    if sentence is None and final:
        return "No verdict: too few runs succeeded to compare any."
    if sentence is None:
        return f"No verdict yet: {ended} of {total} runs have ended."
    return sentence if final else f"So far, with {ended} of {total} runs: {sentence[:1].lower()}{sentence[1:]}"


def _known(answer: Answer) -> str | None:
    if not answer.summary.verdict:
        failed, most = answer.summary.failed_share * 100, answer.question.max_failed_share * 100
        return f"No verdict: {failed:.0f} % of the runs failed, and at most {most:g} % may."
    told = [each for each in answer.summary.comparisons if each.primary and each.found.difference is not None]
    if not told:
        return None if any(cell.against for cell in answer.cells) else _single(answer)
    said = _one(told[0]) if len(told) == 1 else _counted(told)
    return f"{said}{_weak(told)}"


def _weak(told: list[Compared]) -> str:
    """Few seeds are said of wherever the sentence goes, on pages for guests too."""
    weak = [each for each in told if each.found.weak]
    if not weak:
        return ""
    kind = "seeds" if all(each.found.method is Method.PAIRED for each in weak) else "runs"
    which = "Weak evidence" if len(weak) == len(told) else f"{len(weak)} of them {_are(len(weak))} weak evidence"
    return f" {which}: fewer than {WEAK_BELOW} {kind}."


def _one(each: Compared) -> str:
    found = each.found
    difference = each.figure.text(found.difference or 0.0, sign=True)
    share = "" if found.relative is None else f" ({plain(found.relative * 100, 1, sign=True)} %)"
    return f"{title(each.figure)}, {each.cell} against {each.base}: {difference}{share}, {in_words(each)}."


def _counted(told: list[Compared]) -> str:
    """Those that matter first, with their directions; then those that differ by no share that can be said."""
    kinds = Counter(_kind(each) for each in told)
    parts: list[str] = []
    for kind, what in (("relevant", "that matters"), ("differs", "that cannot be said in per cent")):
        if count := kinds[kind]:
            ways = Counter(each.direction or "undecided" for each in told if _kind(each) == kind)
            directions = ", ".join(f"{number} {way}" if len(ways) > 1 else way for way, number in ways.most_common())
            of = f"{count} of {len(told)} comparisons" if not parts else f"{count}"
            parts.append(f"{of} {_show(count)} a difference {what} ({directions})")
    parts = parts or [f"None of {len(told)} comparisons shows a difference that matters"]
    rest = (
        ("open", "open"),
        ("negligible", "too small to matter"),
        ("identical", "identical"),
        ("unsaid", "not to be said in per cent"),
    )
    parts += [f"{kinds[kind]} {_are(kinds[kind])} {words}" for kind, words in rest if kinds[kind]]
    return f"{'; '.join(parts)}."


def _kind(each: Compared) -> str:
    if each.relevance or each.found.identical:
        return each.relevance or "identical"
    return "unsaid" if each.direction in (None, "unclear") else "differs"


def _show(count: int) -> str:
    return "shows" if count == 1 else "show"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


def _single(answer: Answer) -> str | None:
    """One cell has nothing to be compared with: its first figure."""
    figure = FIGURES[answer.question.primary[0]]
    known = answer.known(answer.cells[0], figure) if answer.cells else None
    if known is None or known.mean is None:
        return None
    spread = f" ± {figure.text(known.half_width)}" if known.half_width is not None else ""
    return f"{title(figure)} {figure.text(known.mean)}{spread} ({known.n} runs); one cell, so nothing is compared."


def in_words(compared: Compared) -> str:
    """`worse and large enough to matter`."""
    if compared.found.identical:
        return "identical"
    if compared.relevance is None:
        return compared.direction or "undecided"
    if compared.relevance == "negligible":
        return WORDS["negligible"]
    shown = "no direction shown" if compared.direction == "unclear" else compared.direction
    return f"{shown}{',' if compared.relevance == 'open' else ''} {WORDS[compared.relevance]}"


def outlooks(answer: Answer) -> list[tuple[Compared, str, str]]:
    """Each primary comparison with its word and what would change that."""
    question = answer.question
    return [
        (each, in_words(each), outlook(each.found, question.relevant_difference, verdict=answer.summary.verdict))
        for each in answer.summary.comparisons
        if each.primary
    ]
