"""The private repository: what checkouts find there, and that nothing gets lost or stays."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .conftest import MakeRepo, Repo, frozen


def private_refs(repo: Repo) -> dict[str, str]:
    private = Repo(Path(repo.ask().private), repo.env)
    listing = private.git("--git-dir=.", "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in listing.splitlines())


def with_remote(repo: Repo) -> None:
    head = repo.git("rev-parse", "HEAD")
    repo.git("update-ref", "refs/remotes/origin/main", head)
    repo.git("update-ref", "refs/remotes/origin/topic/x", head)
    repo.git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    repo.git("update-ref", "refs/remotes/other/y", head)
    repo.git("branch", "local")
    repo.git("tag", "-a", "-m", "v", "v1")


def test_refs_for_checkouts(repo: Repo, tmp_path: Path) -> None:
    with_remote(repo)
    head = repo.git("rev-parse", "HEAD")
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    snapshot = repository.snapshot()
    before = frozen(repo)
    place = repository.prepare(snapshot, "origin", "main")
    assert frozen(repo) == before
    assert private_refs(repo) == {
        "refs/heads/main": snapshot.commit,
        "refs/heads/topic/x": head,
        "refs/tags/v1": repo.git("rev-parse", "v1"),
        f"refs/grind/snap/{snapshot.commit}": snapshot.commit,
    }
    for args in (["--depth=1"], []):
        checkout = tmp_path / f"checkout{len(args)}"
        repo.git("init", "-q", str(checkout))
        job = Repo(checkout, repo.env)
        job.git("fetch", "-q", *args, place, snapshot.commit)
        job.git("checkout", "-q", "--detach", snapshot.commit)
        assert (checkout / "a.txt").read_text() == "edited\n"
        assert job.git("rev-list", "--count", "HEAD") == ("1" if args else "2")


def test_refs_that_are_gone_and_names_that_clash(repo: Repo) -> None:
    with_remote(repo)
    repository = repo.ask()
    snapshot = repository.snapshot()
    repository.prepare(snapshot, "origin", "main")
    repo.git("update-ref", "-d", "refs/remotes/origin/topic/x")
    repo.git("update-ref", "refs/remotes/origin/topic", snapshot.commit)
    repo.git("tag", "-d", "v1")
    repository.prepare(snapshot, "origin", "topic/x")
    names = {name for name in private_refs(repo) if not name.startswith("refs/grind/")}
    assert names == {"refs/heads/main", "refs/heads/topic/x"}
    repository.prepare(snapshot, None, "main")
    names = {name for name in private_refs(repo) if not name.startswith("refs/grind/")}
    assert names == {"refs/heads/main"}


def test_the_users_garbage_collection_takes_nothing(repo: Repo) -> None:
    """A blob that was staged once is in the user's store, so git does not write it again."""
    repo.write("new", "staged once\n")
    repo.git("add", "new")
    repo.git("reset", "-q")
    repository = repo.ask()
    snapshot = repository.snapshot()
    repository.prepare(snapshot, None, "main")
    repo.git("reflog", "expire", "--expire=now", "--all")
    repo.git("gc", "-q", "--prune=now")
    assert repo.files(snapshot.tree)["new"] == "staged once\n"
    private = Repo(Path(repository.private), repo.env)
    private.git("--git-dir=.", "fsck", "--full", "--no-dangling")
    assert "grind" not in repo.git("for-each-ref")


def test_several_runs_at_once(repo: Repo) -> None:
    with_remote(repo)
    snapshots = []
    for number in range(4):
        repo.write("a.txt", f"{number}\n")
        snapshots.append(repo.ask().snapshot())
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda s: repo.ask().prepare(s, "origin", "main"), snapshots * 2))
    refs = private_refs(repo)
    for snapshot in snapshots:
        assert refs[f"refs/grind/snap/{snapshot.commit}"] == snapshot.commit
    assert refs["refs/heads/main"] in {snapshot.commit for snapshot in snapshots}


def test_pruning_drops_what_is_old(repo: Repo) -> None:
    repository = repo.ask()
    repo.write("a.txt", "old\n")
    old = repository.snapshot()
    place = Path(repository.prepare(old, None, "main"))
    repo.write("a.txt", "young\n")
    young = repository.snapshot()
    repository.prepare(young, None, "main")
    past = time.time() - 10 * 86_400
    leftover = place.parent / "index.1.dead"
    leftover.write_bytes(b"")
    for folder, _, names in os.walk(place / "objects"):
        for name in names:
            os.utime(os.path.join(folder, name), (past, past))
    os.utime(leftover, (past, past))
    os.utime(place / "refs/grind/snap" / old.commit, (past, past))
    assert repository.prune(7) == 1
    assert f"refs/grind/snap/{old.commit}" not in private_refs(repo)
    assert not leftover.exists()
    assert repo.files(young.tree)["a.txt"] == "young\n"
    private = Repo(place, repo.env)
    kinds = private.git("--git-dir=.", "cat-file", "--batch-check", data=f"{old.tree}\n".encode())
    assert kinds.endswith("missing")
    assert repository.prune(7) == 0
    assert repository.snapshot() == young


def test_a_shallow_clone(repo: Repo, tmp_path: Path) -> None:
    repo.write("a.txt", "second\n")
    repo.commit()
    url = f"file://{repo.path}"
    repo.git("clone", "-q", "--depth=1", url, str(tmp_path / "shallow"))
    shallow = Repo(tmp_path / "shallow", repo.env)
    shallow.write("a.txt", "third\n")
    repository = shallow.ask()
    snapshot = repository.snapshot()
    private = Repo(Path(repository.prepare(snapshot, "origin", "main")), repo.env)
    assert private.git("--git-dir=.", "rev-list", "--count", snapshot.commit) == "2"
    oid = repository.commit(snapshot, "Third")
    assert shallow.git("rev-list", "--count", oid) == "2"
    shallow.git("fetch", "-q", "--unshallow")
    repository.prepare(snapshot, "origin", "main")
    assert private.git("--git-dir=.", "rev-list", "--count", snapshot.commit) == "3"


def test_submodule_repositories_are_found(repo: Repo, make: MakeRepo) -> None:
    deep = make("deep")
    deep.commit()
    inner = make("inner")
    inner.git("submodule", "--quiet", "add", str(deep.path), "nested/deep")
    inner.commit()
    repo.git("submodule", "--quiet", "add", str(inner.path), "libs/inner")
    repo.git("submodule", "--quiet", "update", "--init", "--recursive")
    root = str(repo.path / ".git/modules")
    assert repo.ask().submodule_repositories() == {
        "libs/inner": f"{root}/libs/inner",
        "libs/inner/modules/nested/deep": f"{root}/libs/inner/modules/nested/deep",
    }


def test_blobs(repo: Repo) -> None:
    repo.write(".github/workflows/new.yml", "new\n")
    repo.write(".github/workflowsX", "x\n")
    repo.write("grind.toml", "main = 'x'\n")
    repo.write("link").unlink()
    (repo.path / "link").symlink_to("a.txt")
    repository = repo.ask()
    tree = repository.snapshot().tree
    blobs = repository.blobs(tree, [".github/workflows", "grind.toml", "absent", "*"])
    assert [blob.path for blob in blobs] == [
        ".github/workflows/ci.yml",
        ".github/workflows/new.yml",
        "grind.toml",
    ]
    assert repository.read([blob.oid for blob in blobs])[blobs[1].oid] == b"new\n"
    (link,) = repository.blobs(tree, ["link"])
    assert (link.mode, repository.read([link.oid])[link.oid]) == (0o120000, b"a.txt")
    assert repository.read([]) == {}
