"""The guides as pages: those that are written here, in order, compressed, with links that lead somewhere."""

import gzip
import re

import pytest
from django.test import Client

from simulations.sumo.protocol.endings import ENDINGS
from sumok8.guides import GUIDES
from sumok8.markdown import render

pytestmark = pytest.mark.django_db


def test_the_description_begins_with_the_first_five_minutes(client: Client) -> None:
    page = client.get("/docs").content.decode()
    places = [page.index(f'id="{part}"') for part in ("key", "upload", "run", "watch", "read", "wrong", "swagger-ui")]
    assert places == sorted(places)
    assert page.count("<figcaption>curl</figcaption>") == page.count("<figcaption>Python</figcaption>") == 6
    schema = client.get("/schema").json()
    assert [tag["name"] for tag in schema["tags"]][:3] == ["scenarios", "jobs", "results"]
    used = {tag for item in schema["paths"].values() for operation in item.values() for tag in operation["tags"]}
    assert used == {tag["name"] for tag in schema["tags"]}


@pytest.mark.parametrize("name", GUIDES)
def test_guides_are_served_and_their_links_lead_somewhere(client: Client, name: str) -> None:
    page = client.get(f"/docs/{name}").content.decode()
    article = page[page.index("<article") :]
    assert "<h1" in article
    assert "](" not in article.replace("[](", "")
    for address in re.findall(r'href="(/[^"#]*)', article):
        assert client.get(address).status_code == 200, address
    ids = set(re.findall(r'id="([^"]+)"', page))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= ids


def test_every_reason_has_its_place(client: Client) -> None:
    page = client.get("/docs/reasons").content.decode()
    assert all(f'id="{reason.value.lower().replace("_", "-")}"' in page for reason in ENDINGS)
    assert client.get("/docs/operations").status_code == 404


@pytest.mark.parametrize("address", ["/schema", "/docs", "/docs/reasons"])
def test_it_is_compressed_for_who_can_read_that(client: Client, address: str) -> None:
    packed = client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(gzip.decompress(packed.content)) / 2


MARKS = """# A <b>

One `x < 1`, **two** *three*, a_b_c and [four](four.md).TWO
next
- five
  six
- seven

```
a

b
```
| h |
|---|
| `c` |
"""
MADE = """<h1 id="a-b">A &lt;b&gt;</h1>
<p>One <code>x &lt; 1</code>, <strong>two</strong> <em>three</em>, a_b_c and <a href="/four">four</a>.<br>
next</p>
<ul><li>five
  six</li><li>seven</li></ul>
<pre class="code" tabindex="0"><code>a

b</code></pre>
"""


def test_the_marks_that_guides_use() -> None:
    made = render(MARKS.replace("TWO", "  "), lambda address: "/four" if address == "four.md" else "")
    assert made.startswith(MADE)
    assert '<th scope="col">h</th></tr></thead><tbody><tr><td><code>c</code></td></tr></tbody></table>' in made
