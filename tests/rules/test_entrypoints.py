"""What a repository's own files say can be started, and what that runs."""

from __future__ import annotations

from textwrap import dedent

from grind.rules.entrypoints import tasks_of
from grind.workflows.drifttasks import Task, instantiate
from grind.workflows.drifttext import Reader

JUSTFILE = """\
    tool := 'cargo'
    flags := env('X')

    # before a push
    pre-push: lint (test "unit") && tell
        @echo go
        {{tool}} build {{flags}}

    test kind='all' *args:
        cargo test {{kind}} {{args}}

    alias t := test

    lint:
        #!/usr/bin/env bash
        set -e
        cargo clippy

    odd:
        #!/usr/bin/env python3
        print("cargo test")

    tell:
        true
    """
MAKEFILE = """\
    CARGO ?= cargo
    ROOT = $(shell pwd)

    .PHONY: check
    check: lint unit | order
    \t@$(CARGO) test $(ARGS)
    \t$(MAKE) -C sub all

    lint unit:
    \truff check \\
    \t  src

    %.o: %.c
    \tcc $<
    """
PACKAGE = """\
    {"name": "x", "scripts": {
      "test": "vitest run \\"a b\\"",
      "pretest": "tsc",
      "lint": "eslint . && npm run test"
    }}
    """


def tasks(path: str, text: str) -> dict[str, Task]:
    return {task.name: task for task in tasks_of(path, dedent(text).encode())}


def runs(path: str, text: str, name: str, **more: bytes) -> list[str]:
    files = {path: dedent(text).encode(), **{k.replace("__", "/"): v for k, v in more.items()}}
    reader = Reader(lambda file: tasks_of(file, files[file]) if file in files else ())
    reading = reader.task(tasks(path, text)[name])
    assert not reading.unread
    return [found.unit.text for found in reading.found]


def test_a_justfile() -> None:
    found = tasks("Justfile", JUSTFILE)
    assert list(found) == ["pre-push", "test", "t", "lint", "odd", "tell"]
    assert found["pre-push"].needs == ("lint", "test")
    assert found["pre-push"].after == ("tell",)
    assert found["pre-push"].line == 5
    assert found["test"].parameters == (("kind", "all", False), ("args", "", True))
    assert found["odd"].opaque
    assert not found["lint"].opaque
    assert runs("Justfile", JUSTFILE, "pre-push") == [
        "cargo clippy",
        "cargo test all",
        "cargo build '${{ flags }}'",
    ]
    assert runs("Justfile", JUSTFILE, "t") == ["cargo test all"]
    assert runs("Justfile", JUSTFILE, "odd") == ["just odd"]


def test_arguments_go_where_the_recipe_wants_them() -> None:
    test = tasks("Justfile", JUSTFILE)["test"]
    ((text, line),) = instantiate(test, ["unit", "--release", "-p", "x"])
    assert (text.strip(), line) == ("cargo test unit --release -p x", 9)
    ((text, _),) = instantiate(tasks("package.json", PACKAGE)["test"], ["--ui", "a b"])
    assert text == "vitest run \"a b\" --ui 'a b'"


def test_a_makefile() -> None:
    found = tasks("Makefile", MAKEFILE)
    assert list(found) == ["check", "lint", "unit"]
    assert found["check"].needs == ("lint", "unit", "order")
    assert runs("Makefile", MAKEFILE, "check") == [
        "ruff check src",
        "cargo test '${{ ARGS }}'",
        "make all -C sub",
    ]
    below = {"sub__Makefile": b"all:\n\tpytest\n"}
    assert runs("Makefile", MAKEFILE, "check", **below)[-1] == "pytest"


def test_a_package() -> None:
    assert runs("package.json", PACKAGE, "test") == ["tsc", "vitest run 'a b'"]
    assert runs("package.json", PACKAGE, "lint") == ["eslint .", "tsc", "vitest run 'a b'"]


def test_a_script_and_its_own_folder() -> None:
    text = '#!/bin/sh\nset -e\ncd "$(dirname "$0")/../web"\nnpm ci\n'
    (task,) = tasks_of("scripts/check.sh", text.encode())
    reading = Reader(lambda _: ()).task(task)
    assert [(f.unit.text, f.unit.folder, f.line) for f in reading.found] == [("npm ci", "web", 3)]


def test_what_cannot_be_read_holds_nothing() -> None:
    assert tasks_of("package.json", b"[1]") == ()
    assert tasks_of("tools/check.py", b"print(1)") == ()
    assert tasks_of("tools/check", b"#!/usr/bin/env python3\n") == ()
