"""What is seen in the text of Nix files."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grind.core import nixread

FLAKE = """\
{
  outputs = { self, nixpkgs }: {
    # nixosConfigurations.old = 1;
    nixosConfigurations = {
      web = lib.nixosSystem { modules = [ { a = { inner = 1; }; } ]; };
      /* gone = 2; */
      "db.example" = f { x = "} ; no = 3;"; };
    };
    nixosConfigurations.edge = nixosSystem { };
    devShells.x86_64-linux.default = mkShell { };
  };
}
"""
MODULE = """\
{ config, ... }: {
  systemd.services.api = { enable = true; };
  systemd.services."web@1".serviceConfig.Restart = "always";
  containers.sandbox-live = { };
  networking.firewall.allowedTCPPorts = [ 22 8443 ];
  services.x.port = 9090;
  url = "http://x/#fragment";
}
"""


def test_systems_by_name_and_line() -> None:
    assert nixread.systems(FLAKE) == [("edge", 9), ("web", 5), ("db.example", 7)]
    assert nixread.has_shell(FLAKE)
    assert not nixread.has_shell("# devShells = 1;")


def test_units_and_containers() -> None:
    assert nixread.units(MODULE) == [
        ("api.service", 2),
        ("web@1.service", 3),
        ("container@sandbox-live.service", 4),
    ]


def test_ports() -> None:
    assert nixread.ports(MODULE) == [("22", 5), ("8443", 5), ("9090", 6)]
    assert nixread.ports("port = 99999;") == []


@given(st.text(alphabet='{}[]()="\\#*/ \nnixosConfigurations.a;', max_size=200))
def test_whatever_the_text_there_is_an_answer(text: str) -> None:
    for found in (nixread.systems(text), nixread.units(text), nixread.ports(text)):
        assert all(1 <= line <= text.count("\n") + 1 for _, line in found)
