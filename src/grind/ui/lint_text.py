"""Findings for people: a place, a sentence, the line and a caret."""

from __future__ import annotations

from grind.core.findings import ERROR, NOTE, WARNING, LintReport, RuleDoc, shown_path

_COLOURS = {ERROR: "31", WARNING: "33", NOTE: "36"}


def render(report: LintReport, *, colour: bool, notes: bool, gone: int = 0) -> str:
    """The report as text. Notes are counted, and shown only when asked for."""
    out: list[str] = []
    for finding, line in zip(report.findings, report.lines, strict=True):
        if finding.severity == NOTE and not notes:
            continue
        place = f"{shown_path(finding.path)}:{finding.line}:{finding.column}"
        kind = _paint(finding.severity, _COLOURS[finding.severity], colour)
        sure = "" if finding.confidence == "high" else f" ({finding.confidence} confidence)"
        fixable = " [--fix]" if finding.fixable else ""
        out.append(f"{place}: {kind} {finding.rule}{sure}{fixable}: {_printable(finding.message)}")
        out.extend(_excerpt(line, finding.line, finding.column))
    out.append(_summary(report, notes, gone))
    return "\n".join(out) + "\n"


def _excerpt(line: str, number: int, column: int) -> list[str]:
    """The source line and a caret below the column; long lines are cut around it."""
    start = max(0, column - 60) if len(line) > 120 else 0
    shown = line[start : start + 120]
    above = shown[: column - 1 - start]
    before = "".join("\t" if sign == "\t" else " " for sign in above) if "\t" in above else ""
    before = before or " " * len(above)
    margin = f"{number:>5} | "
    return [margin + _printable(shown), " " * 5 + " | " + before + "^"]


def _printable(text: str) -> str:
    """No control signs reach a terminal: file content is not to be trusted."""
    if text.isprintable():
        return text
    return "".join(c if c == "\t" or c.isprintable() else "�" for c in text)


def _paint(text: str, code: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text


def _summary(report: LintReport, notes: bool, gone: int) -> str:
    errors, warnings, hidden = (report.count(s) for s in (ERROR, WARNING, NOTE))
    text = f"{_some(report.files, 'file')}: {_some(errors, 'error')}, {_some(warnings, 'warning')}"
    if hidden:
        text += f", {_some(hidden, 'note')}" + ("" if notes else " (--notes shows them)")
    if report.known:
        text += f"; {report.known} known from the baseline"
    if gone:
        text += f"; {gone} entries of the baseline are gone, write it again"
    return text


def _some(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def explain(rule: RuleDoc) -> str:
    """A rule's documentation."""
    bad = "\n".join(f"    {line}" for line in rule.bad.splitlines())
    good = "\n".join(f"    {line}" for line in rule.good.splitlines())
    return (
        f"{rule.id} ({rule.severity})\n\n{rule.what}\n\nWhy: {rule.why}\nSeen: {rule.seen}\n\n"
        f"Bad:\n{bad}\n\nGood:\n{good}\n"
    )


def workflow_commands(report: LintReport) -> str:
    """GitHub's workflow commands, one per finding."""
    names = {ERROR: "error", WARNING: "warning", NOTE: "notice"}
    out: list[str] = []
    for finding in report.findings:
        fields = (
            f"file={_property(shown_path(finding.path))},line={finding.line},"
            f"endLine={finding.end_line},col={finding.column},title={_property(finding.rule)}"
        )
        out.append(f"::{names[finding.severity]} {fields}::{_data(finding.message)}")
    return "\n".join(out) + ("\n" if out else "")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
