"""What the intake remembers: what joining all spans would tell, in bounded room, and what it lost."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from firedamp.queries import Operation
from firedamp.tracing import Kind, Sought, Span, Trace, joined
from firedamp.tracing.intake import Interest, Keeping, Memory, Resources, row, sampled

SOUGHT = Sought(("orders", "orders-canary"), (Operation("gateway", "POST /orders"),))
INTEREST = Interest(frozenset(SOUGHT.services), frozenset({"gateway"}))
NOW = 1_800_000_000.0
EVER = (0.0, NOW + 1e6)
RESOURCES = Resources()


def trace_id(number: int) -> str:
    return f"{number:032x}"


def span(number: int, span_id: int, parent: int, service: str, kind: Kind, **told) -> Span:
    told = {"name": "POST /orders", "start": NOW + span_id, "seconds": 0.25, **told}
    told.setdefault("resource", {"service.name": service, "k8s.pod.name": f"{service}-1"})
    parent_id = f"{parent:016x}" if parent else ""
    return Span(trace_id(number), f"{span_id:016x}", parent_id, service, kind=kind, **told)


def flow(number: int, start: float = NOW) -> list[Span]:
    root = span(number, 1, 0, "gateway", Kind.SERVER, start=start)
    return [root, span(number, 2, 1, "orders", Kind.SERVER, start=start + 0.1)]


def remembered(spans: list[Span], keeping: Keeping | None = None) -> Memory:
    memory = Memory(keeping or Keeping(), since=0.0)
    memory.add([row(one, RESOURCES) for one in spans if INTEREST.wants_span(one)], NOW)
    return memory


def told(memory: Memory, sought: Sought = SOUGHT, begin: float = 0.0, end: float = EVER[1]) -> list[Trace]:
    found = [memory.trace(each, sought, begin, end) for each in memory.ids(begin)]
    return sorted((one for one in found if one is not None), key=lambda one: (one.start, one.trace_id))


# ── the same as joining everything ──────────────────────────────────────────────────────────────────

SERVICES = ("gateway", "orders", "orders-canary", "payments", "mailer")
TARGETS = ("orders.shop", "outbound|80||orders-canary.shop.svc.cluster.local", "payments", "lb.example")


@st.composite
def trees(draw, number: int) -> list[Span]:
    """
    A trace as programs make it: every call names whom it calls, and errors are handed up until a span that
    is kept anyway, so that nothing dropped stands between a failure and the visit above it.
    """
    count = draw(st.integers(1, 9))
    parents = [0, *(draw(st.integers(0 if at == 1 else 1, at)) for at in range(1, count))]
    spans = [_drawn(draw, number, at + 1, parents[at]) for at in range(count)]
    if draw(st.booleans()):
        spans[0] = replace(spans[0], parent_id="f" * 16, service="gateway", kind=Kind.SERVER)
    return _handed_up([_called_rightly(one, spans) for one in spans])


def _drawn(draw, number: int, span_id: int, parent: int) -> Span:
    service = draw(st.sampled_from(SERVICES))
    pod = {"service.name": service, "k8s.pod.name": f"{service}-{draw(st.integers(1, 2))}"}
    kind = draw(st.sampled_from(Kind))
    target = draw(st.sampled_from(TARGETS))
    calls = kind in (Kind.CLIENT, Kind.PRODUCER)
    attributes = {"server.address": target, "network.peer.address": "10.0.0.1"} if calls else {}
    if draw(st.booleans()):
        attributes["http.response.status_code"] = draw(st.sampled_from(("200", "404", "503")))
    return span(
        number,
        span_id,
        parent,
        service,
        kind,
        name=draw(st.sampled_from(("POST /orders", "GET"))),
        start=NOW + (0 if not parent else draw(st.integers(1, 1000)) / 64),
        seconds=draw(st.integers(0, 1000)) / 64,
        failed=draw(st.integers(0, 4)) == 0,
        resource=pod,
        attributes=attributes,
        links=tuple(trace_id(one) for one in draw(st.lists(st.integers(900, 903), max_size=2))),
        state=draw(st.sampled_from(("", "ot=th:8", "vendor=a,ot=th:8;rv:123456789abcde")))
        if not parent
        else "",
    )


def _called_rightly(one: Span, spans: list[Span]) -> Span:
    """A call is answered by the service it names, or not at all by one that is dropped."""
    entered = [other for other in spans if other.parent_id == one.span_id and other.enters]
    ours = any(other.service in SOUGHT.services for other in entered)
    if one.kind not in (Kind.CLIENT, Kind.PRODUCER) or not entered or (ours and one.service == "gateway"):
        return one
    return replace(one, attributes={**one.attributes, "server.address": "orders" if ours else "payments"})


def _handed_up(spans: list[Span]) -> list[Span]:
    # Parents are numbered below their children.
    held = {one.span_id: one for one in spans}
    for one in reversed(spans):
        above = held.get(one.parent_id)
        if held[one.span_id].failed and above and not INTEREST.wants_span(above):
            held[above.span_id] = replace(above, failed=True)
    return list(held.values())


@settings(deadline=None)
@given(st.data())
def test_spans_in_any_order_make_the_traces_that_joining_all_of_them_makes(data):
    """Chunks, repetitions and the order of arrival change nothing; what was dropped was not needed."""
    spans = [one for number in (1, 2, 3) for one in data.draw(trees(number))]
    sent = data.draw(st.permutations(spans + data.draw(st.lists(st.sampled_from(spans), max_size=5))))
    cut = data.draw(st.integers(0, len(sent)))
    memory = Memory(Keeping(), since=0.0)
    for chunk in (sent[:cut], sent[cut:]):
        memory.add([row(one, RESOURCES) for one in chunk if INTEREST.wants_span(one)], NOW)

    assert told(memory) == sought_of(joined(spans, SOUGHT))


def sought_of(traces: list[Trace]) -> list[Trace]:
    return [one for one in traces if one.root is not None and one.root.is_of(SOUGHT.roots[0])]


# ── what was dropped, and what counts for it ────────────────────────────────────────────────────────


def below(*more: Span) -> bool:
    return told(remembered([*flow(1), *more]))[0].failed_below


def test_a_failure_whose_way_up_was_not_sent_counts_below_the_visit():
    """Collectors forward errors without the spans between."""
    assert below(span(1, 7, 99, "payments", Kind.SERVER, failed=True))


def test_a_failure_from_before_the_visit_does_not_count_below_it():
    """It cannot have come of it."""
    assert not below(span(1, 7, 99, "payments", Kind.SERVER, failed=True, start=NOW))


def test_a_failure_beside_the_visit_does_not_count_below_it():
    """Its way up to the root is known, and leads past the visit."""
    assert not below(span(1, 7, 1, "payments", Kind.SERVER, failed=True))


def test_another_visit_does_not_count_below_the_first():
    """A second try of the caller's stands beside the first."""
    assert not below(span(1, 7, 99, "orders", Kind.SERVER, failed=True))


