"""Follow a command to what it really runs: through wrappers, shells, ssh, here-documents."""

from __future__ import annotations

import re
from typing import NamedTuple

from grind.rules.extract.shells import flags
from grind.rules.fragments import Builder, Context, Fragment
from grind.rules.shell.model import (
    COMMAND,
    HOLE,
    HOLED,
    LITERAL,
    Part,
    Redirect,
    Script,
    Simple,
    Site,
    Word,
)
from grind.rules.shell.words import split_heredoc
from grind.rules.shell.wrappers import SHELL_NAMES, SSH_COMMANDS, SSH_VALUES, WRAPPERS, Wrapper

MAX_NESTING = 12
_OPTION_NAMES = frozenset(("pipefail", "errexit", "nounset"))
_ASSIGN = re.compile(r"^[A-Za-z_]\w*\+?=")


class Call(NamedTuple):
    """A command as it will run: `sudo env A=1 foo x` has a call of each of sudo, env and foo."""

    name: str
    """The last part of its path; "" where it is not known."""
    words: tuple[Word, ...]
    """From the command's name on."""
    context: Context
    site: Site
    via: tuple[str, ...]
    """The wrappers before it."""

    @property
    def head(self) -> Word:
        """The word that names it."""
        return self.words[0]

    @property
    def arguments(self) -> tuple[Word, ...]:
        """The words after the name."""
        return self.words[1:]


class Handed(NamedTuple):
    """Shell text that a command hands to a shell elsewhere."""

    fragment: Fragment
    """Positions are offsets of the *sending* fragment until the engine maps them on."""
    call: Call
    how: str
    """`argument`, `heredoc`, `herestring`, `joined` (ssh joins its words with spaces)."""
    unquoted: bool
    """Expansions in it happen on the sending side."""


def calls_at(site: Site, context: Context) -> list[Call]:
    """The command of a site and everything it wraps, outermost first."""
    out: list[Call] = []
    words = tuple(site.command.words)
    via: tuple[str, ...] = ()
    while words:
        literal = words[0].literal
        name = literal.rsplit("/", 1)[-1] if literal else ""
        call = Call(name, words, context, site, via)
        out.append(call)
        inner = _inside(name, words)
        if inner is None or len(via) > MAX_NESTING:
            break
        words, wrapper = inner
        via = (*via, name)
        if wrapper.machine or wrapper.python:
            context = context._replace(
                machine=wrapper.machine or context.machine, python=wrapper.python or context.python
            )
    return out


def _inside(name: str, words: tuple[Word, ...]) -> tuple[tuple[Word, ...], Wrapper] | None:
    wrapper = WRAPPERS.get(name)
    if wrapper is None:
        return None
    rest = _skip_wrapper(name, wrapper, words)
    return (rest, wrapper) if rest else None


def _skip_wrapper(name: str, wrapper: Wrapper, words: tuple[Word, ...]) -> tuple[Word, ...]:
    if wrapper.marker or wrapper.sub:
        return _after_marker(name, wrapper, words)
    at = _skip_options(wrapper, words, 1)
    if at < 0 or (name == "command" and any(w.text in ("-v", "-V") for w in words[1:at])):
        return ()
    return words[at + wrapper.skip :]


def _after_marker(name: str, wrapper: Wrapper, words: tuple[Word, ...]) -> tuple[Word, ...]:
    at = _skip_options(wrapper, words, 1)
    if name == "docker" and at < len(words) and words[at].literal == "compose":
        at = _skip_options(WRAPPERS["docker-compose"], words, at + 1)
    if at < 0 or at >= len(words) or (wrapper.sub and words[at].literal not in wrapper.sub):
        return ()
    if wrapper.marker:
        for index in range(at + 1, len(words)):
            if words[index].literal in wrapper.marker:
                return words[index + 1 :]
        return ()
    at = _skip_options(wrapper, words, at + 1)
    if at < 0:
        return ()
    return words[at + wrapper.skip :]


