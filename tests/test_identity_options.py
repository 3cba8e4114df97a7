"""The options of caller identity: `edge` and `serve` take them, from the environment too."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from callscreen import part_commands
from callscreen.edge.server import EdgeConfig
from callscreen.identity.service import IdentityConfig
from callscreen.identity_options import identity_config

WORDS = {
    "stir_keys": "/keys",
    "stir_roots": "/roots",
    "stir_ca": "/ca.pem",
    "stir_private": "10.0.0.0/8, 2001:db8::/32",
    "stir_crl": "/crl",
    "stir_trust_list": "https://list.example/list",
    "stir_trust_list_ca": "/list.pem",
}
CONFIG = IdentityConfig(
    keys="/keys",
    roots="/roots",
    ca="/ca.pem",
    cache="/state/identity",
    private=("10.0.0.0/8", "2001:db8::/32"),
    crl="/crl",
    trust_list="https://list.example/list",
    trust_list_ca="/list.pem",
)


def test_words_become_a_config() -> None:
    assert identity_config(WORDS, Path("/state/identity")) == CONFIG
    assert identity_config(dict.fromkeys(WORDS, ""), None) == IdentityConfig()


@pytest.mark.parametrize("command", [part_commands.edge, part_commands.serve])
def test_each_may_stand_in_the_environment(command: click.Command) -> None:
    named = {each.name: each for each in command.params}
    for name in [*WORDS, "identity_threads"]:
        assert named[name].envvar == f"CALLSCREEN_{name.upper()}"


def test_an_edge_is_given_them(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: list[EdgeConfig] = []

    async def serve(config: EdgeConfig, ready: object, stop: object) -> None:
        given.append(config)

    monkeypatch.setattr("callscreen.edge.server.serve", serve)
    words = [f"--{name.replace('_', '-')}={value}" for name, value in WORDS.items()]
    more = ["--state=/state", "--token=t", "--identity-threads=3"]
    result = CliRunner().invoke(part_commands.edge, [*words, *more])
    assert result.output == ""
    assert [(each.identity, each.identity_threads) for each in given] == [(CONFIG, 3)]


def test_serve_hands_them_to_its_edge(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    children: list[part_commands.Child] = []

    async def supervise(core: part_commands.Child, others: object, *_: object) -> None:
        assert callable(others)
        children.extend(others(core))

    monkeypatch.setattr(part_commands, "supervise", supervise)
    (tmp_path / "service.token").write_text("t")
    words = [f"--{name.replace('_', '-')}={value}" for name, value in WORDS.items()]
    result = CliRunner().invoke(
        part_commands.serve, [f"--data={tmp_path}", "--identity-threads=3", *words]
    )
    assert result.output == ""
    edge = next(each for each in children if each.name == "edge")
    for name, value in WORDS.items():
        at = edge.options.index(f"--{name.replace('_', '-')}")
        assert edge.options[at + 1] == value
    assert edge.options[edge.options.index("--identity-threads") + 1] == "3"
