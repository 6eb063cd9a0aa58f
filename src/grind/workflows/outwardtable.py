"""Programs that act on the world outside, with their verbs: the table of `outward`.

From the programs' own manuals. A verb in `acts` changes something outside; one in `reads` does not;
`otherwise` decides for the rest. Verbs of several words are written with a `_` in between.
"""

from __future__ import annotations

from typing import NamedTuple


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
        "deploy publish delete rollback pages_deploy pages_publish secret_put kv "
        "d1_migrations_apply versions_upload versions_deploy r2_object_put triggers_deploy",
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
        "issue_delete issue_reopen issue_transfer label_create label_delete label_edit "
        "repo_create repo_delete repo_edit repo_sync repo_fork secret_set secret_delete "
        "variable_set gist_create cache_delete ruleset project_item-add project_item-edit "
        "attestation_sign",
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
