"""Options that several commands share."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # on the path of a receipt hit, nothing heavy is imported
if TYPE_CHECKING:
    from grind.flows.basis import Options


def add_json(parser: argparse.ArgumentParser, what: str) -> None:
    """Declare `--json`."""
    parser.add_argument("--json", action="store_true", help=what)


def add_plan_options(parser: argparse.ArgumentParser) -> None:
    """Declare what a plan is made for."""
    parser.add_argument(
        "--workflow",
        action="append",
        default=[],
        metavar="NAME|FILE",
        help="only this workflow (may be given several times)",
    )
    parser.add_argument(
        "--event", default="push", help="the event CI would see (default: %(default)s)"
    )
    parser.add_argument(
        "--ref", help="the ref the event is about (default: the main branch)", metavar="REF"
    )
    parser.add_argument("--rev", help="plan a commit instead of the working copy", metavar="REV")
    parser.add_argument(
        "--changed",
        metavar="BASE",
        help="count changed paths from this commit (default: the merge base with the remote)",
    )


def is_plain(args: argparse.Namespace) -> bool:
    """Whether the plan is for the working copy and a push to the main branch, as by default."""
    return args.event == "push" and not (args.ref or args.rev or args.changed)


def plan_options(args: argparse.Namespace) -> Options:
    """Return the options as the flows want them. Raises GrindError for what GitHub does not know."""
    _require_event(args.event)
    if args.ref is not None:
        _require_ref(args.ref)
    from grind.flows.basis import Options

    return Options(
        rev=args.rev,
        merged=getattr(args, "merged", False),
        event=args.event,
        ref=args.ref,
        workflows=tuple(args.workflow),
        changed=args.changed,
    )


def _require_event(event: str) -> None:
    if event == "push":
        return
    from grind.core.errors import GrindError
    from grind.core.suggest import suggestion
    from grind.workflows.schema import EVENTS

    if event not in EVENTS:
        meant = suggestion(event, list(EVENTS))
        raise GrindError(
            f"GitHub has no event {event!r}",
            remedy=f"did you mean `--event {meant}`?" if meant else "--event pull_request",
        )


def _require_ref(ref: str) -> None:
    """Hold to what git-check-ref-format(1) allows."""
    import re

    bad = r"(^|/)(\.|$)|[\x00-\x20\x7f~^:?*\[\\]|\.\.|//|@\{|\.lock(/|$)|\.$|^[-/]|^@$"
    if re.search(bad, ref):
        from grind.core.errors import GrindError

        raise GrindError(f"{ref!r} is no name that git allows a ref", remedy="--ref BRANCH")
