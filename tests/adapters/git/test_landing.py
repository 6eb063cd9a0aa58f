"""Landing: one commit of the proven tree, one push, and the local branch follows."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from grind.core.errors import GrindError, RefusedError, UnreachableError
from grind.core.repository import (
    Conflicts,
    Followed,
    HookDeclined,
    LeftAlone,
    Merged,
    Pushed,
    PushRefused,
    PushUnreachable,
    Stale,
    UpToDate,
)

from .conftest import Repo, frozen


@pytest.fixture
def remote(repo: Repo, tmp_path: Path) -> Repo:
    """A bare remote that has what the repository has."""
    bare = tmp_path / "remote.git"
    repo.git("init", "-q", "--bare", str(bare))
    repo.git("remote", "add", "origin", str(bare))
    repo.git("push", "-q", "-u", "origin", "main")
    return Repo(bare, repo.env)


def hook(repo: Repo, name: str, text: str) -> None:
    repo.write(f".git/hooks/{name}", f"#!/bin/sh\n{text}\n").chmod(0o755)


def refs(repo: Repo) -> str:
    return repo.git("for-each-ref") + repo.git("rev-parse", "HEAD") + repo.git("status", "-s")


# --- commit --------------------------------------------------------------------------------------


def test_commit_is_an_object_and_moves_nothing(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    repo.write("staged", "s\n")
    repo.git("add", "staged")
    repository = repo.ask()
    snapshot = repository.snapshot()
    before = refs(repo), (repo.path / ".git/index").read_bytes()
    oid = repository.commit(snapshot, "Say more\n\nbecause")
    assert (refs(repo), (repo.path / ".git/index").read_bytes()) == before
    shown = repo.git("show", "-s", "--format=%T %P %an <%ae> %B", oid)
    assert shown.rstrip("\n") == (
        f"{snapshot.tree} {snapshot.head} Ada <ada@example.org> Say more\n\nbecause"
    )
    assert repo.git("fsck", "--connectivity-only", "--no-dangling") == ""
    assert repo.git("show", f"{oid}:a.txt") == "edited"


def test_nothing_to_commit_is_head(repo: Repo) -> None:
    repository = repo.ask()
    assert repository.commit(repository.snapshot(), "") == repo.git("rev-parse", "HEAD")


def test_the_first_commit(make) -> None:  # type: ignore[no-untyped-def]
    repo = make()
    repo.write("a", "a\n")
    repository = repo.ask()
    snapshot = repository.snapshot()
    oid = repository.commit(snapshot, "First")
    assert repo.git("show", "-s", "--format=%T %P", oid).strip() == snapshot.tree
    assert repository.follow(snapshot, oid) == Followed("refs/heads/main")
    assert repo.git("status", "--porcelain") == ""


def test_message_hooks_are_honoured_and_know_the_branch(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "T-42")
    hook(repo, "prepare-commit-msg", 'echo "$2 $(git symbolic-ref --short HEAD)" >> "$1"')
    hook(repo, "commit-msg", 'grep -q "^Say" "$1" || exit 3; echo "# kept" >> "$1"')
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    oid = repository.commit(repository.snapshot(), "Say more\n\n\n\n")
    assert repo.git("show", "-s", "--format=%B", oid).strip() == "Say more\n\nmessage T-42\n# kept"
    repo.git("config", "commit.cleanup", "strip")
    repo.git("config", "core.commentChar", ";")
    oid = repository.commit(repository.snapshot(), "Say more\n; no\n# yes")
    assert "; no" not in repo.git("show", "-s", "--format=%B", oid)
    with pytest.raises(RefusedError, match=r"commit-msg hook declined \(exit code 3"):
        repository.commit(repository.snapshot(), "Tell more")
    assert repository.commit(repository.snapshot(), "Tell more", hooks=False)


def test_hooks_path_and_hostile_words(repo: Repo, tmp_path: Path) -> None:
    script = tmp_path / "hooks" / "pre-commit"
    script.parent.mkdir()
    script.write_text("#!/bin/sh\nprintf '\\033[31mno\\007 https://u:secret@h/\\n'; exit 1\n")
    script.chmod(0o755)
    repo.git("config", "core.hooksPath", str(script.parent))
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    with pytest.raises(RefusedError) as caught:
        repository.commit(repository.snapshot(), "Say more")
    assert "\x1b" not in caught.value.message
    assert "\\x1b[31mno\\x07 https://***@h/" in caught.value.message


def test_a_hook_that_changes_the_tree_is_refused(repo: Repo) -> None:
    hook(repo, "pre-commit", "echo formatted > a.txt; git add a.txt")
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    index = (repo.path / ".git/index").read_bytes()
    with pytest.raises(RefusedError, match=r"not what was proven: a\.txt"):
        repository.commit(repository.snapshot(), "Say more")
    assert (repo.path / ".git/index").read_bytes() == index


def test_hooks_see_the_change_as_staged(repo: Repo) -> None:
    hook(repo, "pre-commit", "git diff --cached --name-only > .git/staged; git diff --quiet")
    repo.write("a.txt", "edited\n")
    repo.write("new", "n\n")
    repository = repo.ask()
    repository.commit(repository.snapshot(), "Say more")
    assert (repo.path / ".git/staged").read_text() == "a.txt\nnew\n"


def test_signed_with_ssh(repo: Repo, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"ada@example.org {(tmp_path / 'key.pub').read_text()}")
    for name, value in {
        "gpg.format": "ssh",
        "user.signingKey": str(key),
        "commit.gpgSign": "true",
        "gpg.ssh.allowedSignersFile": str(allowed),
    }.items():
        repo.git("config", name, value)
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    oid = repository.commit(repository.snapshot(), "Say more")
    repo.git("verify-commit", oid)
    repo.git("config", "user.signingKey", str(tmp_path / "absent"))
    with pytest.raises(GrindError, match="committing failed"):
        repository.commit(repository.snapshot(), "Say more")


def test_no_identity_and_no_message(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    with pytest.raises(RefusedError, match="message is empty"):
        repository.commit(repository.snapshot(), " \n\t")
    repo.git("config", "user.useConfigOnly", "true")
    repo.git("config", "--global", "--remove-section", "user")
    with pytest.raises(GrindError, match="committing failed"):
        repository.commit(repository.snapshot(), "Say more")


def test_hostile_message(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    message = "-m $(touch x) `id` \"'\n\n--author=evil\nü…"
    oid = repository.commit(repository.snapshot(), message)
    assert repo.git("show", "-s", "--format=%B", oid).strip() == message
    assert not (repo.path / "x").exists()


def test_a_merge_in_progress_is_refused(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.write("other", "o\n")
    repo.commit()
    repo.git("checkout", "-q", "main")
    repo.git("merge", "-q", "--no-ff", "--no-commit", "other")
    repository = repo.ask()
    with pytest.raises(RefusedError, match="a merge is in progress"):
        repository.commit(repository.snapshot(), "Merge")


# --- push ----------------------------------------------------------------------------------------


def change(repo: Repo, text: str = "edited\n") -> tuple[str, str]:
    """Edit, snapshot, commit; return HEAD and the new commit."""
    repo.write("a.txt", text)
    repository = repo.ask()
    snapshot = repository.snapshot()
    assert snapshot.head
    return snapshot.head, repository.commit(snapshot, "Say more")


def test_push_follow_and_push_again(repo: Repo, remote: Repo) -> None:
    repo.write("staged", "partly\n")
    repo.git("add", "staged")
    repo.write("staged", "wholly\n")
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    snapshot = repository.snapshot()
    oid = repository.commit(snapshot, "Say more")
    assert repository.push(oid, "origin", "main", snapshot.head) == Pushed(oid)
    assert remote.git("rev-parse", "main") == oid
    assert repository.push(oid, "origin", "main", snapshot.head) == UpToDate(oid)
    assert repository.push(oid, "origin", "main", oid) == UpToDate(oid)
    for _ in range(2):
        assert repository.follow(snapshot, oid) == Followed("refs/heads/main")
        assert repo.git("rev-parse", "HEAD", "origin/main").split() == [oid, oid]
        assert repo.git("status", "--porcelain", "--branch") == "## main...origin/main"
    assert not (repo.path / ".git/ORIG_HEAD").exists()


def test_a_new_branch(repo: Repo, remote: Repo) -> None:
    _, oid = change(repo)
    repository = repo.ask()
    assert repository.push(oid, "origin", "topic/x", None) == Pushed(oid)
    assert remote.git("rev-parse", "topic/x") == oid
    repo.write("b", "b\n")
    snapshot = repository.snapshot()
    other = repository.commit(snapshot, "More")
    result = repository.push(other, "origin", "topic/x", None)
    assert isinstance(result, Stale)
    assert result.tip == oid


def test_no_tags_go_along(repo: Repo, remote: Repo) -> None:
    repo.git("config", "push.followTags", "true")
    head, oid = change(repo)
    repo.git("tag", "-a", "-m", "v", "v1", oid)
    assert repo.ask().push(oid, "origin", "main", head) == Pushed(oid)
    assert remote.git("tag") == ""


def test_upstream_moved(repo: Repo, remote: Repo, tmp_path: Path) -> None:
    head, oid = change(repo)
    repo.git("clone", "-q", str(remote.path), str(tmp_path / "other"))
    other = Repo(tmp_path / "other", repo.env)
    other.write("theirs", "t\n")
    theirs = other.commit("Theirs")
    other.git("push", "-q")
    repository = repo.ask()
    result = repository.push(oid, "origin", "main", head)
    assert isinstance(result, Stale)
    assert result.tip == theirs
    assert remote.git("rev-parse", "main") == theirs
    assert repository.fetch_upstream("origin", "main") == theirs == repository.tip("origin", "main")
    refused = repository.push(oid, "origin", "main", theirs)
    assert isinstance(refused, PushRefused)
    assert "does not come after" in refused.text

    merged = repository.merge_tree(oid, theirs)
    assert isinstance(merged, Merged)
    proposal = repository.proposal(merged.tree, theirs)
    assert (proposal.head, proposal.parent, proposal.tree) == (theirs, theirs, merged.tree)
    assert set(repo.files(proposal.tree)) >= {"theirs", "a.txt"}
    assert repository.changed_paths(proposal, theirs) == ("a.txt",)
    landed = repository.commit(proposal, "Say more")
    assert repository.push(landed, "origin", "main", theirs) == Pushed(landed)


def test_conflicts_are_listed(repo: Repo) -> None:
    repo.git("checkout", "-q", "-b", "other")
    repo.write("a.txt", "theirs\n")
    theirs = repo.commit()
    repo.git("checkout", "-q", "main")
    repo.write("a.txt", "ours\n")
    ours = repo.commit()
    before = frozen(repo)
    assert repo.ask().merge_tree(ours, theirs) == Conflicts(("a.txt",))
    assert frozen(repo) == before


def test_hooks_of_the_server_and_of_the_user(repo: Repo, remote: Repo) -> None:
    head, oid = change(repo)
    repository = repo.ask()
    for name in ("pre-receive", "update"):
        script = remote.path / "hooks" / name
        script.write_text("#!/bin/sh\nprintf 'policy \\033[2Jsays no\\n' >&2\nexit 1\n")
        script.chmod(0o755)
        result = repository.push(oid, "origin", "main", head)
        assert isinstance(result, HookDeclined)
        assert not result.local
        assert "policy \\x1b[2Jsays no" in result.text
        script.unlink()
    hook(repo, "pre-push", 'cat > .git/asked; echo "$GRIND_PUSH" >> .git/asked; echo no; exit 1')
    result = repository.push(oid, "origin", "main", head)
    assert isinstance(result, HookDeclined)
    assert result.local
    asked = (repo.path / ".git/asked").read_text()
    assert asked == f"{oid} {oid} refs/heads/main {head}\n{oid}\n"
    assert remote.git("rev-parse", "main") == head


def test_a_hook_cannot_forge_the_result(repo: Repo, remote: Repo) -> None:
    head, oid = change(repo)
    hook(repo, "pre-push", f"printf '*\\t{oid}:refs/heads/main\\t[new branch]\\n'; exit 1")
    assert isinstance(repo.ask().push(oid, "origin", "main", head), HookDeclined)


def test_a_remote_that_refuses_or_is_gone(repo: Repo, remote: Repo) -> None:
    head, oid = change(repo)
    remote.git("config", "receive.maxInputSize", "1")
    result = repo.ask().push(oid, "origin", "main", head)
    assert isinstance(result, PushRefused), result
    repo.git("config", "remote.origin.url", "https://user:secret@127.0.0.1:9/x.git")
    result = repo.ask().push(oid, "origin", "main", head)
    assert isinstance(result, PushUnreachable)
    assert "secret" not in result.text
    with pytest.raises(UnreachableError) as caught:
        repo.ask().fetch_upstream("origin", "main")
    assert "secret" not in caught.value.message
    missing = repo.ask().push("0" * 39 + "1", "origin", "main", head)
    assert isinstance(missing, PushRefused)


def test_arrived_although_the_answer_did_not(repo: Repo, remote: Repo) -> None:
    head, oid = change(repo)
    script = remote.path / "hooks" / "post-update"
    script.write_text("#!/bin/sh\nkill -9 $PPID\n")
    script.chmod(0o755)
    assert repo.ask().push(oid, "origin", "main", head) == Pushed(oid)
    assert remote.git("rev-parse", "main") == oid


def test_two_pushes_race_and_one_wins(repo: Repo, remote: Repo, tmp_path: Path) -> None:
    slow = remote.path / "hooks" / "pre-receive"
    slow.write_text("#!/bin/sh\nsleep 0.3\n")
    slow.chmod(0o755)
    head = repo.git("rev-parse", "HEAD")
    contenders = []
    for number in range(2):
        path = tmp_path / f"clone{number}"
        repo.git("clone", "-q", str(remote.path), str(path))
        clone = Repo(path, repo.env)
        contenders.append((clone, change(clone, f"{number}\n")[1]))
    with ThreadPoolExecutor(2) as pool:
        results = list(
            pool.map(lambda pair: pair[0].ask().push(pair[1], "origin", "main", head), contenders)
        )
    winner = remote.git("rev-parse", "main")
    assert [type(result) for result in results].count(Pushed) == 1
    (loser,) = [result for result in results if isinstance(result, Stale)]
    assert loser.tip == winner
    assert Pushed(winner) in results


# --- follow --------------------------------------------------------------------------------------


def test_edited_meanwhile_is_left_alone(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    snapshot = repository.snapshot()
    oid = repository.commit(snapshot, "Say more")
    repo.write("later", "l\n")
    before = refs(repo)
    result = repository.follow(snapshot, oid)
    assert isinstance(result, LeftAlone)
    assert "edited" in result.reason
    assert refs(repo) == before
    command = result.remedy.split(" (")[0].split()
    repo.git(*command[1:], "-q")
    assert repo.git("status", "--porcelain") == "?? later"


def test_moved_meanwhile_is_left_alone(repo: Repo) -> None:
    repo.write("a.txt", "edited\n")
    repository = repo.ask()
    snapshot = repository.snapshot()
    oid = repository.commit(snapshot, "Say more")
    repo.commit("somebody else's commit of the same files")
    before = refs(repo)
    result = repository.follow(snapshot, oid)
    assert isinstance(result, LeftAlone)
    assert "moved" in result.reason
    assert refs(repo) == before


def test_a_detached_head_and_a_linked_worktree_follow(repo: Repo, tmp_path: Path) -> None:
    main = repo.git("rev-parse", "main")
    repo.git("worktree", "add", "-q", "--detach", str(tmp_path / "linked"))
    linked = Repo(tmp_path / "linked", repo.env)
    linked.write("a.txt", "edited\n")
    repository = linked.ask()
    snapshot = repository.snapshot()
    oid = repository.commit(snapshot, "Say more")
    assert repository.follow(snapshot, oid) == Followed(None)
    assert linked.git("rev-parse", "HEAD") == oid
    assert linked.git("status", "--porcelain") == ""
    assert repo.git("rev-parse", "main") == main


def test_hidden_edits_land_and_stay_hidden_elsewhere(repo: Repo) -> None:
    repo.git("update-index", "--assume-unchanged", "a.txt", "dir/b.txt")
    repo.write("a.txt", "hidden edit\n")
    repository = repo.ask()
    snapshot = repository.snapshot()
    oid = repository.commit(snapshot, "Say more")
    assert repository.follow(snapshot, oid) == Followed("refs/heads/main")
    assert repo.git("show", "HEAD:a.txt") == "hidden edit"
    assert repo.git("ls-files", "-v", "dir/b.txt").startswith("h")
    assert repo.git("diff", "--cached", "--name-only") == ""


def test_a_killed_landing_is_finished_later(repo: Repo, remote: Repo) -> None:
    """Killed after the commit was made: another process pushes the journalled id."""
    repo.write("a.txt", "edited\n")
    snapshot = repo.ask().snapshot()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, repo.ask().commit(snapshot, "Say more").encode())
        os.kill(os.getpid(), 9)
    os.close(write)
    with open(read) as journal:
        oid = journal.read()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -9
    repository = repo.ask()
    assert repository.push(oid, "origin", "main", snapshot.head) == Pushed(oid)
    assert repository.follow(snapshot, oid) == Followed("refs/heads/main")
    assert repo.git("status", "--porcelain", "--branch") == "## main...origin/main"
