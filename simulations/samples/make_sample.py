"""Make midtown_peak.zip anew with SUMO's own tools: ``python -m simulations.samples.make_sample``.

A town district of 8 by 6 blocks with actuated traffic lights, turn lanes and roads that lead out of it; one and a half
hours around the peak with about 3000 cars, most of them through traffic, and a
quarter of an hour's tail for them to arrive. A quarter of a second a step keeps queues and lane changes fine.
Needs SUMO_HOME (with ``bin`` and ``tools``). The seeds are fixed, so the same SUMO version makes the same scenario.
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

SEED = "11"
TARGET = Path(__file__).with_name("midtown_peak.zip")

NETWORK = shlex.split("""
--grid --grid.x-number 8 --grid.y-number 6 --grid.x-length 160 --grid.y-length 130 --grid.attach-length 180
--perturb-x norm(0,12) --perturb-y norm(0,10) --default.lanenumber 2 --default.speed 13.89
--default-junction-type traffic_light --tls.default-type actuated --turn-lanes 1 --turn-lanes.length 40
""")
# Seconds between two departures in each of six quarters of an hour: traffic builds up and falls again.
DEMAND = shlex.split("""
--begin 0 --end 5400 --period 3.2 1.6 1.1 1.3 2.2 4 --fringe-factor 8 --min-distance 500 --validate
""")
GENERATED_ON = re.compile(r"<!-- generated on .*?-->\s*", re.DOTALL)
CONFIG = """<?xml version="1.0" encoding="UTF-8"?>
<sumoConfiguration>
    <input>
        <net-file value="midtown.net.xml"/>
        <route-files value="midtown.rou.xml"/>
    </input>
    <time>
        <begin value="0"/>
        <end value="6300"/>
        <step-length value="0.25"/>
    </time>
</sumoConfiguration>
"""


def make(target: Path = TARGET) -> None:
    """Raises subprocess.CalledProcessError if one of SUMO's tools fails."""
    home = Path(os.environ["SUMO_HOME"])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def run(*command: str) -> None:
            subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)

        net, routes = "midtown.net.xml", "midtown.rou.xml"
        run(str(home / "bin" / "netgenerate"), *NETWORK, "--seed", SEED, "--output-file", net)
        attributes = 'departLane="best" departSpeed="max"'
        trips = [*DEMAND, "--seed", SEED, "--trip-attributes", attributes, "-o", "trips.xml", "-r", routes]
        run(sys.executable, str(home / "tools" / "randomTrips.py"), "-n", net, *trips)
        (folder / "midtown.sumocfg").write_text(CONFIG, encoding="utf-8")
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for name in ("midtown.sumocfg", net, routes):
                # No dates, neither the tools' nor the files': the archive changes only when its content does.
                member = zipfile.ZipInfo(name, date_time=(2026, 1, 1, 0, 0, 0))
                member.compress_type = zipfile.ZIP_DEFLATED
                content = (folder / name).read_text(encoding="utf-8")
                archive.writestr(member, GENERATED_ON.sub("", content))


if __name__ == "__main__":
    make()
