"""Sealing: what one key closes only it opens, and a new key does not lose the old one's words."""

from __future__ import annotations

import errno
import os
import sys

import pytest
from cryptography.fernet import Fernet

from bot.adapters.secrets import BadSecretKey, Secrets, load_secrets
from bot.ports import CannotStart


def test_what_is_sealed_is_opened_again_and_differs_each_time(tmp_path):
    secrets = load_secrets(None, tmp_path)
    sealed = secrets.seal("tökén")
    assert secrets.open(sealed) == "tökén"
    assert "tök" not in sealed
    assert sealed != secrets.seal("tökén")


def test_a_strange_key_and_altered_text_open_nothing(tmp_path):
    sealed = load_secrets(None, tmp_path).seal("secret")
    other = Secrets((Fernet.generate_key().decode(),))
    assert other.open(sealed) is None
    assert other.open("nonsense ä") is None
    assert other.open("") is None


def test_a_new_key_in_front_seals_and_the_old_one_still_opens(tmp_path):
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    sealed = load_secrets(old, tmp_path).seal("secret")
    both = load_secrets(f"{new}, {old}", tmp_path)
    assert both.open(sealed) == "secret"
    assert load_secrets(new, tmp_path).open(both.seal("x")) == "x"
    assert load_secrets(old, tmp_path).open(both.seal("x")) is None


def test_the_key_file_is_made_once_and_is_the_owners_alone(tmp_path):
    folder = tmp_path / "data"
    sealed = load_secrets(None, folder).seal("secret")
    assert load_secrets(None, folder).open(sealed) == "secret"
    [path] = folder.iterdir()
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_key_set_later_still_opens_what_the_file_sealed(tmp_path):
    sealed = load_secrets(None, tmp_path).seal("secret")
    assert load_secrets(Fernet.generate_key().decode(), tmp_path).open(sealed) == "secret"


@pytest.mark.parametrize(
    "keys", ["hunter2", "a" * 44, f"{Fernet.generate_key().decode()},hunter2"], ids=["word", "letters", "second"]
)
def test_a_key_that_is_none_is_named_by_its_place_and_not_shown(tmp_path, keys):
    with pytest.raises(BadSecretKey, match=r"Key \d of SECRET_KEY") as refused:
        load_secrets(keys, tmp_path)
    assert "hunter2" not in str(refused.value)


def test_a_folder_that_takes_no_key_is_said_in_one_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(CannotStart, match=r"^DATA_DIR: .*secret\.key cannot be read or written \(.*\)\.$"):
        load_secrets(None, tmp_path / "file")


def test_a_key_that_the_disk_did_not_take_whole_leaves_nothing_behind(tmp_path, monkeypatch):
    def full(_file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CannotStart, match="No space left"):
        load_secrets(None, tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.iterdir())
    load_secrets(None, tmp_path)
