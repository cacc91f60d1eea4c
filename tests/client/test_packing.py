"""A folder becomes what its configuration needs, and nothing else."""

import gzip
import hashlib
from pathlib import Path

import pytest

from client import ApiProblem
from client.packing import CONFIG_SUFFIXES, RARE_CONFIG_SUFFIXES, pack, packed_for, survey
from simulations.sumo.inputs import scenario_check

CONFIG = """<configuration><input><net-file value="net/a.net.xml"/><route-files value="a.rou.xml, b.rou.xml.gz"/>
<additional-files value="more.add.xml"/></input><output><tripinfo-output value="tripinfo.xml"/></output>
<gui_only><gui-settings-file value="view.xml"/></gui_only></configuration>"""
MORE = """<additional><rerouter id="r" edges="a" file="reroute.xml"/><e1Detector id="d" lane="a_0" pos="1"
file="counts.xml"/><include href="../town/stops.add.xml"/></additional>"""


@pytest.fixture
def town(tmp_path: Path) -> Path:
    folder = tmp_path / "town"
    (folder / "net").mkdir(parents=True)
    texts = {"a.sumocfg": CONFIG, "net/a.net.xml": "<net/>", "a.rou.xml": "<routes/>", "more.add.xml": MORE,
             "reroute.xml": "<rerouter/>", "stops.add.xml": "<additional/>"}  # fmt: skip
    (folder / ".hidden.sumocfg").write_text("not seen")
    for name in ("tripinfo.xml", "counts.xml", "view.xml", "notes.txt"):
        texts[name] = "not needed"
    for name, text in texts.items():
        (folder / name).write_text(text)
    with gzip.open(folder / "b.rou.xml.gz", "wb") as file:
        file.write(b"<routes/>")
    return folder


def test_what_is_needed_is_found_through_the_files(town: Path) -> None:
    (town / "more.add.xml").write_text(MORE.replace("../town/stops", "./stops"))
    packing = packed_for(town)
    needed = ["a.rou.xml", "a.sumocfg", "b.rou.xml.gz", "more.add.xml", "net/a.net.xml", "reroute.xml", "stops.add.xml"]
    assert (packing.config, packing.files) == ("a.sumocfg", needed)
    assert packing.left_out == ["counts.xml", "notes.txt", "tripinfo.xml", "view.xml"]


def test_everything_that_is_missing_is_told_at_once(town: Path) -> None:
    (town / "a.rou.xml").unlink()
    with pytest.raises(ApiProblem) as caught:
        packed_for(town)
    told = str(caught.value)
    assert "a.rou.xml (option route-files) is not there" in told
    assert "../town/stops.add.xml (in <include>) lies outside" in told


def test_a_file_in_other_letters_is_not_told_as_needless(town: Path) -> None:
    (town / "net/a.net.xml").rename(town / "net/A.net.xml")
    (town / "more.add.xml").write_text("<additional/>")
    assert "net/A.net.xml" in survey(town).files
    with pytest.raises(ApiProblem) as caught:
        packed_for(town)
    assert "is not there; there is net/A.net.xml: upper and lower case must match" in str(caught.value)


def test_which_configuration(town: Path) -> None:
    (town / "b.sumocfg").write_text(CONFIG)
    with pytest.raises(ApiProblem, match=r"a\.sumocfg, b\.sumocfg"):
        packed_for(town)
    with pytest.raises(ApiProblem, match="has no file"):
        packed_for(town, "c.sumocfg")
    with pytest.raises(ApiProblem, match="holds no SUMO configuration"):
        packed_for(town / "net")


def test_configurations_are_known_by_the_services_names(town: Path) -> None:
    (town / "more.add.xml").write_text("<additional/>")
    (town / "a.sumocfg").rename(town / "a.sumocfg.xml")
    assert packed_for(town).config == "a.sumocfg.xml"
    assert (CONFIG_SUFFIXES, RARE_CONFIG_SUFFIXES) == (
        scenario_check.CONFIG_SUFFIXES,
        scenario_check.RARE_CONFIG_SUFFIXES,
    )


def test_broken_xml_is_told(town: Path) -> None:
    (town / "more.add.xml").write_text("<additional>")
    with pytest.raises(ApiProblem, match=r"more\.add\.xml cannot be read as XML"):
        packed_for(town)


def test_the_same_folder_makes_the_same_bytes(town: Path, tmp_path: Path) -> None:
    digests = set()
    for number in range(2):
        (town / "a.rou.xml").touch()
        zipped = pack(town, ["a.rou.xml", "net/a.net.xml"], tmp_path / f"{number}.zip")
        digests.add(hashlib.sha256(zipped.read_bytes()).hexdigest())
    assert len(digests) == 1
