"""The checkout step: the repository and the files that it leaves, whatever was there before."""

from __future__ import annotations

import random
import shlex
from pathlib import Path
from typing import Any

import pytest

from grind.ports import StepTask
from tests.contracts.rig import Rig, Story, co, git, private, repository, step

TREE = """
    export GIT_INDEX_FILE=$TMPDIR/index; rm -f $GIT_INDEX_FILE
    git -c core.fileMode=true add -A -f . && git write-tree
"""
"""The tree of the files that are there, by an index of its own."""


@pytest.fixture
def source(rig: Rig) -> Path:
    return repository(rig.folder / "source")


@pytest.fixture
def bare(rig: Rig, source: Path) -> Path:
    return private(source, rig.folder / "private")


def head(source: Path, what: str = "HEAD") -> str:
    return git(source, "rev-parse", what)


def out(rig: Rig, bare: Path, script: str, **checkout: Any) -> str:
    story = rig.play(co(0, **checkout), step(1, script), repository=str(bare))
    assert story.status == "success", (story.text(0), story.text(1))
    return story.text(1)


def test_the_default_is_one_commit_on_the_branch(rig: Rig, source: Path, bare: Path) -> None:
    script = """
        git log --format=%H; git status --porcelain --branch; git branch -a --format='%(refname)'
        git tag; git remote get-url origin; cat .git/shallow; cat link; ./program; git fsck
    """
    oid = head(source)
    text = out(rig, bare, script, oid=oid, origin="https://example.org/a/b.git")
    assert text.splitlines() == [
        oid,
        "## main...origin/main",
        "refs/heads/main",
        "refs/remotes/origin/main",
        "https://example.org/a/b.git",
        oid,
        "content 0",
        "hello",
    ]


def test_history_that_ci_does_not_have_is_not_there(rig: Rig, source: Path, bare: Path) -> None:
    old = head(source, "HEAD~1")
    script = f"git cat-file -t {old} && exit 1; git diff {old} && exit 1; git cat-file -e HEAD"
    out(rig, bare, script, oid=head(source))
    out(rig, bare, f"git cat-file -t {old}", oid=head(source), depth=2)
    out(rig, bare, f"git cat-file -t {old}", oid=head(source), depth=0)


@pytest.mark.parametrize(("depth", "count"), [(1, 1), (2, 2), (3, 3), (4, 4), (50, 4), (0, 4)])
def test_depth(rig: Rig, source: Path, bare: Path, depth: int, count: int) -> None:
    script = "git rev-list --count HEAD; git rev-parse --is-shallow-repository; git fsck"
    text = out(rig, bare, script, oid=head(source), depth=depth)
    assert text.split() == [str(count), "true" if 0 < depth < 4 else "false"]


def test_depth_over_a_merge_is_what_git_makes_of_it(rig: Rig, source: Path) -> None:
    git(source, "checkout", "-q", "side")
    for number in range(3):
        git(source, "commit", "-q", "--allow-empty", "-m", f"side {number}")
    git(source, "checkout", "-q", "main")
    git(source, "merge", "-q", "--no-ff", "-m", "merge", "side")
    bare = private(source, rig.folder / "merged")
    for depth in (1, 2, 3, 4, 5, 6):
        real = rig.folder / f"clone {depth}"
        git(source, "clone", "-q", f"--depth={depth}", source.as_uri(), str(real))
        text = out(rig, bare, "git rev-list HEAD | sort", oid=head(source), depth=depth)
        assert text.split() == sorted(git(real, "rev-list", "HEAD").split())


def test_all_history_has_every_branch_and_tag(rig: Rig, source: Path, bare: Path) -> None:
    script = "git for-each-ref --format='%(refname)'; git describe"
    text = out(rig, bare, script, oid=head(source), depth=0).splitlines()
    assert text[:-1] == [
        "refs/heads/main",
        "refs/remotes/origin/main",
        "refs/remotes/origin/side",
        "refs/tags/v1",
    ]
    assert text[-1].startswith("v1-1-g")


