"""`grind receipt`: look at proofs, check them, sign them, and share them."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from grind.commands.options import add_json
from grind.core.errors import ExitCode, GrindError, RefusedError

if TYPE_CHECKING:
    from grind.core.receipt import Receipt
    from grind.core.repository import Snapshot
    from grind.flows.ciproof import CiProof
    from grind.wiring import Session

HELP = "list, show, verify, sign, export and share proofs"
EXAMPLES = """\
  grind receipt list                     what is proven here
  grind receipt show                     the proof of the working copy, in full
  grind receipt verify HEAD              ask the gate about a commit
  grind receipt verify --ci              the same inside CI, by signatures alone
  grind receipt sign                     sign the proof that is there with your own key
  grind receipt export --form test-result > result.json
  grind receipt push                     share HEAD's proof, as a note on its tree
  grind receipt fetch                    take over what others have shared
"""
_SCHEMA = "grind.receipts/1"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "action", choices=sorted(_ACTIONS), metavar="ACTION", help=", ".join(sorted(_ACTIONS))
    )
    parser.add_argument(
        "rev", nargs="?", metavar="REV", help="a commit or tree (default: the working copy)"
    )
    parser.add_argument(
        "--ci", action="store_true", help="verify: inside CI, by a trusted signature alone"
    )
    parser.add_argument(
        "--allow-skip",
        action="store_true",
        help="verify --ci: say `proven=true` in GITHUB_OUTPUT when steps may be skipped",
    )
    parser.add_argument("--base", metavar="COMMIT", help="verify --ci: whose rules hold")
    parser.add_argument(
        "--form",
        choices=("envelope", "statement", "test-result"),
        default="envelope",
        help="export: the stored bytes, the statement in them, or in-toto's test-result",
    )
    parser.add_argument("--remote", metavar="NAME", help="push, fetch (default: grind.toml's)")
    add_json(parser, f"one document (schema {_SCHEMA})")


def run(args: argparse.Namespace) -> int:
    """Do what `args.action` says."""
    from grind.wiring import Session

    session = Session(os.getcwd(), os.environ)
    return int(_ACTIONS[args.action](session, args))


# --- which receipt -------------------------------------------------------------------------------


def _snapshot(session: Session, args: argparse.Namespace) -> Snapshot:
    return session.repository.snapshot(args.rev)


def _receipt(session: Session, args: argparse.Namespace) -> tuple[bytes, Receipt]:
    from grind.core.receipt import read_receipt
    from grind.wiring import proofs

    tree = _snapshot(session, args).tree
    for envelope in proofs.known(session, tree):
        receipt = read_receipt(envelope)
        if receipt is not None:
            return envelope, receipt
    raise RefusedError(f"there is no receipt for tree {tree[:12]}", remedy="grind check")


def _signed_by(envelope: bytes) -> str:
    from grind.core.envelope import read_envelope

    read = read_envelope(envelope)
    if read is None or not read.signatures:
        return "not signed"
    return f"signed with {', '.join(one.keyid for one in read.signatures)}"


# --- the actions ---------------------------------------------------------------------------------


def _list(session: Session, args: argparse.Namespace) -> int:
    from grind.core.receipt import read_receipt
    from grind.ui.receipt_text import row
    from grind.wiring import proofs

    here = [tree for tree, _ in session.store.receipts()]
    trees = dict.fromkeys([*here, *session.repository.noted_trees()])
    now, rows, documents = session.clock.now(), [], []
    for tree in trees:
        own = session.store.receipt(tree)
        for envelope in dict.fromkeys(proofs.known(session, tree)):  # the own one may be shared
            receipt = read_receipt(envelope)
            if receipt is None or receipt.tree != tree:
                continue
            signed = _signed_by(envelope)
            rows.append(row(receipt, signed=signed, now=now, here=envelope == own))
            documents.append(_short(receipt, signed))
    if args.json:
        _print_json({"schema": _SCHEMA, "receipts": documents})
    else:
        sys.stdout.write("".join(f"{one}\n" for one in rows) or "there is no receipt yet\n")
    return ExitCode.DONE


def _short(receipt: Receipt, signed: str) -> dict[str, object]:
    return {
        "tree": receipt.tree,
        "state": "void" if receipt.void else receipt.state,
        "host": receipt.host,
        "host_name": receipt.host_name,
        "created": receipt.created,
        "expires": receipt.expires,
        "executed": receipt.executed,
        "signature": signed,
    }


def _show(session: Session, args: argparse.Namespace) -> int:
    from grind.core.receipt import statement_of
    from grind.ui.receipt_text import whole

    envelope, receipt = _receipt(session, args)
    if args.json:
        _print_json(statement_of(receipt))
    else:
        told = whole(receipt, signed=_signed_by(envelope), now=session.clock.now())
        sys.stdout.write(told)
    return ExitCode.DONE


def _verify(session: Session, args: argparse.Namespace) -> int:
    from grind.flows.basis import Options, find_basis
    from grind.ui.receipt_text import answer
    from grind.wiring import proofs

    if args.ci:
        return _verify_ci(session, args)
    snapshot = _snapshot(session, args)._replace(of_rev=False)
    basis = find_basis(session.repository, Options(), session.labels, snapshot)
    asked = proofs.ask(session, Options(), basis, basis.target.upstream)
    decision = asked.decision
    if args.json:
        import msgspec

        _print_json({"schema": "grind.gate/1", **msgspec.to_builtins(decision._asdict())})
    else:
        sys.stdout.write(answer(decision))
    return ExitCode.DONE if decision.ok else ExitCode.REFUSED


def _verify_ci(session: Session, args: argparse.Namespace) -> int:
    from grind.wiring.ciproof import prove

    proof = prove(session, args.rev or "HEAD", args.base)
    allowed = args.allow_skip and proof.skippable
    _tell_ci(session, args, proof, allowed=allowed)
    return ExitCode.DONE if proof.decision.ok else ExitCode.REFUSED


def _tell_ci(session: Session, args: argparse.Namespace, proof: CiProof, *, allowed: bool) -> None:
    from grind.core.texts import one_line
    from grind.ui.receipt_text import answer

    decision = proof.decision
    if args.json:
        _print_json(
            {
                "schema": "grind.ci-proof/1",
                "trusted": decision.ok,
                "proven": allowed,
                "answer": str(decision.answer),
                "reason": decision.reason or proof.why_not,
                "signer": decision.signer,
            }
        )
    else:
        sys.stdout.write(answer(decision))
        if decision.ok and not allowed:
            why = proof.why_not or "skipping is not switched on"
            sys.stdout.write(f"  every step runs: {one_line(why)}\n")
    path = session.environ.get("GITHUB_OUTPUT", "")
    if path:
        told = {"trusted": decision.ok, "proven": allowed}
        lines = [f"{name}={str(value).lower()}" for name, value in told.items()]
        lines.append(f"signer={one_line(decision.signer)}")
        with open(path, "a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))


def _sign(session: Session, args: argparse.Namespace) -> int:
    from grind.wiring import proofs

    tree = _snapshot(session, args).tree
    stored = session.store.receipt(tree)
    if stored is None:
        raise RefusedError(
            f"there is no receipt of your own for tree {tree[:12]}", remedy="grind check"
        )
    data, signed = proofs.sign(session, stored)
    if not signed:
        raise GrindError(
            "git names no SSH key to sign with",
            remedy="git config gpg.format ssh && git config user.signingKey ~/.ssh/KEY.pub",
        )
    path = session.store.save_receipt(tree, data)
    sys.stdout.write(f"{_signed_by(data)}: {path}\n")
    return ExitCode.DONE


def _export(session: Session, args: argparse.Namespace) -> int:
    from grind.core.receipt import statement_of
    from grind.core.testresult import as_test_result

    envelope, receipt = _receipt(session, args)
    if args.form == "envelope":
        sys.stdout.buffer.write(envelope)
    elif args.form == "statement":
        _print_json(statement_of(receipt))
    else:
        _print_json(as_test_result(receipt))
    return ExitCode.DONE


def _push(session: Session, args: argparse.Namespace) -> int:
    from grind.wiring.sharing import share

    args.rev = args.rev or "HEAD"
    tree, remote = _snapshot(session, args).tree, _remote(session, args)
    if not share(session, tree, remote):
        raise RefusedError(
            f"there is no receipt to push for tree {tree[:12]}", remedy="grind check"
        )
    sys.stdout.write(f"the receipts are on {remote}\n")
    return ExitCode.DONE


def _fetch(session: Session, args: argparse.Namespace) -> int:
    remote = _remote(session, args)
    found = session.repository.fetch_notes(remote)
    from grind.ui.words import count

    trees = count(len(session.repository.noted_trees()), "tree")
    what = f"receipts of {trees} are here" if found else f"{remote} has no receipts"
    sys.stdout.write(f"{what}\n")
    return ExitCode.DONE


def _remote(session: Session, args: argparse.Namespace) -> str:
    remote = session.repository.remote(args.remote)
    if remote is None:
        raise GrindError("there is no remote", remedy="git remote add origin URL")
    return remote


def _print_json(document: object) -> None:
    import msgspec

    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n")


_ACTIONS = {
    "list": _list,
    "show": _show,
    "verify": _verify,
    "sign": _sign,
    "export": _export,
    "push": _push,
    "fetch": _fetch,
}