def _skip_options(wrapper: Wrapper, words: tuple[Word, ...], at: int) -> int:
    """The index of the first word that is no option; -1 where the rest is shell text."""
    while at < len(words):
        text = words[at].text
        if text == "--":
            return at + 1
        if text in wrapper.glued:
            return -1
        if text.startswith("--"):
            at += 2 if text in wrapper.long else 1
        elif text.startswith("-") and len(text) > 1:
            at += 2 if text[-1] in wrapper.short and len(text) == _value_at(text, wrapper) else 1
        elif wrapper.assigns and _ASSIGN.match(text):
            at += 1
        else:
            return at
    return at


def _value_at(text: str, wrapper: Wrapper) -> int:
    """The length of a cluster of short options whose last letter takes a value."""
    for index, letter in enumerate(text[1:], 2):
        if letter in wrapper.short:
            return index
    return -1


def ssh_target(call: Call) -> int:
    """The index of the destination among an ssh's words, or -1."""
    at = 1
    while at < len(call.words):
        text = call.words[at].text
        if text == "--":
            return at + 1 if at + 1 < len(call.words) else -1
        if not text.startswith("-") or text == "-":
            return at
        cluster = text[1:]
        valued = next((i for i, c in enumerate(cluster) if c in SSH_VALUES), None)
        at += 2 if valued == len(cluster) - 1 else 1
    return -1


def handed(call: Call, script: Script) -> list[Handed]:
    """The shell texts that this call hands on, with the context they will run in."""
    if call.context.depth >= MAX_NESTING:
        return []
    inner = call.context._replace(depth=call.context.depth + 1, cwd=None)
    if call.name in SSH_COMMANDS:
        return _ssh(call, script, inner)
    if call.name in SHELL_NAMES:
        return _shell(call, script, inner)
    if call.name == "eval" and call.arguments:
        return [_joined(call, call.arguments, inner)]
    wrapper = WRAPPERS.get(call.name)
    if wrapper and wrapper.glued:
        for at, word in enumerate(call.words[:-1]):
            if word.text in wrapper.glued:
                if wrapper.python:
                    inner = inner._replace(python=wrapper.python)
                return [_argument(call, call.words[at + 1], _plain(inner))]
    return []


def _plain(context: Context) -> Context:
    """A fresh shell: options of the sender are not inherited."""
    return context._replace(errexit=False, pipefail=False, nounset=False)


def _ssh(call: Call, script: Script, context: Context) -> list[Handed]:
    target = ssh_target(call)
    if target < 0:
        return []
    remote = _plain(context)._replace(machine="remote", python="", env=frozenset())
    rest = call.words[target + 1 :]
    if rest:
        out = [_joined(call, rest, remote)]
        shell = _reads_stdin(rest)
        if shell is None:
            return out
        (errexit, pipefail, nounset), python = shell
        remote = remote._replace(errexit=errexit, pipefail=pipefail, nounset=nounset, python=python)
    else:
        out = []
    return out + _stdin_text(call, script, remote)


def _shell(call: Call, script: Script, context: Context) -> list[Handed]:
    options: list[str] = []
    at = 1
    while at < len(call.words):
        text = call.words[at].text
        if not text.startswith(("-", "+")) or text == "-":
            break
        if text in ("-o", "+o", "-O", "+O", "--rcfile", "--init-file") or (
            text[1:2] != "-" and text.endswith("o")
        ):
            options.extend((text, call.words[at + 1].text if at + 1 < len(call.words) else ""))
            at += 2
            continue
        options.append(text)
        at += 1
        if text[1:2] != "-" and "c" in text and text[0] == "-":
            break
    errexit, pipefail, nounset = flags(options)
    inner = context._replace(errexit=errexit, pipefail=pipefail, nounset=nounset)
    inner = inner._replace(dialect="bash" if call.name in ("bash", "ksh", "zsh") else "sh")
    if any(o[1:2] != "-" and "c" in o for o in options):
        while at < len(call.words) and call.words[at].text.startswith(("-", "+")):
            at += 1
        return [_argument(call, call.words[at], inner)] if at < len(call.words) else []
    if at < len(call.words) and not any(o == "-s" or o.endswith("s") for o in options):
        first = call.words[at].literal
        if first not in ("-", "/dev/stdin"):
            return []
    return _stdin_text(call, script, inner)


