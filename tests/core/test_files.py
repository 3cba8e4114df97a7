"""Secrets in files: made once, whole, and never replaced by an empty one."""

import pytest

from callscreen.core.errors import Unavailable
from callscreen.core.files import checked_hex, secret, write_secret
from callscreen.core.wiring import CoreConfig, service_token


def test_a_secret_is_made_once_and_its_owner_s_alone(tmp_path):
    path = tmp_path / "pepper"
    made = iter(["first", "second"])
    assert [secret(path, lambda: next(made)) for _ in range(2)] == ["first", "first"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["pepper"]


@pytest.mark.parametrize("left", [b"", b"\n", b"\xff\xfe"])
def test_a_file_that_holds_no_secret_is_refused_and_left_alone(tmp_path, left):
    path = tmp_path / "pepper"
    path.write_bytes(left)
    with pytest.raises(Unavailable, match="damaged"):
        secret(path, lambda: "new")
    assert path.read_bytes() == left


@pytest.mark.parametrize("text", ["no hex", "abcd", "00" * 33])
def test_a_key_of_another_length_is_refused(tmp_path, text):
    with pytest.raises(Unavailable, match="damaged"):
        checked_hex(tmp_path / "pepper", text, 32)
    assert checked_hex(tmp_path / "pepper", "0a" * 32, 32) == b"\n" * 32


def test_what_an_interrupted_start_left_behind_is_no_hindrance(tmp_path):
    (tmp_path / "pepper.new").write_text("half")
    assert secret(tmp_path / "pepper", lambda: "whole") == "whole"


def test_a_given_token_is_kept_as_callers_will_show_it(tmp_path):
    for given in (" given\n", "given"):
        assert service_token(CoreConfig(tmp_path, service_token=given)) == "given"
        assert (tmp_path / "service.token").read_text() == "given\n"
    with pytest.raises(Unavailable, match="ASCII"):
        write_secret(tmp_path / "service.token", "clé")
    assert service_token(CoreConfig(tmp_path)) == "given"
