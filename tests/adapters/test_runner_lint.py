"""The laws of the runner's text: builtins and a base set of commands, own names, no eval."""

from __future__ import annotations

import re
import subprocess

import pytest

from grind.adapters.runner.program import HOST, RUNNER, boot, program

TEXTS = {"runner": program(RUNNER), "host": program(HOST), "boot": boot()}

BASE = {
    "runner": {"cat", "chmod", "cp", "git", "mkdir", "mv", "rm", "sleep", "sort", "stat"},
    "host": {
        *("base64", "cat", "git", "head", "ln", "mkdir", "mkfifo", "mv", "od", "readlink", "rm"),
        *("id", "sha256sum", "sleep", "stat", "tail", "tr", "uname"),
        # Of util-linux; and of systemd, where that is.
        *("setsid", "systemctl", "systemd-run"),
    },
    "boot": {"head", "mkdir", "mv"},
}
"""Coreutils and git: all that a bare host has beside bash."""

BASH_NAMES = {"IFS", "LC_ALL", "SECONDS", "SHLVL"}
FOR_GIT = re.compile(r"PATH|LC_ALL|HOME|XDG_CONFIG_HOME|GIT_[A-Z_]+")
"""Set in the fork of a checkout only."""

KEYWORDS = {
    "if",
    "then",
    "elif",
    "else",
    "fi",
    "for",
    "while",
    "until",
    "do",
    "done",
    "case",
    "esac",
    "in",
    "!",
}

ON_THE_WAY = {
    "g_run_batch",
    "g_fork_ahead",
    "g_start_early",
    "g_early",
    "g_may_begin_early",
    "g_find_bash",
    "g_still_fits",
    "g_become_step",
    "g_read_step",
    "g_is_usual",
    "g_take_files",
    "g_set_timer",
    "g_fresh_files",
    "g_step_environment",
    "g_sort_names",
    "g_is_special",
    "g_await",
    "g_apply_files",
    "g_read_pairs",
    "g_read_lines",
    "g_set_pair",
    "g_add_paths",
    "g_put_paths",
    "g_base_env",
    "g_next_batch",
    "g_time",
    "g_uptime",
}
"""The functions that every step goes through."""


def functions(text: str) -> dict[str, str]:
    """The body of every function: on one line, or up to a closing brace of its own."""
    found = re.findall(r"(?m)^(g_\w+)\(\) \{((?:[^\n]*\}$)|(?:.*?\n\}$))", text, re.DOTALL)
    return dict(found)


def bare(text: str) -> str:
    """Strip what holds no command: comments, strings, expansions, tests, redirections."""
    text = re.sub(
        r"""(?m)\$?'[^']*'|"(?:\\.|[^"\\])*"|(?:(?<=\s)|^)\#[^\n]*""",
        lambda found: "" if found[0][0] == "#" else "Q",
        text,
    )
    text = re.sub(r"\\.", "E", text)
    while (less := re.sub(r"\$\{[^{}]*\}", "V", text)) != text:
        text = less
    text = re.sub(r"\$?\(\([^\n]*?\)\)", "true", text)
    text = re.sub(r"\[\[ ([^\n]*?) \]\]", lambda found: asked_within(found[1]), text)
    text = re.sub(r"(?m)^ *[^()\n ;]+(?: \| [^()\n ;]+)*\)", "", text)
    text = re.sub(r"<<<\S+", "", text)
    text = re.sub(r"=\([^()]*\)", "=A", re.sub(r"(?:\{g_\w+\})?[<>] [<>]\(", "; (", text))
    return re.sub(r"(?:\{g_\w+\}|\d)?(?:<>|>>|>&|<&|[<>])[^\s;)]+", "", text)


def asked_within(inner: str) -> str:
    asked = re.findall(r"\$\(([^()]*)\)", inner)
    return " ; ".join(["true", *asked, "true"])


def called(text: str) -> set[str]:
    """The first word of every command."""
    names = set()
    for part in re.split(r"[;\n|&(){}]|\b(?:then|do|else)\b", bare(text)):
        words = part.split()
        if words[:1] == ["coproc"]:
            words = words[2:]  # its name comes before the command
        while words and (words[0] in KEYWORDS or re.match(r"\w+(\[[^]]*\])?\+?=", words[0])):
            words.pop(0)
            if part.split()[0] in ("for", "case"):
                words = []
        if words:
            names.add(words[0])
    return names - {"Q", "V", "$", "\\"}


def builtins() -> set[str]:
    asked = subprocess.run(["bash", "-c", "compgen -b"], capture_output=True, check=True, text=True)
    return set(asked.stdout.split())


@pytest.fixture(scope="module", params=TEXTS)
def which(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def text(which: str) -> str:
    return TEXTS[which].decode()


def test_bash_itself_accepts_it(text: str) -> None:
    checked = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, b"")


def test_only_builtins_and_the_base_set_are_called(text: str, which: str) -> None:
    assert called(text) - set(functions(text)) - builtins() - BASE[which] == set()


def test_the_lint_sees_every_command(text: str, which: str) -> None:
    """The scanner is no parser: a command put before any line or after any `;` is found by it."""
    assert called(text) >= BASE[which]
    joined = "\\\n" in text
    assert not joined or all(line.startswith(" ") for line in re.findall(r"\\\n(.)", text))
    lines = text.split("\n")
    quiet = {"", "#", "}", "*", "'", '"'}
    for number, line in enumerate(lines):
        before = lines[number - 1].rstrip() if number else ""
        if line.strip()[:1] in quiet or before.endswith(("\\", "\n'", "(", "in")) or ";;" in line:
            continue
        if before.startswith("  {") or before.count("'") % 2:
            continue
        changed = "\n".join([*lines[:number], "canary x", *lines[number:]])
        assert "canary" in called(changed), (number, line)


def test_nothing_is_evaluated_and_nothing_is_sourced(text: str) -> None:
    assert called(text) & {"eval", "source", ".", "bash", "sh", "alias"} == set()


def test_names_are_the_runners_own(text: str) -> None:
    assert all(name.startswith("g_") for name in re.findall(r"(?m)^(\w+)\(\)", text))
    stripped = bare(text)
    assigned = set(re.findall(r"(?:(?<=\s)|^)(\w+)(?:\[[^]]*\])?\+?=", stripped))
    foreign = {name for name in assigned if not name.startswith("g_")} - BASH_NAMES
    assert {name for name in foreign if not FOR_GIT.fullmatch(name)} == set()


def test_a_step_costs_no_fork_but_its_own() -> None:
    """What every step goes through substitutes no command, pipes nothing and calls no program."""
    bodies = functions(TEXTS["runner"].decode())
    assert set(bodies) >= ON_THE_WAY
    forks = 0
    for name in ON_THE_WAY:
        body = bare(bodies[name])
        assert called(bodies[name]) & BASE["runner"] == set(), name
        assert not re.search(r"\$\((?!\()|`|<\(|(?<!\|)\|(?!\|)", body), name
        forks += len(re.findall(r"(?m)(?<!&)&$", body))
        assert "(set" not in body
    # Forked ahead, or when it begins: each step is one of the two.
    assert forks == 2