def test_a_failure_of_the_flows_own_service_does_not_count_below_the_visit():
    """The gateway stands above the service."""
    assert not below(span(1, 7, 99, "gateway", Kind.CLIENT, failed=True))


def test_spans_that_name_each_other_as_parents_are_no_failure_below():
    """Broken data neither hangs a look nor counts."""
    circle = [span(1, one, 15 - one, "payments", Kind.INTERNAL, failed=True) for one in (7, 8)]

    assert not below(*circle)


def test_a_visit_without_its_root_is_told_while_the_root_is_still_to_come():
    """It was entered, whatever becomes of the flow."""
    traces = told(remembered(flow(1)[1:]))

    assert [(trace.root, len(trace.visits)) for trace in traces] == [(None, 1)]


def test_a_flow_that_does_not_visit_the_service_is_told_all_the_same():
    """What does not pass through the canary is compared with before."""
    assert len(told(remembered(flow(1)[:1]))) == 1


def test_without_flows_only_traces_through_the_service_are_told():
    """Everything else is somebody else's."""
    other = span(2, 1, 0, "gateway", Kind.SERVER, name="GET /")

    traces = told(remembered([*flow(1), other]), Sought(SOUGHT.services))

    assert [trace.trace_id for trace in traces] == [trace_id(1)]


def test_a_call_that_nobody_answered_is_kept_by_the_name_of_whom_it_was_made_to():
    """A canary that never answers is known by its callers only."""
    named = {"server.address": "orders-canary.shop.svc"}
    call = span(1, 5, 1, "cart", Kind.CLIENT, failed=False, attributes=named)

    assert len(told(remembered([*flow(1)[:1], call]))[0].calls) == 1


def test_a_window_has_the_traces_that_began_in_it():
    """Its begin belongs to it, its end to the next."""
    memory = remembered([*flow(1), *flow(2, NOW + 10)])

    assert [trace.trace_id for trace in told(memory, begin=NOW, end=NOW + 10)] == [trace_id(1)]


# ── bounds ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_oldest_make_room_for_the_newest():
    """Whatever comes, there is a most."""
    memory = remembered([one for number in range(1, 8) for one in flow(number)], Keeping(traces=5))

    assert [int(trace.trace_id, 16) for trace in told(memory)] == [3, 4, 5, 6, 7]
    assert memory.forgotten.total == 2


def test_a_window_that_lost_traces_is_doubted_with_their_number():
    """Not the one before it, and not the one after."""
    memory = Memory(Keeping(traces=1), since=0.0)
    for number, start in ((1, NOW - 100), (2, NOW - 50), (3, NOW)):
        memory.add([row(one, RESOURCES) for one in flow(number, start)], NOW)

    assert memory.doubt(NOW - 105, NOW - 45, NOW) == "2 traces made room for newer ones, 1 is the most kept"
    assert memory.doubt(NOW - 5, NOW + 5, NOW) == ""


