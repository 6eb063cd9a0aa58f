"""Which commands act on the world outside: deploys, publications, and messages.

The table names programs and their verbs. A verb in `acts` changes something outside; one in
`reads` does not; `otherwise` decides for the rest. A run that only says what it would do
(`--dry-run`) does not act. The rules lean one way on purpose: calling a test step a deploy costs a
line in the plan, running a deploy on somebody's machine is a disaster.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from grind.workflows.commandline import (
    first_verb,
    has,
    is_dry,
    is_information,
    is_local_url,
    positionals,
    row,
    urls,
    value,
)
from grind.workflows.outwardtable import PROGRAMS
from grind.workflows.purpose import is_check_tool
from grind.workflows.tasknames import package_binary, says_message

_BARE_ACTS = frozenset({"deploy", "vercel", "now", "semantic-release", "np", "release-it", "surge"})
"""Programs that act when called without any argument."""

_CHAT = re.compile(
    r"hooks\.slack\.com|slack\.com/api|discord(?:app)?\.com/api|api\.telegram\.org|"
    r"webhook\.office\.com|outlook\.office\.com/webhook|ntfy\.sh|chat\.googleapis\.com|"
    r"slack_?webhook|discord_?webhook|teams_?webhook|webhook.*(?:slack|discord|teams|chat)|"
    r"(?:slack|discord|telegram|mattermost|teams)[a-z_.]*(?:url|hook)|codecov\.io|coveralls\.io",
    re.IGNORECASE,
)
_SPEAKS: dict[str, tuple[str, ...]] = {
    "gh": ("pr comment", "pr review", "issue comment"),
    "glab": ("mr note", "issue note"),
    "codecov": (),
    "codecovcli": (),
    "coveralls": (),
    "mail": (),
    "mailx": (),
    "mutt": (),
    "sendmail": (),
    "msmtp": (),
    "apprise": (),
    "ntfy": (),
    "cml": (),
    "cml-send-comment": (),
    "danger": (),
    "reviewdog": (),
}
"""Programs that only speak, with the verbs that do; no verbs: every call."""

_CURL_WRITES = (
    "-T",
    "--upload-file",
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--json",
    "--data-urlencode",
    "-F",
    "--form",
    "--post-data",
    "--post-file",
    "--body-data",
)


def speaks(argv: Sequence[str]) -> str | None:
    """Say how `argv` sends a message to people, None when it does not."""
    name = argv[0].rpartition("/")[2]
    task = says_message(argv)
    if task is not None:
        return f"`{task}` says by its name that it writes to people"
    if name in _SPEAKS and not is_information(argv):
        verbs = _SPEAKS[name]
        if not verbs:
            return f"`{name}` sends a report or a message"
        verb = first_verb(argv, verbs)
        if verb is not None:
            return f"`{name} {verb}` writes to people"
    if name in ("curl", "wget", "http", "https", "xh") and _CHAT.search(" ".join(argv)):
        return f"`{name}` posts to a chat or a report service"
    return None


def acts_outside(argv: Sequence[str]) -> str | None:
    """Say how `argv` changes the world outside, None when it does not. `argv` is not empty."""
    name = argv[0].rpartition("/")[2]
    if is_information(argv) or (is_dry(argv) and name not in ("aws", "gcloud")):
        return None
    inner = package_binary(argv)
    if inner and inner[0] in PROGRAMS and (reason := acts_outside(inner)) is not None:
        return reason
    special = _SPECIAL.get(name)
    if special is not None:
        return special(argv)
    if len(argv) == 1:
        return f"`{name}` deploys or publishes" if name in _BARE_ACTS else None
    if name == "deploy":
        return "`deploy` activates on a host"
    program = PROGRAMS.get(name.removesuffix(".cmd").removesuffix(".exe"))
    if program is None:
        return _unknown(name, argv)
    verb = first_verb(argv, program.acts, program.reads)
    if verb in program.acts and verb is not None:
        return f"`{name} {verb}` acts outside of this machine"
    if verb is None and program.otherwise and (positionals(argv) or name in _BARE_ACTS):
        return f"`{name}` acts outside of this machine"
    return None


_VERBS = frozenset(
    row("deploy redeploy undeploy publish unpublish release promote rollout rollback")
)
_TAKES_FILES = frozenset(
    row(
        "cd ls cp mv rm mkdir rmdir touch cat tar zip unzip echo printf test [ grep rg find sed "
        "awk chmod chown ln du df wc head tail sort diff cmp stat file tree install pushd popd "
        "gzip dotnet mix swift read export local set unset for which type command jq yq curl wget "
        "awk cut tr tee basename dirname realpath sha256sum md5sum gpg openssl cargo-nextest go "
        "gcc"
    )
)


def _unknown(name: str, argv: Sequence[str]) -> str | None:
    """A program that is not in the table, called with a verb that says it."""
    if name in _TAKES_FILES or is_check_tool(name):
        return None
    verb = next(iter(positionals(argv)), "")
    return f"`{name} {verb}` says that it acts outside" if verb in _VERBS else None


def _git(argv: Sequence[str]) -> str | None:
    verb = first_verb(
        argv, ("push", "send-email", "send-pack", "svn dcommit", "lfs push"), _GIT_READS
    )
    if verb not in ("push", "send-email", "send-pack", "svn dcommit", "lfs push"):
        return None
    if verb == "push" and has(argv, "-n"):
        return None
    return f"`git {verb}` changes a remote"


_GIT_READS = tuple(
    row(
        "add commit checkout config clone fetch pull diff status log tag branch merge rebase "
        "stash submodule remote init rev-parse show ls-files switch restore reset clean describe "
        "apply am worktree notes rm mv grep blame archive bundle ls-remote"
    )
)


def _curl(argv: Sequence[str]) -> str | None:
    method = (value(argv, "-X", "--request", "--method") or "").upper()
    if not method and has(argv, *_CURL_WRITES):
        method = "POST"
    if not method and any(word.startswith(("-d@", "-F@")) for word in argv):
        method = "POST"
    if method in ("", "GET", "HEAD", "OPTIONS") and not has(argv, "-T", "--upload-file"):
        hook = next(
            (w for w in argv[1:] if re.search(r"deploy[-_/]?hooks?|/deploy/", w, re.I)), None
        )
        return f"`{argv[0]}` calls a deploy hook" if hook and not is_local_url(hook) else None
    targets = urls(argv) or tuple(w for w in positionals(argv) if is_local_url(w))
    if targets and all(is_local_url(url) for url in targets):
        return None
    return f"`{argv[0]} {method}` changes something at a URL"


def _rsync(argv: Sequence[str]) -> str | None:
    if has(argv, "-n"):
        return None
    remote = any(
        word.startswith("rsync://") or re.match(r"[^/\s=]+:(?!\\)", word)
        for word in positionals(argv)
    )
    return "`rsync` copies to or from another host" if remote else None


def _aws(argv: Sequence[str]) -> str | None:
    words = positionals(argv)
    endpoint = value(argv, "--endpoint-url")
    if (endpoint and is_local_url(endpoint)) or has(argv, "--no-sign-request"):
        return None
    if words[:1] == ("configure",) or words[:2] == ("s3", "ls"):
        return None
    if len(words) > 3 and words[0] == "s3" and words[1] in ("cp", "sync"):
        return None if not words[3].startswith(("s3:", "$")) else "`aws s3` writes to a bucket"
    reads = ("describe-", "get-", "list-", "head-", "wait", "help")
    if len(words) > 1 and words[1].startswith(reads):
        return None
    return f"`aws {' '.join(words[:2])}` acts outside of this machine" if words else None


def _nix(argv: Sequence[str]) -> str | None:
    words = positionals(argv)
    if words[:1] == ("copy",) and (to := value(argv, "--to")) and not to.startswith("file:"):
        return "`nix copy --to` writes to another store"
    if words[:1] == ("run",) and len(words) > 1:
        if re.search(r"#(?:colmena|nixos-anywhere|nixos-rebuild|deploy-rs)$", words[1]):
            inner = list(argv[argv.index(words[1]) + 1 :])
            if inner[:1] == ["--"]:
                inner = inner[1:]
            return acts_outside([words[1].rpartition("#")[2], *inner])
        if re.search(r"deploy-rs|nixos-anywhere|colmena", words[1]):
            return f"`nix run {words[1]}` activates on a host"
    return None


def _container(argv: Sequence[str]) -> str | None:
    name = argv[0].rpartition("/")[2]
    words = positionals(argv)
    if "build" in words[:3] or "bake" in words[:3]:
        pushes = any(
            word == "--push"
            or word == "--push=true"
            or "type=registry" in word
            or "push=true" in word
            for word in argv
        )
        return f"`{name} build --push` publishes an image" if pushes else None
    if words[:1] in (("run",), ("exec",)):
        return None
    verb = first_verb(argv[: 1 + 4], PROGRAMS[name].acts)
    return f"`{name} {verb}` publishes" if verb else None


def _gh(argv: Sequence[str]) -> str | None:
    words = positionals(argv)
    if words[:1] == ("api",):
        method = (value(argv, "-X", "--method") or "").upper()
        fields = has(argv, "-f", "-F", "--field", "--raw-field", "--input")
        graphql = words[1:2] == ("graphql",) and "mutation" not in " ".join(argv)
        if method in ("POST", "PUT", "PATCH", "DELETE") or (fields and not method and not graphql):
            return "`gh api` changes something on the forge"
        return None
    verb = " ".join(words[:2])
    return f"`gh {verb}` changes something on the forge" if verb in PROGRAMS["gh"].acts else None


def _helm(argv: Sequence[str]) -> str | None:
    verb = first_verb(
        argv,
        PROGRAMS["helm"].acts,
        (
            "template",
            "lint",
            "plugin",
            "repo",
            "dependency",
            "dep",
            "package",
            "show",
            "pull",
            "version",
            "list",
            "status",
        ),
    )
    return f"`helm {verb}` changes a cluster" if verb in PROGRAMS["helm"].acts else None


def _ssh(argv: Sequence[str]) -> str | None:
    words = positionals(argv)
    if has(argv, "-V", "-Q", "-G") or not words:
        return None
    if any(is_local_url(word) for word in words[:2]):
        return None
    return f"`{argv[0].rpartition('/')[2]}` works on another host"


def _goreleaser(argv: Sequence[str]) -> str | None:
    skips = (value(argv, "--skip") or "").split(",")
    if has(argv, "--snapshot", "--skip-publish") or "publish" in skips:
        return None
    verb = first_verb(argv, PROGRAMS["goreleaser"].acts, PROGRAMS["goreleaser"].reads)
    return "`goreleaser release` publishes" if verb in PROGRAMS["goreleaser"].acts else None


def _ansible(argv: Sequence[str]) -> str | None:
    if has(argv, "--check", "-C", "--syntax-check", "--list-hosts", "--list-tasks"):
        return None
    return "`ansible-playbook` changes hosts" if len(argv) > 1 else None


def _skopeo(argv: Sequence[str]) -> str | None:
    words = positionals(argv)
    if words[:1] in (("copy",), ("sync",)) and words[-1].startswith("docker://"):
        return None if is_local_url(words[-1][9:]) else "`skopeo copy` publishes an image"
    return "`skopeo delete` removes an image" if words[:1] == ("delete",) else None


def _pushed(argv: Sequence[str]) -> str | None:
    return f"`{argv[0]} --push` publishes" if has(argv, "--push") else None


def _ko(argv: Sequence[str]) -> str | None:
    if has(argv, "--local", "-L", "--push=false"):
        return None
    verb = first_verb(argv, PROGRAMS["ko"].acts)
    return f"`ko {verb}` publishes images" if verb else None


def _ghp_import(argv: Sequence[str]) -> str | None:
    return "`ghp-import --push` publishes pages" if has(argv, "-p", "--push") else None


def _cargo(argv: Sequence[str]) -> str | None:
    words = [word for word in positionals(argv) if not word.startswith("+")]
    if words[:2] in (["dist", "host"], ["dist", "announce"]):
        return "`cargo dist` publishes"
    verb = first_verb(["cargo", *words[:2]], PROGRAMS["cargo"].acts)
    if verb is None or words[0] != verb.split()[0]:
        return None
    if verb == "release" and not has(argv, "-x", "--execute"):
        return None
    return f"`cargo {verb}` publishes"


def _maven(argv: Sequence[str]) -> str | None:
    words = positionals(argv)
    acts = [word for word in words if word in PROGRAMS["mvn"].acts]
    acts += [word for word in words if re.search(r":deploy$|:release|jib:build|:publish", word)]
    return f"`mvn {acts[0]}` publishes" if acts else None


def _first_only(argv: Sequence[str]) -> str | None:
    """Package tools: the verb is the first word; a script of that name is judged elsewhere."""
    name = argv[0].rpartition("/")[2]
    words = positionals(argv)
    acts = PROGRAMS[name].acts
    for start in range(min(len(words), 3)):
        for verb in acts:
            parts = tuple(verb.split())
            if words[start : start + len(parts)] == parts and "run" not in words[:start]:
                return f"`{name} {verb}` publishes"
    return None


_SPECIAL = {
    "git": _git,
    "curl": _curl,
    "wget": _curl,
    "http": _curl,
    "xh": _curl,
    "rsync": _rsync,
    "aws": _aws,
    "nix": _nix,
    "docker": _container,
    "podman": _container,
    "gh": _gh,
    "helm": _helm,
    "ssh": _ssh,
    "scp": _ssh,
    "sftp": _ssh,
    "mosh": _ssh,
    "goreleaser": _goreleaser,
    "ansible-playbook": _ansible,
    "skopeo": _skopeo,
    "earthly": _pushed,
    "ko": _ko,
    "ghp-import": _ghp_import,
    "cargo": _cargo,
    "mvn": _maven,
    "mvnw": _maven,
    "npm": _first_only,
    "pnpm": _first_only,
    "yarn": _first_only,
    "bun": _first_only,
    "deno": _first_only,
    "uv": _first_only,
    "poetry": _first_only,
    "hatch": _first_only,
    "pdm": _first_only,
}