def test_tags_without_history(rig: Rig, source: Path, bare: Path) -> None:
    text = out(rig, bare, "git tag; git rev-list --count v1; git fsck", oid=head(source), tags=True)
    assert text.split() == ["v1", "1"]


@pytest.mark.parametrize(
    ("ref", "refs"),
    [
        ("refs/tags/v9", ["refs/tags/v9"]),
        ("refs/pull/7/merge", ["refs/remotes/pull/7/merge"]),
        ("refs/heads/a/b", ["refs/heads/a/b", "refs/remotes/origin/a/b"]),
        ("", []),
    ],
)
def test_refs(rig: Rig, source: Path, bare: Path, ref: str, refs: list[str]) -> None:
    script = "git for-each-ref --format='%(refname)'; git symbolic-ref -q HEAD || echo detached"
    text = out(rig, bare, script, oid=head(source), ref=ref).splitlines()
    assert text == [*refs, ref if ref.startswith("refs/heads/") else "detached"]


@pytest.mark.parametrize(
    "name", ["a'b\"c", "$(touch${IFS}x)", "`id`", "-x", "🦀/ü", "a;b&c|d", "%s"]
)
def test_branch_names_are_data(rig: Rig, source: Path, bare: Path, name: str) -> None:
    script = (
        "git rev-parse --symbolic-full-name HEAD 'HEAD@{upstream}'; git remote get-url origin; ls"
    )
    origin = f"https://example.org/{name}"
    text = out(rig, bare, script, oid=head(source), ref=f"refs/heads/{name}", origin=origin)
    assert text.splitlines()[:3] == [f"refs/heads/{name}", f"refs/remotes/origin/{name}", origin]
    assert "x" not in text.splitlines()


@pytest.mark.parametrize(
    "ref", ["refs/heads/a..b", "refs/heads/a b", "refs/heads/x\ndelete HEAD y"]
)
def test_a_name_that_is_none_fails_the_step(rig: Rig, source: Path, bare: Path, ref: str) -> None:
    story = rig.play(co(0, head(source), ref=ref), repository=str(bare))
    assert story.code(0) != 0


def test_file_names_are_data(rig: Rig, source: Path) -> None:
    names = [
        "-rf",
        "a b",
        "q'\"",
        "new\nline",
        "$(touch x)",
        "\\",
        "é🦀",
        "*",
        "bytes \udcff\udc80",
    ]
    for name in names:
        (source / name).write_text(name, errors="surrogateescape")
    git(source, "add", "-A")
    git(source, "commit", "-qm", "names")
    bare = private(source, rig.folder / "names")
    for _ in range(2):
        assert out(rig, bare, TREE + "touch ./'a b'", oid=head(source)).strip() == head(
            source, "HEAD^{tree}"
        )


def test_the_workspace_is_empty_until_the_checkout(rig: Rig, source: Path, bare: Path) -> None:
    for _ in range(2):
        story = rig.play(
            step(0, "ls -A; mkdir stale; touch stale/x .hidden"),
            co(1, head(source)),
            step(2, "ls -A"),
            repository=str(bare),
        )
        assert story.text(0) == ""
        assert story.text(2).split() == [".git", ".gitignore", "folder", "link", "program", "text"]


def test_paths_within_the_workspace(rig: Rig, source: Path, bare: Path) -> None:
    oid, old = head(source), head(source, "HEAD~1")
    for _ in range(2):
        story = rig.play(
            co(0, oid, path="deep/er"),
            co(1, old, path="deep%2Fer"),
            step(
                2, "cat deep/er/text deep%2Fer/text; ls -A; touch deep/er/dirt; rm deep%2Fer/text"
            ),
            repository=str(bare),
        )
        assert story.text(2) == "3\n2\ndeep\ndeep%2Fer\n", story.text(0) + story.text(1)


def test_paths_are_data(rig: Rig, source: Path, bare: Path) -> None:
    path = "*/$(id) `id`'\"/🦀\n/[x]"
    for _ in range(2):
        script = f"cat {shlex.quote(path)}/text; touch {shlex.quote(path)}/dirt; ls -A | wc -l"
        assert out(rig, bare, script, oid=head(source), path=path) == "3\n1\n"


