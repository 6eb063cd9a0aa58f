"""Which files are about CI and deployment: a table, the one that docs/stats.md shows."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

Kind = Literal["ci", "deploy"]

# `*` is within a folder, `**/` is any folders or none, a last `**` is everything below.
PATTERNS: dict[Kind, tuple[str, ...]] = {
    "ci": (
        ".github/workflows/*.yml",
        ".github/workflows/*.yaml",
        ".github/actions/**",
        ".ci/**",
        "ci/**",
        ".gitlab-ci.yml",
        ".gitlab/ci/**",
        ".circleci/**",
        ".buildkite/**",
        ".woodpecker/**",
        ".woodpecker.yml",
        ".forgejo/workflows/**",
        ".gitea/workflows/**",
        ".travis.yml",
        ".cirrus.yml",
        ".drone.yml",
        "appveyor.yml",
        "azure-pipelines.yml",
        "bitbucket-pipelines.yml",
        "Jenkinsfile",
        ".pre-commit-config.yaml",
        "grind.toml",
        "Justfile",
        "justfile",
    ),
    "deploy": (
        "flake.nix",
        "flake.lock",
        "default.nix",
        "shell.nix",
        "**/configuration.nix",
        "nix/**",
        "nixos/**",
        "hosts/**",
        "deploy/**",
        "deployment/**",
        "scripts/deploy*",
        "**/Dockerfile",
        "**/Dockerfile.*",
        "**/docker-compose*.yml",
        "**/docker-compose*.yaml",
        "**/compose.yml",
        "**/compose.yaml",
        "k8s/**",
        "kubernetes/**",
        "helm/**",
        "terraform/**",
        "ansible/**",
        "systemd/**",
        "fly.toml",
        "Procfile",
    ),
}


def _expression(patterns: Iterable[str]) -> re.Pattern[bytes]:
    parts = {"**/": "(?:.*/)?", "**": ".+", "*": "[^/]*"}
    joined = "|".join(
        "".join(parts.get(part, re.escape(part)) for part in re.split(r"(\*\*/|\*\*|\*)", pattern))
        for pattern in patterns
    )
    return re.compile(f"(?:{joined})\\Z".encode(), re.DOTALL)


class Kinds(dict[bytes, "Kind | None"]):
    """The kind of each path, found once: a history names the same few files again and again."""

    def __init__(self) -> None:
        super().__init__()
        self._expressions = [(kind, _expression(globs)) for kind, globs in PATTERNS.items()]

    def __missing__(self, path: bytes) -> Kind | None:
        """Match a path that is asked for the first time. A file of CI is one even in `deploy/`."""
        kinds = (kind for kind, expression in self._expressions if expression.match(path))
        found = self[path] = next(kinds, None)
        return found
