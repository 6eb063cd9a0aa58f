"""Rust toolchain actions: which of the host's toolchains answers, with the components asked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import NamedTuple

from grind.workflows.facts import Facts, Judgement, refused, settle
from grind.workflows.setupnix import answered
from grind.workflows.setups import Lack, find_question, satisfied
from grind.workflows.versions import parse_version

_TOOLS = {"rustfmt": ("rustfmt", "cargo-fmt"), "clippy": ("cargo-clippy",)}


class Rust(NamedTuple):
    """What the host has."""

    rustup_home: str
    rustup: str
    toolchains: Mapping[str, str]
    """Name with the host triple → `rustc --version`."""
    components: Mapping[str, frozenset[str]]
    plain: tuple[str, str] | None
    """Folder and version of a compiler without rustup."""
    tools: frozenset[str]
    default: str = ""


def rust_on(facts: Facts) -> Rust | None:
    """Ask the host for its Rust; None while it has not answered."""
    answer = facts.ask(find_question("rust"))
    return None if answer is None else _read(answer.out)


def _read(out: str) -> Rust:
    rows = [line.split("\t") for line in out.splitlines()]
    home = next((row for row in rows if row[0] == "rustup" and len(row) == 3), ["", "", ""])
    toolchains = {row[1]: row[2] for row in rows if row[0] == "toolchain" and len(row) == 3}
    components = {
        name: frozenset(r[2] for r in rows if r[0] == "component" and r[1] == name)
        for name in toolchains
    }
    plain = next(((r[1], r[2]) for r in rows if r[0] == "plain" and len(r) == 3), None)
    tools = frozenset(row[1] for row in rows if row[0] == "tool")
    default = next((row[1] for row in rows if row[0] == "default" and len(row) == 2), "")
    more = next((row for row in rows if row[0] == "more" and len(row) == 3), None)
    if more is not None:
        # Asked only where the host's own compilers do not answer: they step back.
        parts = frozenset(row[1] for row in rows if row[0] == "moretool")
        return Rust("", "", {}, {}, (more[1].replace(":", "\n"), more[2]), parts)
    return Rust(home[1], home[2], toolchains, components, plain, tools, default)


def rust(uses: str, inputs: Mapping[str, str], facts: Facts) -> Judgement:
    """dtolnay/rust-toolchain, actions-rs/toolchain, actions-rust-lang/setup-rust-toolchain."""
    name = uses.partition("@")[0].lower()
    asked = inputs.get("toolchain", "").strip() or inputs.get("rust-version", "").strip()
    ref = uses.partition("@")[2]
    if not asked and name == "dtolnay/rust-toolchain":
        if ref in ("master", "v1") or re.fullmatch(r"[0-9a-f]{40}", ref):
            return refused(f"{uses} names no toolchain")
        asked = ref
    pinned, extra = _file(facts)
    # rustup lets a repository's toolchain file win over the default, which is all that these
    # actions set, except when they are told to override.
    overrides = inputs.get("override", "").lower() == "true"
    wanted = [asked or "stable"]
    if pinned and not overrides:
        wanted = [pinned] if not asked else [asked, pinned]
    needs = _list(inputs.get("components", "")) | extra
    targets = _list(inputs.get("targets", "") or inputs.get("target", ""))

    def judge(out: str) -> Judgement | Lack:
        host = _read(out)
        chosen = _chosen(uses, host, wanted, needs, targets)
        if not isinstance(chosen, str):
            return chosen
        return _given(name, inputs, host, chosen, pinned and not overrides)

    return answered(facts, "rust", judge)


def _chosen(
    uses: str, host: Rust, wanted: list[str], needs: frozenset[str], targets: frozenset[str]
) -> str | Judgement | Lack:
    """The toolchain that answers all of it, or what is missing."""
    chosen = ""
    for text in wanted:
        result = find_toolchain(text, host)
        remedy = f"rustup toolchain install {text}, or:\n{settle(uses)}"
        if result is None:
            return Lack(text, _missing(text, host), remedy)
        if result.startswith("?"):
            return refused(result[1:], remedy)
        chosen = result
    absent = lacking(chosen, host, needs, targets)
    if absent:
        kind = "component" if absent in needs else "target"
        have = chosen or (host.plain[1] if host.plain else "")
        remedy = f"rustup {kind} add --toolchain {chosen} {absent}, or:\n" if chosen else ""
        return refused(
            f"the Rust toolchain {have} on the host has no {kind} {absent}", remedy + settle(uses)
        )
    return chosen


def _given(
    name: str, inputs: Mapping[str, str], host: Rust, chosen: str, by_file: bool | str
) -> Judgement:
    if chosen in host.toolchains:
        version = host.toolchains[chosen]
        env = {
            "GRIND_RUSTUP": host.rustup,
            "GRIND_RUSTUP_HOME": host.rustup_home,
            "GRIND_TOOLCHAIN": "" if by_file else chosen,
        }
    else:
        folder, version = host.plain or ("", "")
        env = {"GRIND_RUST": folder}
    flags = inputs.get("rustflags")
    if name == "actions-rust-lang/setup-rust-toolchain":
        # Its documented default; an empty input leaves the variable alone.
        flags = "-D warnings" if flags is None else flags
    env["GRIND_ENV"] = f"RUSTFLAGS={flags}" if flags else ""
    day = re.search(r"\((\w+) (\d{4})-(\d\d)-(\d\d)\)", version)
    key = f"{day[2]}{day[3]}{day[4]}{day[1]}" if day else ""
    number = parse_version(version)
    outputs = {"cachekey": key, "name": chosen, "rustc-version": str(number) if number else ""}
    return satisfied(f"{version} ({chosen or 'on the PATH'})", "rust.sh", env, outputs)


def _file(facts: Facts) -> tuple[str, frozenset[str]]:
    """The channel and the components of the repository's toolchain file."""
    for name in ("rust-toolchain.toml", "rust-toolchain"):
        text = facts.read(name)
        if text is None:
            continue
        try:
            table = tomllib.loads(text).get("toolchain", {})
        except tomllib.TOMLDecodeError:
            return text.strip(), frozenset()
        channel = table.get("channel", "") if isinstance(table, dict) else ""
        components = table.get("components", []) if isinstance(table, dict) else []
        return str(channel), frozenset(str(one) for one in components)
    return "", frozenset()


