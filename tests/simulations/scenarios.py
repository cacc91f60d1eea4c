"""Small archives that pass the upload check."""

import io
import zipfile

from rest_framework.test import APIClient

CONFIG = """<configuration><input><net-file value="{net}"/><route-files value="demand.rou.xml"/></input>
<time><begin value="{begin}"/><end value="{end}"/></time></configuration>"""
NET = """<net version="1.20"><location netOffset="0.00,0.00" convBoundary="0,0,100,0" origBoundary="0,0,100,0"
 projParameter="!"/><edge id="a" from="x" to="y"><lane id="a_0" index="0" speed="13.9" length="100" shape="0,0 100,0"/>
</edge><junction id="x" type="dead_end" x="0" y="0" incLanes="" intLanes="" shape="0,0"/><junction id="y"
 type="dead_end" x="100" y="0" incLanes="a_0" intLanes="" shape="100,0"/></net>"""
ROUTES = '<routes><vehicle id="v" depart="0"><route edges="a"/></vehicle></routes>'


def archive(*, configs: tuple[str, ...] = ("run.sumocfg",), note: str = "", net: str = "net.net.xml",
            begin: float = 0, end: float = 100, extra: dict[str, bytes] | None = None) -> bytes:  # fmt: skip
    """A zip with one edge and one vehicle; `note` makes other bytes of it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in configs:
            packed.writestr(zipfile.ZipInfo(name), CONFIG.format(net=net, begin=begin, end=end))
        packed.writestr(zipfile.ZipInfo("net.net.xml"), NET)
        packed.writestr(zipfile.ZipInfo("demand.rou.xml"), ROUTES + f"<!-- {note} -->")
        for name, content in (extra or {}).items():
            packed.writestr(zipfile.ZipInfo(name), content)
    return buffer.getvalue()


def upload(api: APIClient, scenario_id: str = "town", content: bytes | None = None, **fields: str):
    """POST /scenarios."""
    file = io.BytesIO(archive() if content is None else content)
    file.name = "scenario.zip"
    return api.post("/scenarios", {"scenario_id": scenario_id, "file": file, **fields}, format="multipart")
