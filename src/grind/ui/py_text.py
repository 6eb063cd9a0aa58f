"""What `grind py list`, `promote` and `demote` print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from grind.core import promotion
from grind.core.promotion import FOLDER, App, Apps, Plan
from grind.core.pythonuse import Used
from grind.core.texts import one_line


def listed(apps: Apps, used: Sequence[Used], total: int, threshold: int) -> str:
    """Return what is promoted, and what is run often; an idea what to do about it."""
    return "\n".join(_listed(apps, used, total, threshold)) + "\n"


def _listed(apps: Apps, used: Sequence[Used], total: int, threshold: int) -> Iterator[str]:
    if apps.apps:
        width = max(map(len, apps.apps))
        yield "Promoted (nix run ./grind#NAME)"
        for name, app in sorted(apps.apps.items()):
            yield f"  {name:<{width}}  {one_line(app.path)}"
        yield ""
    if not used:
        yield "No script was run with `grind py` here that is not promoted."
        return
    yield "Run with `grind py`, not promoted"
    for one in used:
        kind = "" if one.kind == "script" else f"{'-c' if one.kind == 'code' else '-'}  "
        yield f"  {one.times:>5} ×  {kind}{one_line(one.shown)}"
    if total > len(used):
        yield f"         and {total - len(used)} more"
    frequent = next((u for u in used if u.times >= threshold and u.kind == "script"), None)
    if frequent is not None:
        yield f"\nnext: grind py promote {one_line(frequent.shown)}"


def promoted(plan: Plan) -> str:
    """Return what promoting has done, and what is left to the user."""
    script = one_line(plan.app.path)
    first = f"{script} {'is' if plan.known else 'is now'} the command {plan.name}"
    lines = [f"{first}: nix run ./{FOLDER}#{plan.name}, or grind py {plan.name}"]
    if plan.app.own:
        lines.append(f"The script was written into the repository as {script}.")
    place = f"{plan.apps.flake}/flake.nix" if plan.apps.flake else "flake.nix"
    lines.append(f"All promoted commands on the PATH: nix develop ./{FOLDER}")
    lines.append(f"To have both from the repository's own flake, two lines in {place}:")
    lines += [f"  {line}" for line in promotion.exposing(plan.apps)]
    return "\n".join(lines) + "\n"


def demoted(name: str, app: App, *, gone: bool) -> str:
    """Return what demoting has done."""
    what = "was removed" if gone else "stays where it is"
    return f"{name} is no command any more; {one_line(app.path)} {what}\n"
