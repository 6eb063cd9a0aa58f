"""What Nix and NixOS print."""

from __future__ import annotations

import json

import pytest

from grind.core.activateconfig import attribute_of
from grind.core.nixtext import (
    closure_diff,
    only_version_paths,
    package_of,
    read_dry_activate,
    read_path_info,
)
from grind.core.room import kib_of

A, B = "/nix/store/" + "a" * 32 + "-etc", "/nix/store/" + "b" * 32 + "-etc"


def test_dry_activate_is_read_into_lists() -> None:
    found = read_dry_activate(
        "would stop the following units: a.service, b.service\n"
        "would NOT stop the following changed units: getty@tty1.service\n"
        "would activate the configuration...\n"
        "would restart systemd\n"
        "would reload the following units: dbus.service\n"
        "would restart the following units: nginx.service\n"
        "would start the following units: a.service, c.service\n"
    )
    assert found.stop == ("a.service", "b.service")
    assert found.not_stopped == ("getty@tty1.service",)
    assert found.start == ("a.service", "c.service")
    assert found.restart == ("nginx.service",)
    assert found.reload == ("dbus.service",)
    assert found.other == ("would restart systemd",), "what is not known is shown, not lost"
    assert found.any


def test_what_dry_activate_prints_is_hostile() -> None:
    found = read_dry_activate("\x1b]0;title\x07would stop the following units: a\u202eb.service\n")
    assert found.stop == ("ab.service",)
    assert not read_dry_activate("would activate the configuration...\n").any


@pytest.mark.parametrize(
    "document",
    [
        [{"path": A, "narSize": 5}, {"path": B, "narSize": 7}],
        {A: {"narSize": 5}, B: {"narSize": 7}},
        {"info": {A: {"narSize": 5}, B: {"narSize": 7}}, "version": 2},
    ],
)
def test_path_info_of_all_versions(document: object) -> None:
    assert read_path_info(json.dumps(document).encode()) == {A: 5, B: 7}


@pytest.mark.parametrize(
    "data", [b"[]", b"{}", b"3", b"nonsense", b'{"/nix/store/x": null}', b'[{"size": 1}]']
)
def test_path_info_that_says_nothing_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's own error is one
        read_path_info(data)


def test_closures_compared() -> None:
    diff = closure_diff({A: 5}, {B: 7}, "openssl: 1 → 2\n\x1b[1mx\x1b[0m\n")
    assert (len(diff.added), len(diff.removed), diff.bytes) == (1, 1, 2)
    assert diff.told == ("openssl: 1 → 2", "x")
    assert package_of(A) == "etc"
    assert only_version_paths(diff)


@pytest.mark.parametrize("name", ["openssl-3.0", "etc-hosts", "unit-web.service", "linux-6.1"])
def test_more_than_a_version(name: str) -> None:
    old, new = (f"/nix/store/{letter * 32}-{name}" for letter in "ab")
    assert not only_version_paths(closure_diff({A: 1, old: 1}, {B: 1, new: 1}))
    assert not only_version_paths(closure_diff({A: 1}, {B: 1, new: 1}))


@pytest.mark.parametrize(
    ("flake", "folder", "attribute"),
    [
        (".#web", "", "nixosConfigurations.web.config.system.build.toplevel"),
        (
            "./nix#nixosConfigurations.web",
            "nix",
            "nixosConfigurations.web.config.system.build.toplevel",
        ),
        (".#packages.x86_64-linux.host", "", "packages.x86_64-linux.host"),
        (".#nixosConfigurations.web.config.x", "", "nixosConfigurations.web.config.x"),
    ],
)
def test_attribute_that_is_the_system(flake: str, folder: str, attribute: str) -> None:
    assert attribute_of(flake) == (folder, attribute)


def test_memory() -> None:
    assert [kib_of(text) for text in ("5K", "512M", "8G", "1T")] == [5, 512 << 10, 8 << 20, 1 << 30]
