"""Everything the demo runs on: servers, API, workers and two practice stores, all of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
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
from app.settings import Settings

WORKERS = 2


@dataclass(frozen=True)
class Scene:
    """What runs. `source` sells in New York, `target` will open in London."""

    folder: Path
    api: Api
    key_file: Path
    source: PracticeStore
    target: PracticeStore
    supervisor: Supervisor


@contextmanager
def open_scene(*, database_url: str | None = None, redis_url: str | None = None) -> Iterator[Scene]:
    """Start everything in a private temporary folder; at the end nothing is left.

    With addresses of a database and a Redis, the service runs on those instead of its own.
    """
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="recent-sync-demo-", ignore_cleanup_errors=True)
            )
        )
        supervisor = stack.enter_context(Supervisor(patience=PATIENCE))
        # The stores first: they start while the servers do.
        opening_a = Opening(supervisor, "A", folder / "a", timezone="America/New_York")
        opening_b = Opening(supervisor, "B", folder / "b", timezone="Europe/London")
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
        url = _start_service(stack, supervisor, settings, folder)
        api = stack.enter_context(Api(url, key))
        source, target = opening_a.opened(), opening_b.opened()
        stack.callback(source.close)
        stack.callback(target.close)
        yield Scene(folder, api, key_file, source, target, supervisor)


def _start_service(
    stack: ExitStack, supervisor: Supervisor, settings: Settings, folder: Path
) -> str:
    listener = stack.enter_context(listen("127.0.0.1", 0))
    supervisor.start(_local(api_program(listener, settings, folder / "api.log")))
    for number in range(1, WORKERS + 1):
        log = folder / f"worker-{number}.log"
        supervisor.start(_local(worker_program(number, settings, log)))
    url = address(listener)
    wait_until_ready(supervisor, url)
    return url


def _local(program: Program) -> Program:
    """The program with an environment in which this machine's stores are reached directly."""
    direct = ",".join(filter(None, ("127.0.0.1,localhost", os.environ.get("NO_PROXY"))))
    extra = {"NO_PROXY": direct, "no_proxy": direct}
    return Program(
        name=program.name,
        module=program.module,
        arguments=program.arguments,
        environment={**program.environment, **extra},
        sockets=program.sockets,
        log=program.log,
        lasting=program.lasting,
    )
