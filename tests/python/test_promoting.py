"""Promotion with a real Nix: `nix run ./grind#NAME` works at once, and everything can be undone."""

from __future__ import annotations

from tests.nixworld import FEATURES
from tests.python.conftest import WITH_PYTHON, WITHOUT, PythonWorld

ECHO = "import os, sys\nimport helper\nprint(os.environ['WHO'], helper.NAME, *sys.argv[1:])\n"
HELPER = {"scripts/helper.py": "NAME = 'helped'\n"}


def run(world: PythonWorld, *words: str) -> str:
    done = world.ran(["nix", *FEATURES, *words])
    assert done.code == 0, done
    return done.out


def test_a_promoted_script_is_a_flake_app_at_once_and_demote_reverses_it(
    world: PythonWorld,
) -> None:
    world.start({"scripts/say-it.py": ECHO, **HELPER}).flake(shell=WITH_PYTHON)
    world.git("commit", "-q", "-m", "flake")
    done = world.py("promote", "scripts/say-it.py")
    assert done.code == 0, done
    assert "nix run ./grind#say-it" in done.out
    assert "apps = (import ./grind { }).apps;" in done.out
    assert (
        run(world, "run", "./grind#say-it", "--", "a", "b c") == "python3-3.11-shell helped a b c\n"
    )
    assert world.py("scripts/say-it.py", "x").out == "python3-3.11-shell helped x\n"
    assert world.py("say-it", "y").out == "python3-3.11-shell helped y\n"
    assert world.py("--why", "scripts/say-it.py").out.startswith("app: ")
    assert run(world, "develop", "./grind", "--command", "say-it", "z").endswith("helped z\n")
    before = world.git("status", "--porcelain")
    again = world.py("promote", "scripts/say-it.py")
    assert again.code == 0
    assert world.git("status", "--porcelain") == before
    # What the app does follows the script.
    world.write({"scripts/helper.py": "NAME = 'changed'\n"})
    assert world.py("say-it").out == "python3-3.11-shell changed\n"
    world.write(HELPER)
    assert world.py("demote", "scripts/say-it.py").code == 0
    assert world.git("status", "--porcelain") == ""
    assert not (world.repo / "grind").exists()


def test_both_lines_expose_them_from_the_repositorys_own_flake(world: PythonWorld) -> None:
    world.start({"scripts/x.py": ECHO, **HELPER}).flake(shell=WITH_PYTHON)
    assert world.py("promote", "scripts/x.py").code == 0
    flake = (world.repo / "flake.nix").read_text()
    lines = world.py("promote", "scripts/x.py", "--json").document["expose"]
    lines = [line.replace("${system}", "x86_64-linux") for line in lines]
    (world.repo / "flake.nix").write_text(
        flake.replace("outputs = args: {", "outputs = args: { " + " ".join(lines))
    )
    assert run(world, "run", ".#x").endswith("helped\n")
    assert run(world, "develop", ".#grind", "--command", "x").endswith("helped\n")


def test_a_script_from_elsewhere_is_written_into_the_repository(world: PythonWorld) -> None:
    world.start({}).flake(shell=WITHOUT)
    script = world.outside / "ad-hoc.py"
    script.write_text("import os; print(os.environ['WHO'])\n")
    assert world.py("promote", str(script), "--name", "hoc").code == 0
    assert world.py(str(script)).out == "python3-3.11-pinned\n"
    assert (world.repo / "grind/scripts/hoc.py").read_text() == script.read_text()
    refused = world.py("promote", "-", "--name", "hoc", stdin=b"print('other')\n")
    assert refused.code == 3
    assert world.py("promote", "-", "--name", "second", stdin=b"print('other')\n").code == 0
    assert run(world, "run", "./grind#second") == "other\n"
    (world.repo / "grind/scripts/second.py").write_text("print('worked on')\n")
    assert "stays where it is" in world.py("demote", "second").out
    assert "was removed" in world.py("demote", "hoc").out
    assert sorted(p.name for p in (world.repo / "grind").rglob("*")) == ["scripts", "second.py"]


def test_what_cannot_be_promoted_leaves_everything_as_it_was(world: PythonWorld) -> None:
    needs = '# /// script\n# dependencies = ["requests"]\n# ///\n'
    world.start({"needs.py": needs, "a b.py": "1\n", "empty.py": "", "bad.py": "# /// script\n"})
    world.write({".gitignore": "ignored.py\n"})
    world.flake(shell=WITH_PYTHON)
    world.write({"ignored.py": "1\n"})
    before = world.git("status", "--porcelain")
    for words, told in (
        (("needs.py",), "requests"),
        (("bad.py",), "no end"),
        (("a b.py", "--name", "ab"), "path in Nix"),
        (("empty.py",), "nothing to promote"),
        (("ignored.py",), "ignored"),
        (("needs.py", "--name", "-x"), "no name for a command"),
        (("gone.py",), "cannot be read"),
    ):
        done = world.py("promote", *words)
        assert done.code != 0, words
        assert told in done.err, (words, done)
        assert world.git("status", "--porcelain") == before, words
        assert not (world.repo / "grind").exists(), words
    world.write({"grind/flake.nix": "{ }\n", "ok.py": "1\n"})
    assert "not of grind's making" in world.py("promote", "ok.py").err
    assert (world.repo / "grind/flake.nix").read_text() == "{ }\n"
    assert world.py("demote", "nobody").code == 2


def test_a_check_names_a_promoted_command(world: PythonWorld) -> None:
    world.start({"scripts/x.py": ECHO, **HELPER}).flake(shell=WITH_PYTHON)
    world.write({"grind.toml": '[[check]]\nname = "report"\napp = "x"\n'})
    assert world.py("promote", "scripts/x.py").code == 0
    world.write({"grind.toml": (world.repo / "grind.toml").read_text() + _lent(world)})
    world.git("add", "-A")
    done = world.grind("check", "--fast", "--follow", env={"PATH": world.env["PATH"]})
    assert done.code == 0, done
    assert "helped" in done.out


def _lent(world: PythonWorld) -> str:
    names = ", ".join(f'"{name}"' for name in world.nix.env)
    return f"[hosts.local]\nenv = [{names}]\n"


def test_the_loop_proves_with_a_promoted_command(world: PythonWorld) -> None:
    """`grind run` runs the checks, and a promoted command is one; its red stops the loop."""
    world.start({"scripts/x.py": ECHO, **HELPER}).flake(shell=WITH_PYTHON)
    world.write({"grind.toml": '[[check]]\nname = "report"\napp = "x"\n'})
    assert world.py("promote", "scripts/x.py").code == 0
    world.write({"grind.toml": (world.repo / "grind.toml").read_text() + _lent(world)})
    world.git("add", "-A")
    path = {"PATH": world.env["PATH"]}
    done = world.grind("run", "-m", "report", "--until", "check", env=path)
    assert done.code == 0, done
    [receipt] = world.receipts
    steps = [(one["job"], one["conclusion"], one["verdict"]) for one in receipt["steps"]]
    assert steps[0] == ("grind.toml/report", "success", "executed")
    world.write({"scripts/x.py": "raise SystemExit('no report')\n"})
    assert world.py("promote", "scripts/x.py").code == 0
    red = world.grind("run", "-m", "report", env=path)
    assert red.code == 1, red
    assert "no report" in red.said
    assert world.git("log", "--format=%s", "origin/main") == "first"