def _reads_stdin(words: tuple[Word, ...]) -> tuple[tuple[bool, bool, bool], str] | None:
    """The flags of a remote shell that reads stdin, and who supplies its Python; else None."""
    texts = [word.text for word in words]
    joined = " ".join(texts).split()
    names = [w.rsplit("/", 1)[-1] for w in joined]
    for at, name in enumerate(names):
        if name in SHELL_NAMES:
            rest = joined[at + 1 :]
            runs_file = any(not w.startswith("-") and w not in _OPTION_NAMES for w in rest)
            if runs_file and not any(w.startswith("-") and w.endswith("s") for w in rest):
                return None
            python = "nix" if "nix" in names[:at] or "nix-shell" in names[:at] else ""
            return flags(rest), python
    return None


def _stdin_text(call: Call, script: Script, context: Context) -> list[Handed]:
    """Here-documents and here-strings that feed this call."""
    out: list[Handed] = []
    for redirect in _stdin_redirects(call.site):
        if redirect.body is not None:
            out.append(_heredoc(call, script, redirect, context))
        elif redirect.op == "<<<" and redirect.target is not None:
            taken = _argument(call, redirect.target, context)
            out.append(taken._replace(how="herestring"))
    return out


def _stdin_redirects(site: Site) -> list[Redirect]:
    found = [r for r in site.command.redirects if r.op in ("<<", "<<-", "<<<")]
    if found or not site.trail:
        return found
    from grind.rules.shell.model import Pipe

    owner, nodes, index = site.trail[-1]
    if isinstance(owner, Pipe) and index > 0:  # `cat <<EOF | ssh host bash`
        before = nodes[index - 1]
        if isinstance(before, Simple) and [w.raw for w in before.words] == ["cat"]:
            return [r for r in before.redirects if r.op in ("<<", "<<-", "<<<")]
    return []


def _heredoc(call: Call, script: Script, redirect: Redirect, context: Context) -> Handed:
    assert redirect.body is not None
    start, end = redirect.body
    builder = Builder()
    strip = redirect.op == "<<-"
    if redirect.quoted:
        _copy(builder, script.text[start:end], start, strip)
    else:
        for part in split_heredoc(script, start, end):
            _add(builder, script, part, strip)
    return Handed(builder.build(context), call, "heredoc", not redirect.quoted)


def _copy(builder: Builder, text: str, start: int, strip: bool) -> None:
    if not strip:
        builder.copy(text, start)
        return
    at = start
    for line in text.splitlines(keepends=True):
        bare = line.lstrip("\t")
        builder.copy(bare, at + len(line) - len(bare))
        at += len(line)


def _add(builder: Builder, script: Script, part: Part, strip: bool = False) -> None:
    raw = script.text[part.start : part.end]
    if part.kind == HOLED:
        builder.hole(raw, part.start, "outer")
    elif part.kind != LITERAL:
        builder.hole(raw, part.start, "local")
    elif raw == part.text:
        _copy(builder, raw, part.start, strip)
    elif part.text:
        builder.replace(part.text, part.start)


def _argument(call: Call, word: Word, context: Context) -> Handed:
    builder = Builder()
    for part in word.parts:
        _add(builder, word.script, part)
    unquoted = any(part.kind not in (LITERAL, HOLED) for part in word.parts)
    return Handed(builder.build(context), call, "argument", unquoted)


def _joined(call: Call, words: tuple[Word, ...], context: Context) -> Handed:
    builder = Builder()
    for index, word in enumerate(words):
        if index:
            builder.replace(" ", word.start - 1)
        for part in word.parts:
            _add(builder, word.script, part)
    unquoted = any(p.kind not in (LITERAL, HOLED) for word in words for p in word.parts)
    how = "argument" if len(words) == 1 else "joined"
    return Handed(builder.build(context), call, how, unquoted)


def is_dynamic(word: Word) -> bool:
    """Whether the whole word is one expansion (`"$cmd"`, `$(cat file)`): a program passed on."""
    solid = [p for p in word.parts if not (p.kind == LITERAL and not p.text)]
    return bool(solid) and all(p.kind != LITERAL for p in solid)


__all__ = ["COMMAND", "HOLE", "Call", "Handed", "calls_at", "handed", "is_dynamic", "ssh_target"]
