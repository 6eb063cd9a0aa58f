"""The stable codes of errors, each with a page: what it is about, and what usually helps.

A code says where in grind an error comes from, so that every message has one without its being named
at each place; the message itself names the fact that is missing, and the remedy what supplies it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

TOPICS: dict[str, tuple[str, str]] = {
    "usage": (
        "The command line was not understood",
        """An option or argument that does not exist, or two that do not go together. Options are never
abbreviated. `grind COMMAND --help` lists what a command takes; shell completion knows it
too (`grind completion`).""",
    ),
    "repository": (
        "The git repository",
        """What git says of the repository, or does not: no repository here, a revision that names
nothing, a remote that is not configured, an object that is missing (a partial or shallow
clone). grind asks the `git` on your PATH and changes nothing of yours but when it lands.
`git status` and `git remote -v` in the same folder usually show what is wrong.""",
    ),
    "grind-toml": (
        "grind.toml",
        """The file at the top of the repository has something that is not understood. All problems are
told at once, with line, column and what was expected. Every key:
docs/reference/grind-toml.md; editors that know JSON Schema can check it while you type
(docs/schemas/grind.toml.json). `grind init --diff` shows what grind would write.""",
    ),
    "workflow": (
        "A workflow that GitHub would refuse",
        """A file in .github/workflows that GitHub Actions would not run: broken YAML, an unknown key,
a circle in `needs`, an empty matrix, an expression that cannot be read. CI would be red
before its first step, so nothing is run here either. The place is in the message. `grind
expr` evaluates an expression by hand.""",
    ),
    "run": (
        "A run of checks",
        """A run could not be started, taken up or followed. What was recorded stays: the same command
goes on where it stopped. `grind log` shows what happened, `grind cancel` ends what still
runs.""",
    ),
    "lock": (
        "Somebody else is at work",
        """One run at a time changes a repository's records, and one activation at a time a host. The
message says who holds the lock and since when. Wait for it (`--wait`), or end it (`grind
cancel`); a holder that is dead is recognised, and never robbed in silence.""",
    ),
    "storage": (
        "Something could not be written",
        """A full disk, a size limit, a folder that is not yours. Everything recorded before is safe,
and nothing half-written is left: make room (`grind collect` removes old runs), then type
the same command again.""",
    ),
    "host": (
        "A host that is reached through ssh",
        """ssh could not connect, or the host lacks what grind needs there: bash, coreutils and git,
nothing else. grind drives your own `ssh`, so `ssh ALIAS true` shows the same problem.
`grind doctor --host NAME` lists what the host has and lacks, each with its remedy. What
already runs on the host goes on meanwhile: `grind attach` follows it again.""",
    ),
    "trust": (
        "Your yes is needed",
        """The repository's grind.toml names a host or a command that would leave this machine or
change it. A cloned file may say anything, so grind asks once for exactly this
configuration: `grind trust` shows it, and what has changed since your last yes.""",
    ),
    "landing": (
        "Landing",
        """`grind land` pushes exactly what is proven, once. It stops when there is no proof for the
tree, when the remote has moved, when a hook declines, or when the message is not one.
Nothing is pushed then, and the message names the command that supplies what is missing.
docs/how-it-works.md, "Landing".""",
    ),
    "receipt": (
        "Receipts and the gate",
        """A receipt is a key-holder's claim that this tree, by this plan, on this host, had these
results. The gate names what is missing: no receipt, another plan, another host, too old,
only partial, a signature that nobody trusted made.""",
    ),
    "forge": (
        "GitHub",
        """The forge did not answer, wants to be left alone for a while, or shows this token nothing.
None of these is a verdict on the commit. Tokens are looked for in GRIND_GITHUB_TOKEN,
GITHUB_TOKEN, GH_TOKEN, then `gh auth token`. docs/watch.md.""",
    ),
    "activation": (
        "Activating a host's system",
        """Building, switching, probing, and keeping or going back. Until the switch nothing is
changed; after it the host is healthy on the new system or back on the recorded one, and
exit code 5 or 6 says which. `grind status --host` shows what runs and what ran.""",
    ),
    "probe": (
        "Probes",
        """A probe compares values: an exact status, a role, a revision. A redirect or an answer
