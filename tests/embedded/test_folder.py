import os
from pathlib import Path

import pytest

from app.embedded.account import can_enter, server_account
from app.embedded.errors import EmbeddedError
from app.embedded.folder import DataFolder, default_data_dir, make_folder, make_servers_folder
from app.embedded.lock import FileLock, is_held


@pytest.fixture(autouse=True)
def _no_chosen_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RECENT_SYNC_DATA_DIR", raising=False)


def test_the_chosen_data_folder_wins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("RECENT_SYNC_DATA_DIR", str(tmp_path))
    assert default_data_dir() == tmp_path


def test_two_checkouts_do_not_share_a_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folders = set()
    for name in ("one", "two"):
        module = tmp_path / name / "app" / "embedded" / "folder.py"
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").touch()
        monkeypatch.setattr("app.embedded.folder.__file__", str(module))
        folders.add(default_data_dir())
    assert len(folders) == 2


def test_two_users_do_not_share_a_data_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    folders = set()
    for home in ("ann", "bob"):
        monkeypatch.setenv("HOME", str(tmp_path / home))
        folders.add(default_data_dir())
    monkeypatch.setattr("os.geteuid", lambda: 0)
    folders.add(default_data_dir())
    assert len(folders) == 3


def test_an_installed_package_keeps_its_data_by_the_folder_it_is_started_in(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("app.embedded.folder.__file__", str(tmp_path / "lib/app/embedded/f.py"))
    folders = set()
    for name in ("shop a", "shop-b"):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        folders.add(default_data_dir().name)
    assert sorted(name.rsplit("-", 1)[0] for name in folders) == ["shop-b", "shop_a"]


def test_a_file_where_the_data_folder_should_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(EmbeddedError, match="choose another with RECENT_SYNC_DATA_DIR"):
        make_folder(tmp_path / "file" / "data")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers under another account")
def test_a_folder_closed_to_the_servers_account_is_refused_and_stays_as_it_was(
    tmp_path: Path,
) -> None:
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    folder = make_folder(closed / "data")
    account = server_account(folder.servers)
    with pytest.raises(EmbeddedError, match="choose another folder"):
        make_servers_folder(folder, account)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert not folder.servers.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers under another account")
def test_files_that_exist_decide_which_account_the_servers_run_as(tmp_path: Path) -> None:
    servers = tmp_path / "servers"
    servers.mkdir()
    os.chown(servers, 65534, 65534)
    account = server_account(servers)
    assert account is not None
    assert account.uid == 65534


def test_a_state_file_cut_short_counts_as_none(tmp_path: Path) -> None:
    (tmp_path / "servers.json").write_text('{"ready": true, "serv')
    state = DataFolder(tmp_path).read_state()
    assert not state.ready
    assert state.services == {}


def test_lost_passwords_of_an_existing_database_are_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "servers" / "postgres").mkdir(parents=True)
    with pytest.raises(EmbeddedError, match="are gone"):
        DataFolder(tmp_path).passwords()


def test_a_lock_tells_shared_from_exclusive_holders(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    assert not is_held(path, exclusively=False)
    lock = FileLock(path)
    assert lock.try_shared()
    assert is_held(path, exclusively=False)
    assert not is_held(path, exclusively=True)
    assert lock.try_exclusive()
    assert is_held(path, exclusively=True)
    lock.release()
    assert not is_held(path, exclusively=False)


def test_a_lock_whose_folder_was_replaced_is_not_current(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    lock = FileLock(path)
    assert lock.is_current()
    path.unlink()
    assert not lock.is_current()
    path.touch()
    assert not lock.is_current()
    lock.release()


def test_the_caller_enters_its_own_folder(tmp_path: Path) -> None:
    assert can_enter(None, tmp_path)
