"""Selectors: read strictly, written so that they carry exactly the matchers meant."""

import re

import promql_parser
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from firedamp.queries import (
    Counted,
    Expression,
    Level,
    Matcher,
    Op,
    Selector,
    filled,
    literal,
    matchers,
    promql,
    quoted,
    selector,
)

# What a hostile or careless caller may send as a hash, a namespace or a pod. Surrogates are no text.
VALUES = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)
LABELS = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,15}", fullmatch=True)
HOSTILE = ['"} or vector(1) #', "\\", '\\"', "a|b", ".*", "$window", "$cohort", "$canary", "`", "'", "\r\n"]

# By its printed name, for the parser's own values cannot be compared.
OPERATORS = {
    "MatchOp.Equal": Op.EQUAL,
    "MatchOp.NotEqual": Op.NOT_EQUAL,
    "MatchOp.Re": Op.MATCH,
    "MatchOp.NotRe": Op.NOT_MATCH,
}


def parsed(text: str) -> tuple[str, list[Matcher]]:
    """Read a selector with a parser that is not ours: Prometheus's grammar, written again in Rust."""
    tree = promql_parser.parse(text)
    assert isinstance(tree, promql_parser.VectorSelector)
    assert not tree.matchers.or_matchers
    found = tree.matchers.matchers
    return tree.name, [Matcher(one.name, OPERATORS[str(one.op)], one.value) for one in found]


# Writing.


@settings(max_examples=300)
@given(st.lists(st.tuples(LABELS, VALUES), min_size=1, max_size=4))
@example([("pod", value) for value in HOSTILE])
def test_a_selector_sent_carries_exactly_the_matchers_meant(pairs):
    """Whatever the values are, another parser reads the same labels, operators and values."""
    wanted = [Matcher(label, Op.EQUAL, value) for label, value in pairs]

    name, found = parsed(Selector("http_requests_total", tuple(wanted)).promql())

    assert name == "http_requests_total"
    assert found == wanted


@settings(max_examples=300)
@given(VALUES, st.sampled_from([Op.MATCH, Op.NOT_MATCH]))
@example('"} or vector(1) #', Op.MATCH)
@example("a.b|c\\", Op.MATCH)
def test_a_literal_stays_one_matcher(value, op):
    """A value inside a regular expression is escaped twice, for RE2 and for the string."""
    wanted = Matcher("pod", op, f"checkout-{literal(value)}-[0-9a-z]+")

    _, found = parsed(Selector("up", (wanted,)).promql())

    assert found == [wanted]


@settings(max_examples=300)
@given(VALUES, VALUES)
def test_a_literal_matches_itself_and_nothing_else(value, other):
    """As a regular expression, escaped text has one match."""
    pattern = re.compile(literal(value))

    assert pattern.fullmatch(value)
    assert bool(pattern.fullmatch(other)) is (other == value)


@settings(max_examples=300)
@given(VALUES, st.floats(1, 1e5))
@example("$window", 60.0)
@example("$cohort", 60.0)
def test_a_cohort_in_an_expression_carries_exactly_its_matchers(value, window):
    """Values are put in once; a value that reads like a placeholder stays as it is."""
    cohort = (Matcher("namespace", Op.EQUAL, "shop"), Matcher("pod", Op.EQUAL, value))

    text = promql(Level(Expression("memory_bytes{$cohort}")), cohort, window)

    assert parsed(text) == ("memory_bytes", list(cohort))


def test_the_window_is_written_in_whole_seconds():
    """`$window` is a range of at least a second."""
    expression = Expression("max_over_time(queue_length{$cohort}[$window])")
    cohort = (Matcher("pod", Op.EQUAL, "a"),)

    assert expression.promql(cohort, 89.6) == 'max_over_time(queue_length{pod="a"}[90s])'
    assert expression.promql(cohort, 0.2) == 'max_over_time(queue_length{pod="a"}[1s])'


def test_a_counted_need_is_its_selector_with_the_cohort():
    """Own matchers come first, the cohort's behind them."""
    need = Counted(selector('http_requests_total{code=~"5.."}'))

    text = promql(need, (Matcher("namespace", Op.EQUAL, "shop"),))

    assert text == 'http_requests_total{code=~"5..",namespace="shop"}'