def _list(text: str) -> frozenset[str]:
    return frozenset(part for part in re.split(r"[\s,]+", text) if part)


def find_toolchain(text: str, host: Rust) -> str | None:
    """Return the installed toolchain for a request; `?…` says that it is not understood."""
    if not re.fullmatch(r"[\w.-]+", text):
        return f"?the toolchain {text!r} is not understood"
    for name in sorted(host.toolchains, key=len):
        if name == text or (name.startswith(text + "-") and not _dated(name, text)):
            return name
    if re.fullmatch(r"\d+\.\d+(\.\d+)?", text):
        for name, version in host.toolchains.items():
            if _same(version, text) and not name.startswith(("nightly", "beta")):
                return name
    if host.plain is not None:
        version = host.plain[1]
        if text == "stable" and "-" not in version.split()[1]:
            return ""
        if re.fullmatch(r"\d+\.\d+(\.\d+)?", text) and _same(version, text):
            return ""
    return None


def _dated(name: str, text: str) -> bool:
    """`nightly` is not answered by `nightly-2024-01-01-…`."""
    return re.match(r"-\d{4}-\d\d-\d\d", name[len(text) :]) is not None


def _same(version: str, text: str) -> bool:
    number = version.split()[1] if len(version.split()) > 1 else ""
    wanted = text.split(".")
    return number.split(".")[: len(wanted)] == wanted


def lacking(chosen: str, host: Rust, needs: frozenset[str], targets: frozenset[str]) -> str | None:
    """Return the first component or target that the toolchain has not, None when it has all."""
    if chosen not in host.toolchains:
        absent = [one for one in needs if not set(_TOOLS.get(one, ("\0",))) <= host.tools]
        return next(iter(sorted(absent)), None) or next(iter(sorted(targets)), None)
    have = host.components[chosen]
    for one in sorted(needs):
        stem = one.removesuffix("-preview")
        if not any(h == stem or h.startswith((f"{stem}-preview", f"{stem}-")) for h in have):
            return one
    for one in sorted(targets):
        if f"rust-std-{one}" not in have:
            return one
    return None


def _missing(text: str, host: Rust) -> str:
    have = ", ".join(sorted(host.toolchains)) or (host.plain[1] if host.plain else "none")
    return f"the Rust toolchain {text} is not on the host (it has: {have})"
