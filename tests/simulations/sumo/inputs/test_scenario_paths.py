"""Where a written name leads, and what may have been meant by one that is not there."""

import pytest

from simulations.sumo.inputs.scenario_paths import NearMisses, Walk, walk


@pytest.mark.parametrize(
    ("base", "written", "way"),
    [
        ("", "a.xml", Walk("a.xml", ())),
        ("in", "../net/a.xml", Walk("net/a.xml", ("net",))),
        ("in", "./x//../a.xml", Walk("in/a.xml", ("in/x",))),
        ("a/b", "..", Walk("a", ())),
        ("a/b", "../..", Walk("", ())),
        ("a/b", "c/.", Walk("a/b/c", ("a/b/c",))),
        ("", "..", None),
        ("a", "../../b.xml", None),
        ("a", "/b.xml", None),
        ("a", "C:\\b.xml", None),
        ("a", "https://b.xml", None),
    ],
)
def test_the_way_is_walked_as_the_system_does(base: str, written: str, way: Walk | None) -> None:
    assert walk(base, written) == way


ARCHIVE = ["in/a.xml", "in/b c.xml", "Zu\u0308rich.xml"]


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("A.xml", "The archive has 'in/a.xml': upper and lower case must match."),
        (".\\a.xml", "The archive has 'in/a.xml': write '/' instead of '\\'."),
        ("x/../a.xml", "The archive has 'in/a.xml': there is no folder to go through in 'x/../a.xml'."),
        ("../a.xml", "The archive has 'in/a.xml'."),
        (
            "../Z\u00fcrich.xml",
            "The archive has 'Zu\u0308rich.xml': its letters with accents are stored in another form, so rename it, "
            "without accents at best.",
        ),
        ("a.xml;gone.xml", "Separate the names of files with commas, not with ';'."),
        ("gone.xml; a.xml", "Separate the names of files with commas, not with spaces."),
        ("gone.xml;other.xml", None),
        ("x" * 2000, None),
        ("x;" * 2000, "Separate the names of files with commas."),
    ],
)
def test_near_misses(written: str, hint: str | None) -> None:
    assert NearMisses(ARCHIVE).hint("in", written) == hint