def test_a_checkout_in_a_checkout(rig: Rig, source: Path, bare: Path) -> None:
    oid = head(source)
    for _ in range(3):
        story = rig.play(
            co(0, oid),
            co(1, oid, path="folder/inner"),
            step(
                2, "git status --porcelain; cd folder/inner; git status --porcelain; echo x > text"
            ),
            repository=str(bare),
        )
        assert story.status == "success", story.out
        assert story.text(2) == "?? folder/inner/\n"


def test_a_second_checkout_to_the_same_place(rig: Rig, source: Path, bare: Path) -> None:
    story = rig.play(
        co(0, head(source)),
        step(1, "touch extra"),
        co(2, head(source, "HEAD~2"), clean=False),
        step(3, "cat text; ls"),
        co(4, head(source, "HEAD~1")),
        step(5, "cat text; ls"),
        repository=str(bare),
    )
    assert story.text(3).split() == ["1", "extra", "folder", "link", "program", "text"]
    assert story.text(5).split() == ["2", "folder", "link", "program", "text"]


def test_a_path_through_a_link_is_refused(rig: Rig, source: Path, bare: Path) -> None:
    elsewhere = rig.folder / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine").touch()
    link = f"ln -s {shlex.quote(str(elsewhere))} a"
    story = rig.play(step(0, link), co(1, head(source), path="a/b"), repository=str(bare))
    assert story.code(1) != 0
    assert "link" in story.text(1)
    # Nor does the next lane take away what a step put a link to.
    for _ in range(2):
        swap = f"rm -rf a; {link}"
        story = rig.play(co(0, head(source), path="a"), step(1, swap), repository=str(bare))
        assert story.status == "success", story.out
    assert [path.name for path in elsewhere.iterdir()] == ["mine"]


def test_nothing_of_the_users_repository_changes(rig: Rig, source: Path, bare: Path) -> None:
    def state() -> dict[str, bytes]:
        found = [p for where in (source, bare) for p in where.rglob("*") if p.is_file()]
        return {str(p): p.read_bytes() for p in found if "trees" not in p.parts}

    before = state()
    script = """
        git config user.name x; git config user.email x; git config core.bare true
        git config core.bare false; git tag t; git branch b; git commit -q --allow-empty -m c
        echo dirt > text; git stash -q; git gc -q --prune=now; git remote set-url origin other
        git worktree add -q ../w; git update-ref -d refs/remotes/origin/main; git repack -adq
    """
    for depth in (1, 0):
        out(rig, bare, script, oid=head(source), depth=depth)
    assert state() == before


