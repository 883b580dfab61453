"""Curves as text and as a picture."""

from xml.etree import ElementTree

from firedamp.cli.chart import Curve, lines, svg

FALLING = [(300.0, 20.0), (600.0, 10.0), (1800.0, 3.0), (3600.0, 2.0)]
MARKS = [(1800.0, "promote_after"), (86_400.0, "decide_by")]


def drawn(*curves):
    return list(lines(curves, MARKS))


def test_a_curve_falls_from_left_to_right():
    """Its letter stands lower the later it is; both axes are labelled and the letter is explained."""
    chart = drawn(Curve("errors", FALLING))
    places = [(row, line.index("A")) for row, line in enumerate(chart) if "│" in line and "A" in line]

    assert len(places) == 4
    assert places == sorted(places)
    assert [column for _, column in places] == sorted(column for _, column in places)
    assert any(line.lstrip().startswith("2.0× │") for line in chart)
    assert "30 min" in chart[-3]
    assert chart[-2:] == ["A errors", "promote_after 30 min, decide_by 24 h"]


def test_each_check_has_its_letter():
    """Told apart without colours."""
    chart = drawn(Curve("errors", FALLING), Curve("latency", [(400.0, 5.0)]))

    assert "A errors  B latency" in chart
    assert sum("B" in line for line in chart if "│" in line) == 1


def test_what_lies_above_the_axis_is_left_out():
    """A rise beyond ×50 is as good as none."""
    chart = drawn(Curve("errors", [(60.0, 900.0), *FALLING]))

    assert sum(line.count("A") for line in chart if "│" in line) == 4


def test_nothing_to_draw_is_nothing():
    """A plan of limits alone has no chart, and a picture that says so."""
    assert drawn() == []
    assert "nothing to draw" in svg("plan", [], MARKS)


def test_names_are_escaped_in_a_picture():
    """A title is text, whatever is in it."""
    root = ElementTree.fromstring(svg("<a> & b", [Curve("x<y", FALLING)], MARKS))

    assert next(root.iter("{http://www.w3.org/2000/svg}title")).text == "<a> & b"


def test_many_checks_are_told_apart_in_a_picture():
    """Colours come again with dashes; marks beyond the axis are left out."""
    picture = svg("plan", [Curve(f"check {number}", FALLING) for number in range(9)], MARKS)
    lines = ElementTree.fromstring(picture).findall("{http://www.w3.org/2000/svg}polyline")

    assert len({(line.get("stroke"), line.get("stroke-dasharray")) for line in lines}) == 9
    assert "promote_after" in picture
    assert "decide_by" not in picture
