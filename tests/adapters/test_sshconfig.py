"""Names in the user's ssh configuration."""

from __future__ import annotations

from pathlib import Path

from grind.adapters.sshconfig import aliases


def test_hosts_and_includes_but_no_patterns(tmp_path: Path) -> None:
    folder = tmp_path / ".ssh"
    (folder / "more").mkdir(parents=True)
    (folder / "config").write_text(
        'Include more/*\nHost one "two" !not *.pattern\n  HostName x\nhost=three\nMatch host y\nHost one\n'
    )
    (folder / "more" / "a").write_text("Host inner\nInclude config\n")
    found = aliases({"HOME": str(tmp_path)})
    assert found[0] == ("inner", "~/.ssh/more/a:1")
    assert [name for name, _ in found] == ["inner", "one", "two", "three"]


def test_without_a_configuration_there_are_none(tmp_path: Path) -> None:
    assert aliases({"HOME": str(tmp_path)}) == []
    assert aliases({}) == []
