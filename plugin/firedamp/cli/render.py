"""
A verdict as text, JSON, Markdown or JUnit XML: plain functions from a value to a string.

Text is for a pipeline's log, Markdown for a comment on a merge request, JUnit for the test report of a
CI server, JSON for programs (the same answer as the API's).
"""

import json
import re
from enum import StrEnum
from xml.etree import ElementTree as Xml

from firedamp import words
from firedamp.model import Finding, Mode, Outcome, Tier, Verdict

_MARK = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.INCONCLUSIVE: "?"}
# XML 1.0 knows no other control characters; names may come from anywhere.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Format(StrEnum):
    """What a verdict is printed as."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    JUNIT = "junit"


def verdict(found: Verdict, shape: Format, link: str | None = None) -> str:
    """A verdict in the shape asked for, without a final line break."""
    match shape:
        case Format.TEXT:
            return text(found, link)
        case Format.JSON:
            return json.dumps(as_json(found, link), indent=2, ensure_ascii=False, allow_nan=False)
        case Format.MARKDOWN:
            return markdown(found, link)
        case Format.JUNIT:
            return junit(found, link)


def headline(found: Verdict) -> str:
    """The verdict with its reason, and what was found where the mode changed the answer."""
    line = f"{found.outcome}: {found.sentence}"
    if found.mode is Mode.SHADOW:
        return f"{line} (shadow mode: does not block)"
    if found.recorded not in (None, found.outcome):
        return f"{line} (mode {found.mode}; found {found.recorded})"
    return line


def text(found: Verdict, link: str | None = None) -> str:
    """The reason first, then a line per check, the failing ones first."""
    lines = [headline(found)]
    width = max((len(finding.check) for finding in found.findings), default=0)
    lines += [
        f"  {_MARK[one.outcome]} {one.check:<{width}}  {_tier(one)}{_bare(one)}" for one in found.findings
    ]
    if found.release:
        block = "" if found.block is None else f", block {found.block}"
        lines.append(f"  release {found.release}{block}")
    if link:
        lines.append(f"  {link}")
    return "\n".join(lines)


def _tier(finding: Finding) -> str:
    return "" if finding.tier is Tier.CRITICAL else f"[{finding.tier}] "


def _bare(finding: Finding) -> str:
    return finding.sentence.removeprefix(f"{finding.check}: ")


def markdown(found: Verdict, link: str | None = None) -> str:
    """A heading and a table of the checks."""
    title = f"### firedamp: {found.outcome}" + (f" · {_cell(str(found.release))}" if found.release else "")
    lines = [title, "", _cell(headline(found))]
    if found.findings:
        lines += ["", "| | check | against | old | canary | effect | why |", "|---|---|---|---|---|---|---|"]
        lines += [_row(finding) for finding in found.findings]
    if link:
        lines += ["", f"[evidence]({link})"]
    return "\n".join(lines)


def _row(finding: Finding) -> str:
    cells = (
        _MARK[finding.outcome],
        finding.check + ("" if finding.tier is Tier.CRITICAL else f" ({finding.tier})"),
        words.arm(finding.against) if finding.against else "limit",
        value(finding.baseline, finding.unit),
        value(finding.canary, finding.unit),
        "" if finding.effect is None else words.times(finding.effect),
        _bare(finding),
    )
    return "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def value(number: float | None, unit: str) -> str:
    """A compared value with its unit; empty where there is none."""
    return "" if number is None else words.quantity(number, unit)


def _cell(cell: str) -> str:
    """Text that can neither leave its table cell nor become markup."""
    flat = " ".join(cell.split())
    return re.sub(r"([\\`*_\[\]<>|])", r"\\\1", flat)


def junit(found: Verdict, link: str | None = None) -> str:
    """
    A test suite: one case for the verdict, one per check.

    Only what makes the verdict fails: a critical check that found harm, and the verdict itself (an
    undecided one is an error, for it is no pass). Everything else undecided is skipped with its reason.
    """
    suite = Xml.Element("testsuite", name=_suite(found))
    overall = _case(suite, "verdict", found)
    sentence = f"{found.sentence} {link or ''}".strip()
    match found.outcome:
        case Outcome.FAIL:
            _note(overall, "failure", "fail", sentence)
        case Outcome.INCONCLUSIVE:
            _note(overall, "error", "inconclusive", sentence)
        case Outcome.PASS:
            _note(overall, "system-out", None, sentence)
    for finding in found.findings:
        _check_case(suite, found, finding)
    counted = ("failure", "failures"), ("error", "errors"), ("skipped", "skipped")
    suite.set("tests", str(len(suite)))
    for tag, total in counted:
        suite.set(total, str(len(suite.findall(f"./testcase/{tag}"))))
    Xml.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(suite, encoding="unicode")


def _suite(found: Verdict) -> str:
    about = found.release or "unknown release"
    return _xml(f"firedamp {found.question} {about}")


def _check_case(suite: Xml.Element, found: Verdict, finding: Finding) -> None:
    case = _case(suite, finding.check, found)
    if finding.outcome is Outcome.FAIL and finding.tier is Tier.CRITICAL:
        _note(case, "failure", "fail", finding.sentence)
    elif finding.outcome is Outcome.PASS:
        _note(case, "system-out", None, finding.sentence)
    else:
        _note(case, "skipped", None, f"{finding.tier}, {finding.outcome}: {finding.sentence}")


def _case(suite: Xml.Element, name: str, found: Verdict) -> Xml.Element:
    about = f"{found.release.namespace}.{found.release.service}" if found.release else "firedamp"
    return Xml.SubElement(suite, "testcase", classname=_xml(about), name=_xml(name))


def _note(case: Xml.Element, tag: str, kind: str | None, sentence: str) -> None:
    clean = _xml(sentence)
    if tag == "system-out":
        Xml.SubElement(case, tag).text = clean
    else:
        Xml.SubElement(case, tag, {"message": clean} | ({"type": kind} if kind else {}))


def _xml(sentence: str) -> str:
    return _NOT_XML.sub("\ufffd", sentence)


def as_json(found: Verdict, link: str | None = None) -> dict[str, object]:
    """A verdict as the API answers it."""
    from firedamp.contracts.api.rendering import verdict_answer

    base = (link or "").removesuffix(f"/releases/{found.release_id}")
    answer = verdict_answer(found, base or None).model_dump(mode="json", exclude_none=True)
    return answer if link else {name: value for name, value in answer.items() if name != "link"}
