"""The page of rules, from what each rule says of itself."""

from __future__ import annotations

from grind.rules.checks import RULES


def page() -> str:
    """Return docs/reference/rules.md."""
    parts = [
        "# Rules of `grind lint`\n\nGenerated from the rules by `make docs`; "
        "`grind lint --explain RULE` says the same.\n",
        "| rule | severity | what |\n| --- | --- | --- |\n"
        + "".join(f"| [{r.id}](#{r.id}) | {r.severity} | {_cell(r.what)} |\n" for r in _rules()),
    ]
    for rule in _rules():
        parts.append(
            f"## {rule.id}\n\n{rule.what}\n\n**Why.** {rule.why}\n\n**Seen.** {rule.seen}\n\n"
            f"Bad:\n\n```text\n{rule.bad}\n```\n\nGood:\n\n```text\n{rule.good}\n```\n"
        )
    return "\n".join(parts)


def _rules():  # type: ignore[no-untyped-def]
    return sorted(RULES, key=lambda rule: rule.id)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")