def test_a_bare_metric_needs_no_braces():
    """A selector without matchers is its name."""
    assert Selector("up").promql() == "up"


def test_strings_escape_what_would_end_them():
    """Backslash, quote and line breaks."""
    assert quoted('a"b\\c\nd\re') == '"a\\"b\\\\c\\nd\\re"'


# The service's own names.


def test_own_names_are_put_into_matchers_as_their_operator_needs():
    """`$service` is bare text in `=` and a literal in `=~`."""
    need = Counted(selector('up{app="$service",job=~"$namespace/.*"}'))

    put = filled(need, {"service": "check.out", "namespace": "sh|op"})

    assert put == Counted(selector(r"""up{app="check.out",job=~"sh\\|op/.*"}"""))


def test_own_names_are_put_into_expressions():
    """In an expression they stand inside strings, as literals."""
    need = Level(Expression('queue_length{app=~"$service",$cohort}'))

    put = filled(need, {"service": "check.out", "namespace": "shop"})

    assert put == Level(Expression('queue_length{app=~"check\\\\.out",$cohort}'))


# Reading.


@settings(max_examples=200)
@given(st.lists(st.tuples(LABELS, st.sampled_from(list(Op)), VALUES), max_size=4))
def test_what_is_written_is_read_back(parts):
    """Our parser reads what we write."""
    wanted = Selector("http_requests_total", tuple(Matcher(*one) for one in parts))

    assert selector(wanted.promql()) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("up", Selector("up")),
        (" up ", Selector("up")),
        ("job:requests:rate5m", Selector("job:requests:rate5m")),
        ("up{}", Selector("up")),
        ('up { job = "a" , }', Selector("up", (Matcher("job", Op.EQUAL, "a"),))),
        ("up{job='a\"b'}", Selector("up", (Matcher("job", Op.EQUAL, 'a"b'),))),
        (r'up{job=~"5\\d{2}"}', Selector("up", (Matcher("job", Op.MATCH, r"5\d{2}"),))),
        ('up{a="}",b!~"{"}', Selector("up", (Matcher("a", Op.EQUAL, "}"), Matcher("b", Op.NOT_MATCH, "{")))),
    ],
)
def test_selectors_are_read_as_prometheus_reads_them(text, wanted):
    """Blanks, trailing commas and three kinds of quotes."""
    assert selector(text) == wanted
    assert parsed(text) == (wanted.metric, list(wanted.matchers))


def test_nothing_is_escaped_between_backticks():
    """Regular expressions are written that way, as Prometheus allows."""
    assert selector(r"up{job=~`5\d\d`}") == Selector("up", (Matcher("job", Op.MATCH, r"5\d\d"),))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not begin with a metric name"),
        ("{job='a'}", "does not begin with a metric name"),
        ("sum(up)", "write a plain selector"),
        ("up[5m]", "write a plain selector"),
        ("up offset 5m", "write a plain selector"),
        ('up{job="a"} or down{job="a"}', "a comma is missing"),
        ('up{job="a" job="b"}', "a comma is missing"),
        ("up{job}", "is no matcher"),
        ('up{job=="a"}', "is no matcher"),
        ('up{1job="a"}', "is no matcher"),
        ('up{job="a}', "is no matcher"),
        ('up{,job="a"}', "is no matcher"),
        (r'up{job="\d"}', r"unknown escape \\d"),
        ("u" * 9000, "9000 characters, limit 8192"),
    ],
)
def test_anything_but_a_plain_selector_is_refused(text, said):
    """The message says where or how to mend it."""
    with pytest.raises(ValueError, match=said):
        selector(text)


def test_the_inside_of_braces_can_be_read_alone():
    """Cohorts are written that way."""
    assert matchers('version="$canary", app=~"x.*"') == (
        Matcher("version", Op.EQUAL, "$canary"),
        Matcher("app", Op.MATCH, "x.*"),
    )
    assert matchers("") == ()


@pytest.mark.parametrize("label", ["", "1a", "a-b", "a b", 'a"', "ä"])
def test_a_label_is_a_name(label):
    """Labels come from the settings, and even there only names are taken."""
    with pytest.raises(ValueError, match="must match"):
        Matcher(label, Op.EQUAL, "x")
