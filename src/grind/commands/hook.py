"""`grind hook`: the pre-push hook that asks the gate."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # the hook runs at every push: nothing heavy is imported for a pass
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from grind.adapters.hooks import HookStatus
    from grind.adapters.passes import Passes
    from grind.core.prepush import Update
    from grind.flows.prepush import Judged
    from grind.wiring import Session

HELP = "the pre-push hook that asks the gate: install it, take it away, see whether it is there"
EXAMPLES = """\
  grind hook install      from now on, `git push` to the main branch asks the gate
  grind hook status
  grind hook uninstall    and what stood there before is back
  git push --no-verify    goes round it; `grind stats` and CI find that afterwards
"""
_MARKER = "GRIND_PUSH"
"""Set by `grind land` while it pushes what the gate has just let through (`adapters.git.push`)."""


def run_line(argv: list[str]) -> int | None:
    """Run one command line; `run` is answered before argparse is imported."""
    if argv[:1] == ["run"]:
        return _run(argv[1:], os.environ)
    return None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from grind.commands.options import add_json

    parser.add_argument(
        "action",
        choices=("install", "uninstall", "status", "run"),
        metavar="ACTION",
        help="install, uninstall, status; run is what the hook calls",
    )
    add_json(parser, "print one JSON document (schema grind.hook/1)")


def run(args: argparse.Namespace) -> int:
    """Install, uninstall or look."""
    import grind
    from grind.adapters.hooks import Hooks
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    hooks = Hooks(session.repository.git, session.repository.top, session.environ)
    if args.action == "install":
        package = os.path.dirname(os.path.abspath(grind.__file__))
        status = hooks.install(os.path.abspath(sys.executable), package)
    elif args.action == "uninstall":
        status = hooks.uninstall()
    else:
        status = hooks.status()
    _tell(status, json=args.json)
    return 0 if args.action != "status" or (status.installed and not status.broken) else 3


def _tell(status: HookStatus, *, json: bool) -> None:
    if json:
        import json as json_text

        document = {"schema": "grind.hook/1", **status._asdict()}
        sys.stdout.write(json_text.dumps(document) + "\n")
        return
    if status.broken:
        told = (
            f"installed, but {status.broken} is gone: every push is refused (→ grind hook install)"
        )
    elif status.installed:
        told = "installed" + (", after the hook that was there before" * status.chained)
    elif status.foreign:
        told = "not installed; another hook stands there (→ grind hook install chains it)"
    else:
        told = "not installed (→ grind hook install)"
    sys.stdout.write(f"{told}: {status.path}\n")


# --- what the hook calls -------------------------------------------------------------------------


def _run(argv: list[str], environ: Mapping[str, str]) -> int:
    """Judge every ref on standard input; 0 lets git push."""
    from grind.core.prepush import read_updates

    text = _pre_commit(environ) if argv[:1] == ["--pre-commit"] else _stdin()
    updates, odd = read_updates(text)
    if odd:
        sys.stderr.write(f"grind: git said something that is no ref: {odd[0]!r}; not pushed\n")
        return 3
    open_ = [update for update in updates if update.local != environ.get(_MARKER)]
    return _judge(open_, environ) if open_ else 0


def _stdin() -> str:
    return sys.stdin.buffer.read().decode("utf-8", "surrogateescape")


def _pre_commit(environ: Mapping[str, str]) -> str:
    """Return the line that git wrote, from what pre-commit makes of it (it keeps standard input to
    itself). Source: pre-commit's documentation, "pre-push"."""
    names = ("LOCAL_BRANCH", "TO_REF", "REMOTE_BRANCH", "FROM_REF")
    local, new, remote, old = (environ.get(f"PRE_COMMIT_{name}", "") for name in names)
    if not new:
        return ""
    if not remote.startswith("refs/"):
        remote = f"refs/heads/{remote}"
    return f"{local or 'HEAD'} {new} {remote} {old or '0' * len(new)}\n"


