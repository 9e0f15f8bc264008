"""Charts: where points land, and that texts cannot break out."""

import re
from xml.etree import ElementTree as Xml

from hypothesis import given
from hypothesis import strategies as st

from genprm.report.svg import HEIGHT, WIDTH, Chart, Series

values = st.floats(-1e6, 1e6).map(lambda x: round(x, 3))


@given(st.lists(values, min_size=1, max_size=9))
def test_every_point_lies_inside(y: list[float]) -> None:
    x = [2.0**k for k in range(len(y))]
    svg = Chart("t", "x", "y", [Series("one", 0, x, y, y, y)], log=True).svg()
    dots = [node for node in Xml.fromstring(svg).iter() if node.tag.endswith("circle")]
    assert len(dots) == len(y)
    for dot in dots:
        assert 0 <= float(dot.attrib["cx"]) <= WIDTH
        assert 0 <= float(dot.attrib["cy"]) <= HEIGHT


def test_higher_values_are_drawn_higher() -> None:
    svg = Chart("t", "x", "y", [Series("one", 0, [1, 2], [10, 20])]).svg()
    low, high = (float(y) for y in re.findall(r'cy="([\d.]+)"', svg))
    assert high < low


def test_names_are_escaped() -> None:
    svg = Chart("<b>&", "<x>", "y", [Series("</svg><script>", 0, [1], [1])]).svg()
    assert "<script>" not in svg
    Xml.fromstring(svg)
