"""The options of caller identity: `edge` and `serve` take them, from the environment too."""

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from callscreen import part_commands, serve_command
from callscreen.core.wiring import CoreConfig
from callscreen.edge.server import EdgeConfig
from callscreen.identity.service import IdentityConfig
from callscreen.identity_options import identity_config
from callscreen.supervise import Child

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


@pytest.mark.parametrize("command", [part_commands.edge, serve_command.serve])
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


def test_serve_hands_on_what_stands_on_its_command_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    children: list[Child] = []

    async def supervise(core: Child, others: object, *_: object) -> None:
        assert callable(others)
        children.extend([core, *others(core)])

    monkeypatch.setattr(serve_command, "supervise", supervise)
    (tmp_path / "service.token").write_text("t")
    stir = [f"--{name.replace('_', '-')}={value}" for name, value in WORDS.items()]
    own = ["--identity-threads=3", "--no-tcp", "--hep=127.0.0.1:9060", "--mode=proxy"]
    words = [f"--data={tmp_path}", "--secure-cookies", *own, *stir]
    result = CliRunner().invoke(
        serve_command.serve,
        words,
        env={"CALLSCREEN_HEP_KEY": "a secret", "CALLSCREEN_CEILING": "9"},
    )
    assert result.output == ""
    core, gateway, edge = (set(each.options) for each in children)
    assert core.issuperset(stir)
    assert not core & {*own, "--secure-cookies"}
    assert "--secure-cookies" in gateway
    assert not gateway & {*own, *stir}
    assert edge.issuperset([*own, *stir])
    assert "--secure-cookies" not in edge
    assert "a secret" not in str(children)
    assert "--ceiling" not in str(edge)


@pytest.mark.parametrize("part", [part_commands.core, part_commands.gateway, part_commands.edge])
def test_serve_knows_every_option_of_its_parts(part: click.Command) -> None:
    given_by_serve = {"state", "token"}
    known = {each.name for each in serve_command.serve.params} | given_by_serve
    assert {each.name for each in part.params} <= known


@pytest.mark.parametrize(("words", "rate"), [([], 200), (["--sign-rate=7"], 7)])
def test_a_core_is_given_its_rate_of_signatures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], rate: int
) -> None:
    given: list[CoreConfig] = []

    async def serve(config: CoreConfig, ready: object, stop: object) -> None:
        given.append(config)

    monkeypatch.setattr("callscreen.core.server.serve", serve)
    result = CliRunner().invoke(part_commands.core, [f"--data={tmp_path}", *words])
    assert result.output == ""
    assert [each.sign_rate for each in given] == [rate]
    assert "sign_rate" in {each.name for each in serve_command.serve.params}
