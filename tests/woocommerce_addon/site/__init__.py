"""A real WordPress with a real WooCommerce, on loopback, in a folder that is thrown away."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

_HERE = Path(__file__).parent
_ADDON = _HERE.parents[2] / "addons/woocommerce"
_NEEDED = ("php", "mariadbd", "mariadb-install-db")
PHP = shutil.which("php") or "php"
WORDPRESS = "RECENT_SYNC_TEST_WORDPRESS"
WOOCOMMERCE = "RECENT_SYNC_TEST_WOOCOMMERCE"


def what_is_missing() -> str:
    """A sentence for whoever wonders why there is no site; empty where there can be one."""
    programs = [each for each in _NEEDED if shutil.which(each) is None]
    if programs:
        return f"a WordPress needs {', '.join(programs)}"
    for variable, name in ((WORDPRESS, "wp-load.php"), (WOOCOMMERCE, "woocommerce.php")):
        folder = os.environ.get(variable)
        if not folder or not Path(folder, name).is_file():
            return f"{variable} names no folder with {name}"
    return ""


class Site:
    """One shop. Use as a context manager; everything it starts ends with it."""

    def __init__(
        self,
        folder: Path,
        *,
        orders_table: bool = True,
        addon: bool = True,
        timezone: str = "America/New_York",
    ) -> None:
        self.folder = folder
        self.url = ""
        self._root = folder / "site"
        self._mails = folder / "mails.jsonl"
        self._settings = {
            "SITE_ORDERS_TABLE": "yes" if orders_table else "no",
            "SITE_TIMEZONE": timezone,
        }
        self._addon = addon
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        try:
            self._start_database()
            self._lay()
            for step in ("wordpress", "woocommerce", "shop"):
                self._php(str(_HERE / "install.php"), str(self._root), step)
            if self._addon:
                content = self._root / "wp-content/mu-plugins"
                shutil.copy(_ADDON / "recent-sync.php", content)
                shutil.copytree(_ADDON / "recent-sync", content / "recent-sync")
            self._start_server()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """End what was started, the last one first."""
        for process in reversed(self._processes):
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        self._processes.clear()

    @property
    def mails(self) -> list[tuple[str, str]]:
        """(to, subject) of every mail that would have left."""
        if not self._mails.exists():
            return []
        return [tuple(json.loads(line)) for line in self._mails.read_text().splitlines()]

    def forget_mails(self) -> None:
        """Begin to count anew."""
        self._mails.unlink(missing_ok=True)

    def run(self, code: str) -> str:
        """What a piece of PHP prints inside the shop, as another plugin would run it."""
        load = f"$_SERVER['HTTP_HOST'] = 'shop.example'; require '{self._root}/wp-load.php';"
        return self._php("-r", f"{load} {code}")

    # --- building -------------------------------------------------------------------------------

    def _lay(self) -> None:
        """WordPress and WooCommerce, copied; the plugins' folder holds nothing else."""
        # Debian's package has links to libraries that nothing here needs.
        shutil.copytree(
            os.environ[WORDPRESS],
            self._root,
            ignore=shutil.ignore_patterns("plugins", "themes"),
            ignore_dangling_symlinks=True,
        )
        content = self._root / "wp-content"
        for name in ("plugins", "themes", "mu-plugins"):
            (content / name).mkdir(parents=True, exist_ok=True)
        shutil.copytree(os.environ[WOOCOMMERCE], content / "plugins/woocommerce")
        shutil.copy(_HERE / "recorder.php", content / "mu-plugins/a-recorder.php")
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        constants = {
            "DB_NAME": "site",
            "DB_USER": "root",
            "DB_PASSWORD": "",
            "DB_HOST": f"localhost:{self._socket}",
            "DB_CHARSET": "utf8mb4",
            "DB_COLLATE": "",
            "WP_HOME": self.url,
            "WP_SITEURL": self.url,
            "DISABLE_WP_CRON": True,
            "WP_HTTP_BLOCK_EXTERNAL": True,
            "WP_DEBUG": True,
            "WP_DEBUG_DISPLAY": False,
            "WP_DEBUG_LOG": str(self.folder / "php.log"),
            "SITE_MAILS": str(self._mails),
        }
        lines = [f"define('{name}', {json.dumps(value)});" for name, value in constants.items()]
        config = "<?php\n" + "\n".join(lines) + "\n$table_prefix = 'wp_';\n"
        config += "defined('ABSPATH') || define('ABSPATH', __DIR__ . '/');\n"
        config += "require_once ABSPATH . 'wp-settings.php';\n"
        (self._root / "wp-config.php").write_text(config)

    def _php(self, *arguments: str) -> str:
        options = ("-d", "memory_limit=512M", "-d", "error_reporting=E_ALL & ~E_DEPRECATED")
        done = subprocess.run(
            [PHP, *options, *arguments],
            env=os.environ | self._settings,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        if done.returncode:
            log = self.folder / "php.log"
            said = log.read_text() if log.exists() else done.stdout
            raise RuntimeError(f"{arguments}: {done.stderr}{said[-2000:]}")
        return done.stdout

    # --- servers --------------------------------------------------------------------------------

    def _start_database(self) -> None:
        data = self.folder / "database"
        self._socket = self.folder / "db.sock"
        user = ("--user=root",) if os.geteuid() == 0 else ()
        subprocess.run(
            [
                *("mariadb-install-db", "--no-defaults", *user, f"--datadir={data}"),
                *("--auth-root-authentication-method=normal", "--skip-test-db"),
            ],
            check=True,
            capture_output=True,
            timeout=120,
        )
        quick = ("--skip-networking", "--innodb-flush-log-at-trx-commit=0")
        where = (f"--datadir={data}", f"--socket={self._socket}")
        self._spawn("mariadbd", "--no-defaults", *user, *where, *quick)
        _until(self._socket.exists, "the database does not listen")
        self._php(
            "-r",
            f"$d = new mysqli('localhost', 'root', '', '', 0, '{self._socket}');"
            "$d->query('CREATE DATABASE site');",
        )

    def _start_server(self) -> None:
        options = ("-d", "memory_limit=512M", "-d", "error_reporting=E_ALL & ~E_DEPRECATED")
        self._spawn(
            *(PHP, *options, "-S", f"127.0.0.1:{self._port}", "-t", str(self._root)),
            str(_HERE / "router.php"),
            PHP_CLI_SERVER_WORKERS="4",
        )
        _until(self._answers, "the site does not answer", 60)

    def _answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self.url}/wp-json/", timeout=30).is_success
        return False

    def _spawn(self, *command: str, **variables: str) -> None:
        log = (self.folder / f"{Path(command[0]).name}.log").open("ab")
        self._processes.append(
            subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=os.environ | self._settings | variables,
                start_new_session=True,
            )
        )
        log.close()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _until(is_done: Callable[[], bool], message: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(message)
        time.sleep(0.1)
