"""How many problems an answer may hold."""

from simulations.sumo.protocol.problems import MAX_LISTED, MAX_TEXT, MORE, Problem, ProblemList, listed, listed_entries


def problems(number: int) -> list[Problem]:
    return [Problem("a", f"number {n}", f"where {n}") for n in range(number)]


def test_all_are_listed_while_there_are_few():
    assert listed(problems(MAX_LISTED)) == problems(MAX_LISTED)
    entries = [problem.as_dict() for problem in problems(MAX_LISTED)]
    assert listed_entries(entries) == entries


def test_the_rest_is_counted():
    found = listed(problems(MAX_LISTED + 7), "options")
    assert found[:-1] == problems(MAX_LISTED)
    assert found[-1] == Problem(MORE, "7 more problems are not listed.", "options", more=7)


def test_entries_that_count_are_summed_up():
    rest = Problem(MORE, "7 more problems are not listed.", "options", more=7)
    entries = [problem.as_dict() for problem in [rest, *problems(MAX_LISTED + 2), rest]]
    *shown, last = listed_entries(entries)
    assert len(shown) == MAX_LISTED
    assert last == {"code": MORE, "message": "16 more problems are not listed.", "more": 16}


def test_texts_are_cut():
    (entry,) = listed_entries([{"code": "a", "message": "m" * 10**6, "number": 5}])
    assert entry == {"code": "a", "message": "m" * MAX_TEXT + "…", "number": 5}


def test_texts_of_strangers_are_cut_and_cleaned():
    problem = Problem("x", "a\0b\ud800" + "c" * 5_000, where="d\x1b[2J", hint="é\nè")
    assert problem.message.startswith("a\\x00b\\xd800ccc")
    assert len(problem.message) < 1_100
    assert (problem.where, problem.hint) == ("d\\x1b[2J", "é\nè")


def test_a_list_of_problems_counts_what_it_does_not_list():
    problems = ProblemList(most=2)
    problems.extend(Problem("a", str(n)) for n in range(5))
    assert [problem.message for problem in problems.all()] == ["0", "1", "3 more problems are not listed."]