def test_spans_that_differ_in_every_request_make_room_too():
    """A number in each name would fill the memory with names."""
    memory = remembered(
        [
            span(number, 1, 0, "gateway", Kind.SERVER, name=f"GET /orders/{number}")
            for number in range(1, 1502)
        ],
        Keeping(traces=2000),
    )

    assert len(memory) == 1000


def test_a_trace_without_end_is_cut():
    """One id must not take all the room."""
    memory = remembered([span(1, number, 1, "orders", Kind.SERVER, start=NOW) for number in range(2, 102)])

    assert (memory.spans, memory.cut.total) == (64, 36)
    assert memory.doubt(NOW, NOW + 5, NOW) == "36 spans were not kept, a trace has room for 64"


def test_nothing_stays_of_what_is_forgotten():
    """Shared parts are let go with the last span that has them."""
    memory = remembered([replace(one, links=(trace_id(9),)) for one in flow(1)])

    memory.expire(NOW + 2000)
    held = [getattr(memory, name) for name in ("_traces", "_links", "_sorts", "_slots")]
    assert [len(one) for one in held] == [0, 0, 0, 0]
    assert memory.spans == 0


def test_a_trace_is_kept_as_long_as_was_said():
    """And told no longer."""
    memory = remembered(flow(1), Keeping(seconds=60))

    memory.expire(NOW + 59)
    assert len(memory) == 1
    assert "kept for 60 s" in memory.doubt(NOW, NOW + 10, NOW + 61)


def test_a_window_from_before_the_start_is_doubted():
    """What was told to the process before this one is gone."""
    memory = Memory(Keeping(), since=NOW)

    assert memory.doubt(NOW - 60, NOW, NOW) == "the intake started 60 s after the window began"
    assert memory.doubt(NOW, NOW + 60, NOW + 60) == ""


def test_traces_that_no_window_has_covered_are_unsettled():
    """They are what a restart loses."""
    memory = remembered([*flow(1), *flow(2, NOW + 10), *flow(3, NOW + 20)])

    memory.asked(NOW + 10)
    assert memory.unsettled() == 2


def test_refused_roots_make_every_window_since_doubtful():
    """With wrong clocks nobody knows which window they belong to."""
    memory = Memory(Keeping(), since=0.0)
    memory.elsewhen.add(NOW, 3)

    assert memory.doubt(NOW - 60, NOW, NOW) == "3 roots were refused since, their clocks are wrong"
    assert memory.doubt(NOW + 60, NOW + 120, NOW + 120) == ""


def test_a_few_refused_roots_leave_windows_as_they_are():
    """A pod in so many has a wrong clock: the flows that it loses are of both versions alike."""
    memory = remembered([row for number in range(1, 101) for row in flow(number)])
    memory.elsewhen.add(NOW, 5)

    assert memory.doubt(NOW - 60, NOW, NOW) == ""

    memory.elsewhen.add(NOW, 1)
    assert memory.doubt(NOW - 60, NOW, NOW) == "6 roots were refused since, their clocks are wrong"


def test_a_clock_that_goes_back_keeps_the_order_of_arrival():
    """The system's clock is set now and then."""
    memory = remembered(flow(1))

    memory.add([row(one, RESOURCES) for one in flow(2)], NOW - 3600)
    assert len(told(memory)) == 2


def test_long_texts_are_cut():
    """A stack trace in a name is no operation."""
    long = span(1, 1, 0, "gateway", Kind.SERVER, name="x" * 10_000, resource={"a": "y" * 10_000})

    kept = row(long, RESOURCES)
    assert (len(kept.sort.name), len(kept.sort.resource.attributes["a"])) == (300, 300)


def test_of_a_trace_state_the_threshold_is_kept():
    """Its random value differs in every trace, and nobody needs it."""
    states = ("", "vendor=a", "ot=rv:1234", "vendor=a,ot=rv:1;th:c", "ot=xth:8")

    assert [sampled(state) for state in states] == ["", "", "", "ot=th:c", ""]


def test_traces_that_come_and_go_keep_their_own_names():
    """Places of what is shared are given again, and never to two at once."""
    memory = Memory(Keeping(traces=5), since=0.0)
    for number in range(1, 60):
        named = [replace(one, name=f"POST /orders/{number % 7}") for one in flow(number, NOW + number)]
        memory.add([row(one, RESOURCES) for one in named], NOW + number)

    kept = [memory.trace(each, Sought(SOUGHT.services), *EVER) for each in memory.ids(0.0)]
    names = [
        (int(one.trace_id, 16), one.root.name, one.visits[0].operation) for one in kept if one and one.root
    ]
    assert names == [(n, f"POST /orders/{n % 7}", f"POST /orders/{n % 7}") for n in range(55, 60)]


def test_losses_are_forgotten_when_nobody_can_ask_for_them_any_more():
    """They would add up for ever."""
    memory = remembered(flow(1))
    memory.elsewhen.add(NOW, 3)

    memory.expire(NOW + 4000)
    assert memory.doubt(NOW - 5, NOW + 4000, NOW + 10) == ""
    assert memory.elsewhen.total == 3
