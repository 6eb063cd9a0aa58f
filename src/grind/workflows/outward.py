"""Which commands act on the world outside: deploys, publications, and messages.

The table names programs and their verbs. A verb in `acts` changes something outside; one in
`reads` does not; `otherwise` decides for the rest. A run that only says what it would do
(`--dry-run`) does not act. The rules lean one way on purpose: calling a test step a deploy costs a
line in the plan, running a deploy on somebody's machine is a disaster.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

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
from grind.workflows.purpose import is_check_tool
from grind.workflows.tasknames import package_binary, says_message


class Program(NamedTuple):
    """How a program acts outside; verbs of several words are written with a space."""

    acts: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    otherwise: bool = False


def _p(acts: str, reads: str = "", *, otherwise: bool = False) -> Program:
    def split(text: str) -> tuple[str, ...]:
        return tuple(verb.replace("_", " ") for verb in text.split())

    return Program(split(acts), split(reads), otherwise)


_KUBECTL = _p(
    "apply create delete replace patch rollout_restart rollout_undo rollout_pause rollout_resume "
    "set scale autoscale annotate label edit run expose drain cordon uncordon taint exec cp "
    "attach debug evict",
    "get describe logs version config explain diff wait top api-resources cluster-info auth "
    "kustomize rollout_status port-forward completion",
)
_TERRAFORM = _p(
    "apply destroy import taint untaint state_rm state_mv state_push run-all_apply refresh "
    "force-unlock workspace_delete workspace_new",
)
_CONTAINER = _p(
    "push image_push manifest_push compose_push buildx_imagetools_create stack_deploy "
    "stack_rm service_update service_create plugin_push trust_sign",
)
_CLOUD_READS = (
    "describe get list ls help version configure config info show search completion "
    "print-access-token print-identity-token components"
)

PROGRAMS: dict[str, Program] = {
    # hosts
    "nixos-rebuild": _p(
        "switch boot test", "build dry-build dry-activate build-vm list-generations"
    ),
    "nixos-rebuild-ng": _p("switch boot test", "build dry-build dry-activate"),
    "darwin-rebuild": _p("switch activate", "build check"),
    "home-manager": _p("switch", "build generations"),
    "switch-to-configuration": _p("switch boot test", "dry-activate check"),
    "deploy-rs": _p("", otherwise=True),
    "colmena": _p("apply apply-local upload-keys exec", "build eval repl"),
    "nixops": _p("deploy destroy delete reboot ssh", "info list check", otherwise=True),
    "morph": _p("deploy push upload-secrets exec", "build eval"),
    "nixos-anywhere": _p("", otherwise=True),
    "bento": _p("deploy"),
    "ansible": _p("", otherwise=True),
    "pyinfra": _p("", otherwise=True),
    "kamal": _p("", "version config details audit docs", otherwise=True),
    "cap": _p("", otherwise=True),
    "dokku": _p("", otherwise=True),
    # clusters and infrastructure
    "kubectl": _KUBECTL,
    "oc": _KUBECTL._replace(acts=(*_KUBECTL.acts, "new-app", "start-build", "process")),
    "helm": _p("install upgrade uninstall rollback push delete test cm-push", "template lint show"),
    "helmfile": _p("apply sync destroy delete charts", "lint template diff build list deps"),
    "terraform": _TERRAFORM,
    "tofu": _TERRAFORM,
    "terragrunt": _TERRAFORM,
    "pulumi": _p("up update destroy refresh import cancel stack_rm config_set", "preview"),
    "cdk": _p("deploy destroy bootstrap import", "synth diff ls list doctor"),
    "cdktf": _p("deploy destroy", "synth diff"),
    "sam": _p("deploy delete publish sync", "build validate local"),
    "serverless": _p("deploy remove rollback", "package print"),
    "sls": _p("deploy remove rollback", "package print"),
    "argocd": _p("app_sync app_create app_set app_delete app_rollback", "app_get app_list"),
    "flux": _p("bootstrap reconcile create delete suspend resume install", "check get"),
    "skaffold": _p("run deploy apply delete dev", "build render diagnose test"),
    "werf": _p("converge dismiss bundle_publish bundle_apply", "build render"),
    "nomad": _p("job_run run job_stop stop deployment_promote", "job_plan validate"),
    "vault": _p("write delete kv_put kv_delete secrets_enable", "read kv_get status"),
    "consul": _p("kv_put kv_delete"),
    # clouds
    "aws": _p("", _CLOUD_READS, otherwise=True),
    "gcloud": _p("", _CLOUD_READS + " auth", otherwise=True),
    "gsutil": _p("", "ls cat stat version du", otherwise=True),
    "az": _p("", _CLOUD_READS + " login account", otherwise=True),
    "azcopy": _p("copy sync remove make"),
    "doctl": _p("", _CLOUD_READS + " auth", otherwise=True),
    "ibmcloud": _p("", _CLOUD_READS, otherwise=True),
    "heroku": _p("", "logs apps config whoami", otherwise=True),
    "flyctl": _p("", "version status logs auth", otherwise=True),
    "fly": _p("", "version status logs auth", otherwise=True),
    "railway": _p("up deploy redeploy run down", "status logs"),
    "render": _p("deploys_create"),
    "vercel": _p("", "build dev inspect logs whoami pull env_pull env_ls", otherwise=True),
    "now": _p("", otherwise=True),
    "netlify": _p("deploy", "build status dev"),
    "netlify-cli": _p("deploy", "build status dev"),
    "wrangler": _p(
        "deploy publish delete rollback pages_deploy pages_publish secret_put kv d1_migrations_apply "
        "versions_upload versions_deploy r2_object_put triggers_deploy",
        "dev types whoami d1_migrations_list check",
    ),
    "firebase": _p("deploy hosting:channel:deploy appdistribution:distribute", "emulators:exec"),
    "eb": _p("deploy create terminate"),
    "cf": _p("push delete"),
    "copilot": _p("deploy svc_deploy env_deploy"),
    "surge": _p("", otherwise=True),
    "s3cmd": _p("put sync del rm mb cp"),
    "mc": _p("cp mirror rm mb"),
    "rclone": _p("copy sync move copyto purge delete", "ls lsf lsd version config"),
    # packages
    "npm": _p("publish unpublish deprecate dist-tag_add access owner_add"),
    "pnpm": _p("publish"),
    "yarn": _p("publish npm_publish npm_tag_add"),
    "bun": _p("publish"),
    "lerna": _p("publish"),
    "changeset": _p("publish"),
    "changesets": _p("publish"),
    "nx": _p("release"),
    "semantic-release": _p("", "version", otherwise=True),
    "multi-semantic-release": _p("", otherwise=True),
    "release-it": _p("", otherwise=True),
    "release-please": _p("", otherwise=True),
    "np": _p("", otherwise=True),
    "auto": _p("shipit release"),
    "vsce": _p("publish unpublish"),
    "ovsx": _p("publish"),
    "jsr": _p("publish"),
    "deno": _p("publish deploy"),
    "deployctl": _p("deploy"),
    "cargo": _p("publish yank owner release smart-release workspaces_publish ws_publish"),
    "cargo-release": _p("", otherwise=True),
    "dist": _p("host announce"),
    "cargo-dist": _p("host announce"),
    "pkg-pr-new": _p("publish"),
    "release-plz": _p("release release-pr", "update"),
    "twine": _p("upload register", "check"),
    "flit": _p("publish"),
    "poetry": _p("publish"),
    "uv": _p("publish"),
    "hatch": _p("publish"),
    "pdm": _p("publish"),
    "rye": _p("publish"),
    "maturin": _p("publish upload"),
    "anaconda": _p("upload"),
    "gem": _p("push yank owner"),
    "rake": _p("release release:rubygem_push"),
    "mvn": _p("deploy release:perform release:prepare deploy:deploy-file nexus-staging:release"),
    "mvnw": _p("deploy release:perform release:prepare"),
    "dotnet": _p("nuget_push nuget_delete"),
    "nuget": _p("push delete"),
    "mix": _p("hex.publish"),
    "dart": _p("pub_publish"),
    "flutter": _p("pub_publish"),
    "stack": _p("upload"),
    "cabal": _p("upload"),
    "pod": _p("trunk_push repo_push"),
    "conan": _p("upload"),
    "luarocks": _p("upload"),
    "opam": _p("publish"),
    "goreleaser": _p("release publish announce continue", "check build healthcheck"),
    "jf": _p("rt_upload rt_u rt_docker-push rt_bp"),
    "jfrog": _p("rt_upload rt_u rt_docker-push rt_bp"),
    "fastlane": _p("deliver supply pilot upload_to_testflight upload_to_app_store match"),
    "snapcraft": _p("upload release push"),
    "charmcraft": _p("upload release"),
    "semantic_release": _p("publish version", "changelog"),
    # images and artefacts
    "docker": _CONTAINER,
    "podman": _CONTAINER,
    "buildah": _p("push manifest_push"),
    "docker-compose": _p("push"),
    "oras": _p("push copy attach"),
    "crane": _p("push copy append tag mutate delete"),
    "regctl": _p("image_copy tag_delete"),
    "cosign": _p("sign attest attach copy", "verify sign-blob verify-blob verify-attestation"),
    "ko": _p("apply publish create resolve build"),
    "cachix": _p("push watch-exec watch-store deploy pin", "use authtoken generate-keypair"),
    "attic": _p("push watch-store", "use login"),
    "nix-copy-closure": _p("", otherwise=True),
    "earthly": _p(""),
    "sentry-cli": _p("", "info --version", otherwise=True),
    # pages
    "gh-pages": _p("", otherwise=True),
    "ng": _p("deploy"),
    "mkdocs": _p("gh-deploy"),
    "mike": _p("deploy delete alias set-default"),
    "ghp-import": _p("", otherwise=True),
    "hugo": _p("deploy"),
    "docusaurus": _p("deploy"),
    # the forge
    "git": _p(""),
    "gh": _p(
        "release_create release_upload release_edit release_delete release_delete-asset "
        "workflow_run workflow_enable workflow_disable run_rerun run_cancel run_delete pr_create "
        "pr_merge pr_close pr_edit pr_ready pr_reopen issue_create issue_close issue_edit "
        "issue_delete issue_reopen issue_transfer label_create label_delete label_edit repo_create "
        "repo_delete repo_edit repo_sync repo_fork secret_set secret_delete variable_set gist_create "
        "cache_delete ruleset project_item-add project_item-edit attestation_sign",
    ),
    "glab": _p("release_create release_upload mr_create mr_merge ci_run", "ci_status mr_view"),
    # elsewhere
    "ssh": _p("", otherwise=True),
    "mosh": _p("", otherwise=True),
    "sshpass": _p("", otherwise=True),
    "scp": _p("", otherwise=True),
    "sftp": _p("", otherwise=True),
    "lftp": _p("", otherwise=True),
    "ncftpput": _p("", otherwise=True),
    "ftp": _p("", otherwise=True),
}

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
        "cd ls cp mv rm mkdir rmdir touch cat tar zip unzip echo printf test [ grep rg find sed awk "
        "chmod chown ln du df wc head tail sort diff cmp stat file tree install pushd popd gzip "
        "dotnet mix swift read export local set unset for which type command jq yq curl wget awk "
        "cut tr tee basename dirname realpath sha256sum md5sum gpg openssl cargo-nextest go gcc"
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
        "add commit checkout config clone fetch pull diff status log tag branch merge rebase stash "
        "submodule remote init rev-parse show ls-files switch restore reset clean describe apply am "
        "worktree notes rm mv grep blame archive bundle ls-remote"
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
