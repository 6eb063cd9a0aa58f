"""Which files are about CI and deployment."""

from __future__ import annotations

import pytest

from grind.core.history_paths import PATTERNS, Kinds


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        (".github/workflows/ci.yml", "ci"),
        (".github/workflows/ci.yaml", "ci"),
        (".github/workflows/sub/ci.yml", None),  # GitHub does not read it
        (".github/workflows/README.md", None),
        (".github/workflows/ci.yml/x", None),
        (".github/workflows/ci.yml\n", None),
        ("x/.github/workflows/ci.yml", None),
        (".github/actions/setup/action.yml", "ci"),
        (".github/CODEOWNERS", None),
        (".ci/run", "ci"),
        ("src/ci/run", None),
        ("Justfile", "ci"),
        ("Makefile", None),
        ("flake.nix", "deploy"),
        ("sub/flake.nix", None),
        ("nix/a/b.nix", "deploy"),
        ("nixos", None),
        ("configuration.nix", "deploy"),
        ("hosts/grind/configuration.nix", "deploy"),
        ("xconfiguration.nix", None),
        ("Dockerfile", "deploy"),
        ("a/b/Dockerfile.dev", "deploy"),
        ("a/NotDockerfile", None),
        ("docker-compose.prod.yml", "deploy"),
        ("scripts/deploy-all.sh", "deploy"),
        ("scripts/sub/deploy", None),
        ("deploy/ci/x", "deploy"),
        ("deploy/", None),
        ("k8s/\n/x", "deploy"),
        ("", None),
    ],
)
def test_kinds(path: str, kind: str | None) -> None:
    kinds = Kinds()
    assert kinds[path.encode()] == kind
    assert kinds[path.encode()] == kind  # the one that was kept


def test_bytes_that_are_no_text_match_too() -> None:
    assert Kinds()[b"nix/\xff\xfe"] == "deploy"


@pytest.mark.parametrize("kind", PATTERNS)
def test_each_pattern_finds_something_of_its_kind(kind: str) -> None:
    for pattern in PATTERNS[kind]:  # type: ignore[index]
        path = pattern.replace("**/", "a/").replace("**", "b").replace("*", "c")
        assert Kinds()[path.encode()] == kind
