"""The phases of `grind run`: each is the command of its name, in the loop's own release."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, NamedTuple

from grind.core import events as e
from grind.core.errors import ExitCode, GrindError
from grind.core.loop import Loop, Phase

if TYPE_CHECKING:
    from grind.flows.basis import Basis
    from grind.wiring.looping import LoopSession


class Outcome(NamedTuple):
    """How a phase ended: `done`, `failed` or `skipped`."""

    state: str
    code: int = 0
    reason: str = ""


def _by(code: int, reason: str = "") -> Outcome:
    return Outcome("failed" if code else "done", code, reason)


class Turn:
    """One turn of the loop: what it works in, and what is known of it."""

    def __init__(self, session: LoopSession, args: argparse.Namespace, before: Loop) -> None:
        from grind.ui.loop_text import loop_face_for

        self.session = session
        self.args = args
        self.before = before
        self.commit = before.commit
        self._face = loop_face_for(sys.stdout, session.environ, json=args.json)
        self._explicit = args.first is not None

    def record(self, event: e.Event) -> None:
        """Into the journal, and onto the screen."""
        for entry in self.session.loop.append(event):
            self._face.show(entry)

    def now(self) -> float:
        """Seconds since the epoch."""
        return self.session.clock.now()

    def close(self) -> None:
        """Let go of the journal."""
        self.session.loop.close()
        self._face.close()

    def refuse_early(self, chosen: tuple[Phase, ...]) -> None:
        """Raise GrindError for what would only be found after everything was run."""
        from grind.commands.verifying import require_live_probes

        if Phase.LAND in chosen and Phase.LAND not in self.before.done:
            self._require_message()
        if chosen == (Phase.VERIFY,):
            require_live_probes(self.session, self._basis())

    def _require_message(self) -> None:
        from grind.core.message import problems_of

        basis = self._basis()
        made = bool(self.before.started)  # cut off: it may have its commit already
        if self.args.message is None:
            if not basis.snapshot.committed and not made:
                raise GrindError(
                    "a message is needed for the commit of the proven tree",
                    remedy='grind run -m "…"',
                )
            return
        conventional = basis.config.land.conventional
        problems = problems_of(self.args.message, conventional=conventional)
        if problems:
            raise GrindError("; ".join(problems), remedy='grind run -m "…"')

    def _basis(self, rev: str | None = None, *, steps: bool = False) -> Basis:
        """The basis of what is here, or of a commit; `steps` are to run on the host."""
        from grind.commands.hosting import labels_for
        from grind.commands.probe import no_labels
        from grind.flows.basis import Options, find_basis

        labels = labels_for(self.session, "run steps") if steps else no_labels
        return find_basis(self.session.repository, Options(rev=rev), labels)

    def take(self, phase: Phase) -> Outcome:
        """Do a phase. Raises GrindError as its command does."""
        sys.stdout.flush()
        done = self.before.done
        if Phase.LAND in done and not Phase.LAND.is_before(phase):
            return Outcome("skipped", reason=f"it has landed as {self.commit[:12]}")
        if phase in done and phase is Phase.WATCH:
            return Outcome("skipped", reason="CI was clean")
        return {
            Phase.CHECK: self._check,
            Phase.ACTIVATE: self._activate,
            Phase.LAND: self._land,
            Phase.WATCH: self._watch,
            Phase.VERIFY: self._verify,
        }[phase]()

    def _check(self) -> Outcome:
        from grind.commands import check
        from grind.commands.options import plan_options
        from grind.commands.running import run_checks
        from grind.core.gate import Answer
        from grind.wiring import proofs

        parser = argparse.ArgumentParser()
        check.add_arguments(parser)
        args = parser.parse_args(["--json"] if self.args.json else [])
        basis = self._basis(steps=True)
        upstream = basis.target.upstream
        answer = proofs.ask(self.session, plan_options(args), basis, upstream).decision.answer
        if answer in (Answer.OK, Answer.WEAKENED):  # of the latter, landing says more
            return _by(0, "proven already")
        return _by(run_checks(self.session, basis, args, whole=True))

    def _activate(self) -> Outcome:
        from grind.commands.activate import activate_on_host, require_activate

        basis = self._basis()
        if basis.config.activate is None:
            return Outcome("skipped", reason="grind.toml has no [activate]")
        require_activate(self.session, basis, "activate it")
        args = argparse.Namespace(dry_run=False, json=self.args.json)
        with self.session.lock("grind run"):
            ended = activate_on_host(self.session, basis, args)
        return _by(ended.exit_code, ended.reason)

    def _land(self) -> Outcome:
        from grind.commands.hosting import bring_workspace_along
        from grind.commands.landing import Around, land_with_effects
        from grind.commands.landready import check_message, push_from, release_for, require_proof
        from grind.flows.basis import Options
        from grind.flows.landing import NothingToLandError, plan_landing

        session, basis = self.session, self._basis(steps=True)
        release, last = release_for(session, basis)
        try:
            landing = plan_landing(session.repository, basis, squash=False, last=last)
        except NothingToLandError as nothing:
            self.commit = basis.snapshot.commit
            return Outcome("skipped", reason=nothing.message)
        message = self.args.message if landing.needs_commit else None
        asked = None
        if not landing.arrived:
            accepted = self.args.accept_weakened
            asked = require_proof(session, basis, Options(), landing.main, accepted=accepted)
            check_message(message, landing, conventional=basis.config.land.conventional)
        with session.lock("grind run"), session.journal(release) as journal:

            def record(event: e.Event) -> None:
                for entry in journal.append(event):
                    self._face.show(entry)

            push = push_from(session, basis)
            around = Around(asked, list(journal.read()), last, push=push)
            landed = land_with_effects(session, basis, landing, message, around, record)
            for warning in landed.warnings:
                record(e.Note("warning", warning))
        self.commit = landed.oid or ""
        bring_workspace_along(session, basis, landing.snapshot.tree)
        return _by(0, landed.note)

    def _watch(self) -> Outcome:
        from grind.commands import watch

        commit = self._watched()
        parser = argparse.ArgumentParser()
        watch.add_arguments(parser)
        given = {"--timeout": self.args.timeout, "--api": self.args.api, "--repo": self.args.repo}
        words = [word for name, value in given.items() if value for word in (name, value)]
        args = parser.parse_args([*words, *(["--json"] if self.args.json else []), commit])
        code = watch.watch_and_verify(self.session.on("local"), args, commit)
        if code == ExitCode.PAUSED:
            return _by(code, "CI is not over; `grind run --from watch` goes on")
        return _by(code)

    def _watched(self) -> str:
        """What landed in this loop; without that what landed last from here, or HEAD."""
        from grind.commands.rollback_code import changes_of

        if not self.commit:
            changes = changes_of(self.session)
            self.commit = changes[0].commit if changes else self.session.repository.resolve("HEAD")
        return self.commit

    def _verify(self) -> Outcome:
        from grind.commands.verifying import live_probes, require_live_probes, shower, verify_commit
        from grind.flows.verify import NO_REVISION

        commit = self._watched()
        basis = self._basis(commit)
        if self.args.first == Phase.VERIFY:
            require_live_probes(self.session, basis)
        elif not live_probes(self.session, basis):
            return Outcome("skipped", reason=NO_REVISION)
        show = shower(self.session, json=self.args.json)

        def record(event: e.Event) -> None:
            for entry in self.session.loop.append(event):
                show(entry)

        verified = verify_commit(self.session, basis, commit, record)
        return _by(int(verified.code), verified.reason)

    def after_red(self, phase: Phase, code: int) -> int:
        """Show how to roll back what was watched, or do it, in a release of its own."""
        if phase not in (Phase.WATCH, Phase.VERIFY):
            return code
        from grind.commands.after_red import after_red

        return after_red(self.session.plain, self.args, self._basis(self.commit), self.commit, code)