def test_the_configuration_of_the_user_does_not_reach_the_checkout(
    rig: Rig, source: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = rig.folder / "user"
    (home / "hooks").mkdir(parents=True)
    (home / "hooks" / "post-checkout").write_text("#!/bin/sh\ntouch hooked\n")
    (home / "hooks" / "post-checkout").chmod(0o755)
    config = "[core]\n autocrlf = true\n hooksPath = {0}/hooks\n attributesFile = {0}/attributes\n"
    (home / ".gitconfig").write_text(config.format(home) + "[init]\n templateDir = {0}\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(home / ".gitconfig"))
    monkeypatch.setenv("GIT_DIR", str(source / ".git"))
    text = out(rig, bare, "ls; od -c text; ls .git/hooks || true", oid=head(source))
    assert "hooked" not in text
    assert "\\r" not in text


def test_a_commit_that_is_not_there(rig: Rig, bare: Path) -> None:
    story = rig.play(co(0, "1" * 40), step(1, "true"), repository=str(bare))
    assert story.code(0) != 0
    assert "does not hold the commit" in story.text(0)
    assert story.passed == {1}


def test_a_repository_with_sha256(rig: Rig) -> None:
    source = repository(rig.folder / "new", object_format="sha256")
    bare = private(source, rig.folder / "new private")
    for depth in (1, 0):
        text = out(rig, bare, "git rev-parse HEAD; git fsck", oid=head(source), depth=depth)
        assert text.strip() == head(source)


@pytest.fixture
def nested(rig: Rig, source: Path) -> Path:
    """A repository with a submodule that has a submodule, all cloned."""
    inner = repository(rig.folder / "inner")
    middle = repository(rig.folder / "middle")
    allow = ("-c", "protocol.file.allow=always")
    git(middle, *allow, "submodule", "--quiet", "add", str(inner), "in ner")
    git(middle, "commit", "-qm", "with inner")
    git(source, *allow, "submodule", "--quiet", "add", "--name", "mid/dle", str(middle), "sub/m")
    git(source, *allow, "submodule", "--quiet", "update", "--init", "--recursive")
    git(source, "commit", "-qm", "with middle")
    place = source / ".git" / "grind"
    place.mkdir()
    return private(source, place / "repo")


@pytest.mark.parametrize("how", ["false", "true", "recursive"])
def test_submodules(rig: Rig, source: Path, nested: Path, how: str) -> None:
    script = """
        git status --porcelain; git submodule status --recursive
        cat sub/m/text sub/m/in*/text || true; touch sub/m/dirt
    """
    for _ in range(2):
        text = out(rig, nested, script, oid=head(source), submodules=how)
        lines = text.splitlines()
        assert lines[0][:1] == ("-" if how == "false" else " ")
        assert lines.count("3") == {"false": 0, "true": 1, "recursive": 2}[how]


def test_a_submodule_that_is_not_on_the_host(rig: Rig, source: Path, nested: Path) -> None:
    (source / ".git" / "modules").rename(source / ".git" / "gone")
    story = rig.play(co(0, head(source), submodules="true"), repository=str(nested))
    assert story.code(0) != 0
    assert "git submodule update --init" in story.text(0)


def test_submodules_that_are_not_wanted_any_more(rig: Rig, source: Path, nested: Path) -> None:
    out(
        rig, nested, "echo x > sub/m/dirt; git -C sub/m status", oid=head(source), submodules="true"
    )
    assert out(rig, nested, "ls -A sub/m; git status --porcelain", oid=head(source)) == ""


DIRT = [
    "echo changed > {file}",
    "printf 'same size' > {file}",
    "cp -p {file} $TMPDIR/c; tr a-z b-za < $TMPDIR/c > {file}; touch -r $TMPDIR/c {file}",
    "rm -rf {file}",
    "rm -rf {file}; mkdir -p {file}/deep; touch {file}/deep/x",
    "rm -rf {folder}; echo file > {folder}",
    "rm -f {file}; ln -s /etc {file}",
    "rm -rf {folder}; ln -s .. {folder}",
    "chmod 777 {file} || true",
    "chmod a+x {file} || true",
    "chmod 000 {file} || true",
    "chmod -R a-w . || true",
    "chmod 000 {folder} || true",
    "mv {file} {file}.UPPER; mv {file}.UPPER $(dirname {file})/TEXT",
    "git rm -rq --cached . ; echo x > .git/info/exclude; echo '* eol=crlf' > .git/info/attributes",
    "touch .git/index.lock .git/HEAD.lock",
    "git update-index --assume-unchanged {file}; echo hidden > {file}",
    "git update-index --skip-worktree {file}; echo hidden > {file}",
    "git config core.fileMode false; git config core.autocrlf true; git config core.worktree /tmp",
    "git checkout -q --orphan other; git commit -qm x --allow-empty; git add -A; git commit -qm y",
    "rm -rf .git",
    "rm -rf .git; ln -s /nowhere .git",
    "rm -rf .git/objects; echo bad > .git/index",
    "mkdir -p build; echo o > build/o; echo i > x.ignored; touch -- '-x' 'n\nl'",
    "git init -q inside; touch inside/x; git init -q --bare {folder}/bare.git",
    "mkfifo pipe; mkdir -p a/b/c; chmod 000 a/b/c a/b a",
    "git sparse-checkout set --no-cone /nothing",
    "git clean -ffdxq; find . -mindepth 1 -delete",
    "ln {file} hard; echo through > hard",
    "find . -name .git -prune -o -exec touch -d 2001-01-01 {{}} +",
]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_step_did_the_next_checkout_is_exactly_the_tree(
    rig: Rig, source: Path, seed: int
) -> None:
    chance = random.Random(seed)
    (source / "folder" / "sub").mkdir()
    (source / "folder" / "sub" / "x").write_text("abc\n")
    (source / "win").write_text("a\r\nb\n")
    git(source, "add", "-A")
    git(source, "commit", "-qm", "more")
    git(source, "rm", "-rq", "folder", "link")
    (source / "folder").write_text("a file now\n")
    (source / "link").mkdir()
    (source / "link" / "x").write_text("a folder now\n")
    (source / "program").chmod(0o644)
    git(source, "add", "-A")
    git(source, "commit", "-qm", "types")
    bare = private(source, rig.folder / "dirty")
    commits = [head(source, f"HEAD~{n}") for n in range(4)]
    deck = DIRT * 2
    chance.shuffle(deck)
    who = "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a\n"
    while deck:
        oid = chance.choice(commits)
        mess = [deck.pop() for _ in range(min(len(deck), chance.randint(1, 4)))]
        scripts = [
            part.format(
                file=chance.choice(["text", "folder/file\\ 0", "program", "win", "folder/sub/x"]),
                folder=chance.choice(["folder", "folder/sub", "link"]),
            )
            for part in mess
        ]
        tasks = [co(0, oid), step(1, TREE), step(2, "git status --porcelain --ignored")]
        dirty = [
            StepTask(index=3 + n, argv=("bash", "{0}"), script=who + script, continue_on_error=True)
            for n, script in enumerate(scripts)
        ]
        story = rig.play(*tasks, *shifted(dirty), repository=str(bare))
        told = "\n".join(story.text(n) for n in range(3))
        assert story.text(1).strip() == head(source, f"{oid}^{{tree}}"), (told, scripts)
        assert story.text(2) == "", (told, scripts)


def shifted(tasks: list[StepTask]) -> list[StepTask]:
    from msgspec.structs import replace

    return [replace(task, index=100 + number) for number, task in enumerate(tasks)]


def test_files_that_nothing_touched_are_not_written_again(
    rig: Rig, source: Path, bare: Path
) -> None:
    script = "stat -c '%i %n' text program folder/*; echo x > program"
    first, second = (out(rig, bare, script, oid=head(source)) for _ in range(2))
    kept = set(first.splitlines()) & set(second.splitlines())
    assert {line.split(" ", 1)[1] for line in kept} >= {"text", "folder/file 0"}


def test_a_checkout_that_is_cancelled_does_not_spoil_the_next(
    rig: Rig, source: Path, bare: Path
) -> None:
    out(rig, bare, "true", oid=head(source))
    story = rig.play(co(0, head(source), timeout=0.01), repository=str(bare))
    assert story.ended[0].reason in ("timeout", "exit")
    assert out(rig, bare, TREE, oid=head(source)).strip() == head(source, "HEAD^{tree}")


def test_jobs_check_out_side_by_side(rig: Rig, source: Path, bare: Path) -> None:
    async def tell() -> list[Story]:
        lanes = [await rig.lane(key=f"job-{n}", repository=str(bare)) for n in range(4)]
        for lane in lanes:
            await lane.submit([co(0, head(source)), step(1, TREE)], final=True)
        return [await rig.follow(lane) for lane in lanes]

    for story in rig.go(tell()):
        assert story.text(1).strip() == head(source, "HEAD^{tree}"), story.out


def test_a_host_without_git(rig: Rig, source: Path, bare: Path) -> None:
    from grind.adapters.localhost import LocalHost
    from tests.contracts.rig import RealClock

    tools = rig.folder / "tools"
    tools.mkdir()
    for name in ["bash", "setsid", "cat", "mkdir", "rm", "rmdir", "mv", "cp", "chmod", "env"]:
        (tools / name).symlink_to(f"/usr/bin/{name}")
    bare_host = LocalHost(rig.folder / "state", {"PATH": str(tools)}, RealClock())
    story = Rig(bare_host, rig.folder).play(co(0, head(source)), repository=str(bare))
    assert story.code(0) != 0
    assert "git is not on the PATH" in story.text(0)
