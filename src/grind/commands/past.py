"""What earlier runs found of one tree and plan, and whether the last one is to be taken up again."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from grind.core.errors import GrindError, RefusedError
from grind.core.release import Release, State, fold, results_of

if TYPE_CHECKING:
    from grind.adapters.store import ReleaseFolder
    from grind.core.events import RunStarted
    from grind.core.outcome import JobOutcome
    from grind.core.receipt import StepRecord
    from grind.flows.prepare import Prepared
    from grind.wiring import Session

_FACES = frozenset({"--json", "--follow", "--wait"})
"""Options that say how to be told, not what to run."""


class Past(NamedTuple):
    """The last release, with what the releases before it found of the same tree and plan."""

    folder: ReleaseFolder | None
    last: Release | None
    conclusions: dict[str, str]
    """Job → how it ended when it last ran; `running` when it was cut off."""
    outcomes: dict[str, JobOutcome]
    records: list[StepRecord]

    def is_of(self, tree: str, digest: str, ground: str) -> bool:
        """Whether the last release was for this tree and plan, on this host with these tools."""
        started = self.last.started if self.last is not None else None
        return started is not None and _basis(started) == (tree, digest, ground)

    def is_cut_off(self, command: str) -> bool:
        """Whether the last release was cut off while it ran this very command."""
        if self.last is None or self.last.started is None or self.last.state is not State.CHECKING:
            return False
        return _selecting(self.last.started.command) == _selecting(command)


class Taken(NamedTuple):
    """A release that another client began, to be gone on with."""

    release: str
    command: str
    """The command line that began it."""


def taken_over(taken: Taken, prepared: Prepared, past: Past, host: str) -> ReleaseFolder:
    """Return the folder of the release that is taken over.

    Raises:
        GrindError: it is not the last one, is over by now, or today's plan is not its own.
    """
    last = past.last
    if past.folder is None or past.folder.id != taken.release or last is None:
        raise GrindError("another run has taken its place meanwhile", remedy="grind log --list")
    if last.state is not State.CHECKING or last.started is None:
        raise GrindError("it is over meanwhile", remedy=f"grind attach {taken.release}")
    if last.started.host != host or not past.is_of(
        prepared.whole.tree, prepared.whole.digest, prepared.ground
    ):
        raise RefusedError(
            "the plan of that run is not what this grind and this host make of its snapshot today, "
            "so its steps cannot be told apart",
            remedy=f"`grind attach --read-only {taken.release}` shows what was recorded; "
            f"`grind cancel {taken.release}` ends it",
        )
    return past.folder


def past_of(session: Session, *, whole: bool) -> Past:
    """Read the last journal; with `whole` those before it too, the newest first, as long as they are
    of one tree and plan, on one ground: only who runs what was red asks how each job last ended."""
    folder, last = None, None
    conclusions: dict[str, str] = {}
    outcomes: dict[str, JobOutcome] = {}
    records: dict[tuple[str, int], StepRecord] = {}
    for older in session.store.releases():
        with session.journal(older) as journal:
            entries = list(journal.read())
        release = fold(entries)
        if last is None:
            folder, last = older, release
        if release.started is None or last.started is None:
            break
        if _basis(release.started) != _basis(last.started):
            break
        found, steps = results_of(entries)
        for step in steps:
            if step.job in found and step.job not in conclusions:
                records[step.job, step.step] = step
        for job in found.keys() - conclusions.keys():
            outcomes[job] = found[job]
        conclusions = dict(release.jobs) | conclusions
        if not whole:
            break
    return Past(folder, last, conclusions, outcomes, list(records.values()))


def _basis(started: RunStarted) -> tuple[str, str, str]:
    return started.tree, started.digest, started.ground


def _selecting(command: str) -> list[str]:
    return [word for word in command_words(command) if word not in _FACES]


def command_words(command: str) -> list[str]:
    """Return the words of a command line that a journal recorded."""
    import shlex

    try:
        return shlex.split(command)
    except ValueError:  # of a version that joined words by blanks alone
        return command.split()
