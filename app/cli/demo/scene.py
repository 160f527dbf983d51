"""Everything the demo runs on: servers, API, workers and two practice stores, all of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import SecretStr

from app.cli.client import Api
from app.cli.demo.practice import Opening, PracticeStore
from app.cli.keys import SCOPES, create_key
from app.cli.local import own_servers, read_settings, upgrade
from app.cli.processes import Program, Supervisor
from app.cli.service import (
    PATIENCE,
    address,
    api_program,
    listen,
    wait_until_ready,
    worker_program,
    write_private,
)

WORKERS = 2


@dataclass(frozen=True)
class Scene:
    """What runs. `source` sells in New York, `target` will open in London. `worker` is the
    program of the first worker.
    """

    folder: Path
    api: Api
    key_file: Path
    source: PracticeStore
    target: PracticeStore
    supervisor: Supervisor
    worker: Program


@contextmanager
def open_scene(
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    workers: int = WORKERS,
    addon: bool = False,
    environment: Mapping[str, str] | None = None,
    patience: int | None = PATIENCE,
) -> Iterator[Scene]:
    """Start everything in a private temporary folder; at the end nothing is left.

    With addresses of a database and a Redis, the service runs on those instead of its own.
    `addon`: both shops have the add-on. `environment` is added to that of API and workers.
    `patience` is the supervisor's: None where somebody means to end processes again and again.
    """
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="recent-sync-demo-", ignore_cleanup_errors=True)
            )
        )
        supervisor = stack.enter_context(Supervisor(patience=patience))
        # The stores first: they start while the servers do.
        opening_a = Opening(supervisor, "A", folder / "a", timezone="America/New_York", addon=addon)
        opening_b = Opening(supervisor, "B", folder / "b", timezone="Europe/London", addon=addon)
        configured = read_settings().model_copy(
            update={"data_dir": folder / "service", "encryption_keys": None}
        )
        (folder / "service").mkdir(mode=0o700)
        if database_url and redis_url:
            urls = {"database_url": SecretStr(database_url), "redis_url": SecretStr(redis_url)}
            settings = configured.model_copy(update=urls)
        else:
            settings = stack.enter_context(own_servers(configured, ephemeral=True))
        # What talks to the servers has to end before they do.
        stack.callback(supervisor.stop)
        upgrade(settings)
        key = create_key(settings, "demo", SCOPES).text
        key_file = folder / "api-key"
        write_private(key_file, key + "\n")
        listener = stack.enter_context(listen("127.0.0.1", 0))
        programs = [
            api_program(listener, settings, folder / "api.log"),
            *(
                worker_program(number, settings, folder / f"worker-{number}.log")
                for number in range(1, workers + 1)
            ),
        ]
        started = [_with(each, {**_direct(), **(environment or {})}) for each in programs]
        for program in started:
            supervisor.start(program)
        url = address(listener)
        wait_until_ready(supervisor, url)
        api = stack.enter_context(Api(url, key))
        source, target = opening_a.opened(), opening_b.opened()
        stack.callback(source.close)
        stack.callback(target.close)
        yield Scene(folder, api, key_file, source, target, supervisor, worker=started[1])


def _direct() -> dict[str, str]:
    """An environment in which this machine's stores are reached without a proxy."""
    direct = ",".join(filter(None, ("127.0.0.1,localhost", os.environ.get("NO_PROXY"))))
    return {"NO_PROXY": direct, "no_proxy": direct}


def _with(program: Program, environment: Mapping[str, str]) -> Program:
    return replace(program, environment={**program.environment, **environment})
