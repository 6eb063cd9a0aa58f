"""Which deployment answers: the two flat fields of the seed design, and what grew around them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind_health import OPENTELEMETRY_NAMES, DeploymentContext, Health, System, facts
from grind_health.context import timestamp

NO_SYSTEM = System()


def context(prefix: str = "CHOIROS", **variables: str) -> DeploymentContext:
    return DeploymentContext.from_environment(prefix, environ=variables, system=NO_SYSTEM)


@pytest.mark.parametrize("prefix", ["CHOIROS", "GRIND", "MY_APP2"])
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("sandbox-live", "sandbox-live"),
        ("  sandbox-dev\n", "sandbox-dev"),
        ("", "unknown"),
        (" \t\n", "unknown"),
        (None, "unknown"),
        ("unknown", "unknown"),
        ("rôle", "rôle"),
    ],
)
def test_flat_fields(prefix: str, value: str | None, expected: str) -> None:
    variables = {} if value is None else {f"{prefix}_INSTANCE_ROLE": value, "HOSTNAME": value}
    found = context(prefix, **variables)
    assert (found.instance_role, found.hostname) == (expected, expected)
    document = json.loads(Health(found).live().body)
    assert (document["instance_role"], document["hostname"]) == (expected, expected)


def test_another_prefix_is_not_read() -> None:
    assert context("CHOIROS", OTHER_INSTANCE_ROLE="prod").instance_role == "unknown"


def test_the_kernels_name_is_apart_from_the_variable() -> None:
    found = context()
    assert found.hostname == "unknown"
    assert found.host_name == os.uname().nodename
    assert found.attributes()["host.name"] == os.uname().nodename


@pytest.mark.parametrize("prefix", ["", "choiros", "A-B", "A_", "_A", "1A", "A__B", "A B", "A\n"])
def test_a_prefix_that_is_no_variable_is_refused(prefix: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        context(prefix)


def test_arguments_go_before_variables() -> None:
    found = DeploymentContext.from_environment(
        "APP",
        environ={"APP_VERSION": "1", "APP_REVISION": "abc", "APP_ENVIRONMENT": "prod"},
        system=NO_SYSTEM,
        version="2",
        revision=" ",
    )
    assert (found.version, found.revision, found.environment) == ("2", "abc", "prod")


def test_instances_without_an_id_get_different_ones() -> None:
    first, second = context(), context()
    assert first.instance_id
    assert first.instance_id != second.instance_id
    assert context("APP", APP_INSTANCE_ID="blue-1").instance_id == "blue-1"


def test_every_opentelemetry_name_is_given_when_all_is_known() -> None:
    full = DeploymentContext(
        instance_role="prod",
        hostname="alias",
        service="api",
        version="1.2",
        revision="f" * 40,
        environment="production",
        instance_id="i-1",
        started_at=1_700_000_000.25,
        host_name="kernel",
        system_path="/nix/store/x-nixos-system-h",
        system_generation=42,
    )
    assert full.attributes() == {
        "service.name": "api",
        "service.version": "1.2",
        "service.instance.id": "i-1",
        "deployment.environment.name": "production",
        "host.name": "kernel",
        "vcs.ref.head.revision": "f" * 40,
        "process.creation.time": "2023-11-14T22:13:20.250Z",
        "grind.instance.role": "prod",
        "nixos.system.path": "/nix/store/x-nixos-system-h",
        "nixos.system.generation": 42,
    }
    assert set(OPENTELEMETRY_NAMES) <= set(DeploymentContext._fields)
    document = full.document()
    assert document["releaseId"] == document["revision"] == "f" * 40
    assert (document["serviceId"], document["system_generation"]) == ("api", 42)


def test_what_is_not_known_is_left_out() -> None:
    assert set(DeploymentContext().document()) == {"instance_role", "hostname", "attributes"}
    assert DeploymentContext().attributes() == {}


def test_nothing_of_the_environment_leaks() -> None:
    secret = "s3cr3t-value"
    found = context("APP", DATABASE_URL=secret, APP_PASSWORD=secret, APP_INSTANCE_ROLE="prod")
    assert secret.encode() not in Health(found).live().body


@given(st.text() | st.binary().map(lambda raw: raw.decode("utf-8", "surrogateescape")))
def test_any_value_gives_json_in_ascii(value: str) -> None:
    found = context("APP", APP_INSTANCE_ROLE=value, HOSTNAME=value)
    body = Health(found).live().body
    assert body.isascii()
    assert not any(byte < 32 for byte in body[:-1])
    role = json.loads(body)["instance_role"]
    role.encode()  # no lone surrogates
    assert role == role.strip() or "\ufffd" in role
    assert role != ""


@given(st.floats(min_value=0, max_value=4e9))
def test_timestamps_read_back_to_the_millisecond(seconds: float) -> None:
    from datetime import datetime

    back = datetime.fromisoformat(timestamp(seconds)).timestamp()
    assert -1e-6 <= seconds - back < 0.001 + 1e-6


def test_the_process_began_before_it_asked() -> None:
    """Built at the first request, a context must not look newer than its process."""
    code = (
        "import time; time.sleep(0.3); from grind_health import DeploymentContext as D;"
        "print(D.from_environment('A').started_at)"
    )
    before = time.time()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = time.time()
    began = float(done.stdout)
    assert before - 0.1 <= began <= after - 0.3  # the kernel counts in hundredths


@pytest.mark.parametrize(
    "content", ["", "1 (a) S", "no parentheses", "1 (a) S " + "0 " * 30, "1 (a) S " + "x " * 30]
)
def test_an_unreadable_process_table_gives_now(tmp_path: Path, content: str) -> None:
    stat = tmp_path / "stat"
    stat.write_text(content)
    assert facts.process_started_at(123.0, str(stat)) == 123.0
    assert facts.process_started_at(123.0, str(tmp_path / "none")) == 123.0


def test_a_process_name_with_parentheses_and_spaces(tmp_path: Path) -> None:
    real = Path("/proc/self/stat").read_text()
    hostile = tmp_path / "stat"
    hostile.write_text(real[: real.index("(")] + "(a) b (c 1 2) 3) " + real.rpartition(") ")[2])
    now = time.time()
    expected = facts.process_started_at(now)
    assert abs(facts.process_started_at(now, str(hostile)) - expected) < 5


class TestSystem:
    @staticmethod
    def build(tmp_path: Path, running: int, profile: int) -> tuple[str, str]:
        for number in (41, 42):
            (tmp_path / f"store-{number}").mkdir()
            (tmp_path / f"system-{number}-link").symlink_to(tmp_path / f"store-{number}")
        (tmp_path / "current").symlink_to(tmp_path / f"store-{running}")
        (tmp_path / "system").symlink_to(f"system-{profile}-link")
        return str(tmp_path / "current"), str(tmp_path / "system")

    def test_running_what_the_profile_says(self, tmp_path: Path) -> None:
        found = facts.running_system(*self.build(tmp_path, 42, 42))
        assert found == System(str(tmp_path / "store-42"), 42)

    def test_after_half_a_switch_the_number_is_unknown(self, tmp_path: Path) -> None:
        found = facts.running_system(*self.build(tmp_path, 41, 42))
        assert found == System(str(tmp_path / "store-41"), None)

    def test_a_container_has_no_profile(self, tmp_path: Path) -> None:
        current, profile = self.build(tmp_path, 42, 42)
        os.unlink(profile)
        assert facts.running_system(current, profile).generation is None

    def test_not_nixos(self, tmp_path: Path) -> None:
        missing = str(tmp_path / "none")
        assert facts.running_system(missing, missing) == System()


def test_start_up_is_light() -> None:
    """Importing the package and building a context load none of the heavy modules."""
    code = (
        "import sys, grind_health as g, grind_health.asgi, grind_health.wsgi;"
        "heavy = {'asyncio', 'inspect', 'logging', 'threading', 'dataclasses', 'subprocess',"
        "'socket', 'http', 'uuid', 'datetime', 'json'};"
        "print(sorted(heavy & set(sys.modules)));"
        "print(sorted(m for m in sys.modules if m.split('.')[0] == 'grind'))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert done.stdout.split("\n")[:2] == ["[]", "[]"]