def _judge(updates: list[Update], environ: Mapping[str, str]) -> int:
    import time

    from grind import __version__
    from grind.adapters.git.process import scrubbed
    from grind.adapters.git.repository import GitRepository
    from grind.adapters.passes import Passes

    clean = scrubbed(environ)
    repository = GitRepository(os.getcwd(), clean)
    passes = Passes(repository.git_dir, repository.common_dir, clean, __version__)
    left = [one for one in updates if not _passed(passes, one, time.time(), clean)]
    if not left:
        return _silently(len(updates))
    return _slowly(left, clean, passes)


def _passed(passes: Passes, update: Update, now: float, environ: Mapping[str, str]) -> bool:
    found = passes.find(update.local, now)
    if found is None:
        return False
    refs, questions = found.get("refs"), found.get("questions")
    if not isinstance(refs, list) or f"{update.remote_ref} {update.remote}" not in refs:
        return False
    from grind.adapters.toolprint import tools_print
    from grind.core.lend import lend

    lent = lend(
        environ,
        home=environ.get("HOME", ""),
        extra=_texts(found.get("environment")),
        folders=_texts(found.get("folders")),
    )
    fixed = found.get("set")
    lent |= fixed if isinstance(fixed, dict) else {}
    asked = [_texts(one) for one in questions] if isinstance(questions, list) else []
    return tools_print(asked, lent) == found.get("tools_print")


def _texts(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _silently(count: int) -> int:
    if sys.stderr is not None and sys.stderr.isatty():
        what = "what is pushed is" if count == 1 else f"all {count} refs are"
        sys.stderr.write(f"grind: {what} proven\n")
    return 0


def _slowly(updates: list[Update], environ: Mapping[str, str], passes: Passes) -> int:
    from grind.commands.hosting import labels_for
    from grind.flows.prepush import commit_basis, judge_update
    from grind.wiring import Session, proofs

    session = Session(os.getcwd(), environ)
    system = session.repository.system_configuration()
    labels = labels_for(session, "ask for its tools")
    refused = []
    for update in updates:
        ground = passes.ground(system)
        judged = judge_update(
            session.repository,
            update,
            lambda commit: commit_basis(session.repository, labels, commit),
            lambda options, basis, upstream: proofs.ask(session, options, basis, upstream),
        )
        if not judged.ok:
            refused.append(judged)
        elif ground and ground == passes.ground(system):
            _remember(session, passes, judged, {"ground": ground, "system": system})
    for judged in refused:
        session.store.refuse(session.clock.now())
        sys.stderr.write(_told(judged))
    return 3 if refused else _silently(len(updates))


def _told(judged: Judged) -> str:
    from grind.core.texts import one_line
    from grind.ui.receipt_text import side_by_side

    lines = [f"grind: not pushed to {one_line(judged.update.remote_ref)}: {judged.told}"]
    if judged.asked is not None:
        lines += [f"  {line}" for line in side_by_side(judged.asked.decision.weakened)]
    return "\n".join([*lines, f"  → {judged.remedy}", ""])


def _remember(
    session: Session, passes: Passes, judged: Judged, hangs_on: Mapping[str, object]
) -> None:
    """Keep the pass, when what it hangs on can be looked at cheaply: a receipt of this machine, or
    none at all."""
    update, asked, basis = judged.update, judged.asked, judged.basis
    now = session.clock.now()
    document: dict[str, object] = {
        "tree": "",
        "stamp": passes.stamp(""),
        "since": now,
        "until": now + 86400.0,  # what needs no proof needs none for a while
        "refs": [f"{update.remote_ref} {update.remote}"],
        "questions": [],
        "tools_print": "",
    }
    receipt = asked.receipt if asked is not None else None
    if asked is not None and basis is not None and receipt is not None:
        chosen = session.chosen(basis.config)
        if not session.is_here(basis.config) or receipt.host != session.host_id(basis.config):
            return
        limits = (receipt.created + asked.rules.policy.max_age, receipt.expires)
        document |= {
            "tree": receipt.tree,
            "stamp": passes.stamp(receipt.tree),
            "until": min(limit for limit in limits if limit is not None),
            "questions": [list(tool.question) for tool in receipt.tools],
            "tools_print": receipt.tools_print,
            "environment": list(chosen.config.env),
            "folders": list(chosen.config.path),
            "set": dict(chosen.config.set),
        }
    passes.save(update.local, {**document, **hangs_on})