without the value is not health. `grind probe` asks them alone and shows what was asked,
what was got, and how long it took.""",
    ),
    "rollback": (
        "Rolling back",
        """Code, host or runtime, each a plan that is shown first (`--plan`). Nothing is rolled back
unasked outside of an activation.""",
    ),
    "python": (
        "Python under the policy",
        """`grind py` runs Python as the repository pins it: a promoted app, its flake's devShell, or
the flake's own nixpkgs; never what happens to be on the PATH. The message names what the
flake lacks.""",
    ),
    "lint": (
        "grind lint",
        """Something that should be looked at could not be. `grind lint --help`; each rule explains
itself with `grind lint --explain RULE`.""",
    ),
    "history": (
        "Reading history",
        """`grind stats` reads one `git log`. A shallow clone shows only a part: `git fetch
--unshallow`.""",
    ),
    "records": (
        "grind's own records",
        """A journal or a record in .git/grind cannot be read, because something else changed it or
another version of grind wrote it. It is not guessed at. Moving the named file away loses
its history and no proof that would hold.""",
    ),
    "fault": (
        "A fault in grind itself",
        """Nothing is proven by this run. The traceback is in the named file; please report it with
what you typed.""",
    ),
}

_MODULES = {
    "grind.ui.arguments": "usage",
    "grind.cli": "usage",
    "grind.commands": "usage",
    "grind.commands.activate": "activation",
    "grind.commands.after_red": "rollback",
    "grind.commands.attach": "run",
    "grind.commands.cancel": "run",
    "grind.commands.collect": "run",
    "grind.commands.hook": "receipt",
    "grind.commands.land": "landing",
    "grind.commands.lint": "lint",
    "grind.commands.log": "records",
    "grind.commands.looping": "run",
    "grind.commands.past": "records",
    "grind.commands.py": "python",
    "grind.commands.receipt": "receipt",
    "grind.commands.rollback": "rollback",
    "grind.commands.running": "run",
    "grind.commands.selecting": "run",
    "grind.commands.stats": "history",
    "grind.commands.trust": "trust",
    "grind.commands.verifying": "probe",
    "grind.adapters": "records",
    "grind.adapters.crash": "fault",
    "grind.adapters.files": "storage",
    "grind.adapters.git": "repository",
    "grind.adapters.git.landing": "landing",
    "grind.adapters.git_history": "history",
    "grind.adapters.github": "forge",
    "grind.adapters.hashing": "run",
    "grind.adapters.here": "run",
    "grind.adapters.hostlock": "lock",
    "grind.adapters.lint": "lint",
    "grind.adapters.localhost": "run",
    "grind.adapters.localfiles": "run",
    "grind.adapters.locallane": "run",
    "grind.adapters.lock": "lock",
    "grind.adapters.nix": "python",
    "grind.adapters.promoted": "python",
    "grind.adapters.runner": "run",
    "grind.adapters.signing": "receipt",
    "grind.adapters.ssh": "host",
    "grind.adapters.supervisor": "activation",
    "grind.adapters.workspace": "repository",
    "grind.core": "usage",
    "grind.core.holders": "lock",
    "grind.core.config": "grind-toml",
    "grind.core.gate": "receipt",
    "grind.core.hosts": "host",
    "grind.core.pep723": "python",
    "grind.core.promotion": "python",
    "grind.core.python": "python",
    "grind.core.receipt": "receipt",
    "grind.flows": "run",
    "grind.flows.activation": "activation",
    "grind.flows.basis": "repository",
    "grind.flows.land": "landing",
    "grind.flows.probe": "probe",
    "grind.flows.proven": "receipt",
    "grind.flows.python": "python",
    "grind.flows.trust": "trust",
    "grind.flows.undo": "rollback",
    "grind.flows.watch": "forge",
    "grind.rules": "lint",
    "grind.wiring": "host",
    "grind.wiring.python": "python",
    "grind.workflows": "workflow",
}
"""Where an error is raised, by the longest beginning of the module's name, and its code."""


def topic_of(module: str) -> str:
    """Return the code of what a module raises; empty for one that is not grind's."""
    found = [name for name in _MODULES if module.startswith(name)]
    return _MODULES[max(found, key=len)] if found else ""


def topic_of_error(trace: TracebackType | None) -> str:
    """Return the code of an error from where it was raised: the last of grind's own frames."""
    topic = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        topic = topic_of(str(module)) or topic
        trace = trace.tb_next
    return topic
