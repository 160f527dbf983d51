"""`up`, `serve`, `worker`, `db`, `openapi` and `guide`: running the service itself."""

from __future__ import annotations

import os
import shlex
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated

import httpx
import typer

from app import log
from app.cli.display import note, print_line, print_whole, results
from app.cli.failures import GateError, UnreachableError, UsageProblemError
from app.cli.keys import SCOPES, create_key, list_keys
from app.cli.local import environment, local_settings, read_settings, upgrade
from app.cli.processes import Program, Supervisor, ended_by_signals
from app.cli.ready import Hearing
from app.settings import Settings

START_SECONDS = 60.0
# Of programs that keep dying at their start, `up` and `demo` say so instead of trying for ever.
PATIENCE = 6

Host = Annotated[str | None, typer.Option(help="Address to listen on [RECENT_SYNC_HOST].")]
Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="Port to listen on, 0 for any [RECENT_SYNC_PORT]."),
]

database = typer.Typer(no_args_is_help=True, help="The database of the service.")


def listen(host: str, port: int) -> socket.socket:
    """A listening socket that a child can inherit: no port is lost between two processes."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise UsageProblemError(
            f"Cannot listen on {host} port {port} ({reason}): choose another with --port."
        ) from None
    return listener


def address(listener: socket.socket) -> str:
    """The URL under which a listening socket is reached from this machine."""
    host, port = listener.getsockname()[:2]
    if host in {"0.0.0.0", "::"}:  # noqa: S104  compared, not bound
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def api_program(listener: socket.socket, settings: Settings, output: Path | None = None) -> Program:
    """The API on a socket that is listening already."""
    return Program(
        name="api",
        module="app.cli",
        arguments=("serve", "--socket", str(listener.fileno())),
        environment=environment(settings),
        sockets=(listener.fileno(),),
        log=output,
    )


def worker_program(
    number: int,
    settings: Settings,
    output: Path | None = None,
    *,
    heard_by: Mapping[str, str] = MappingProxyType({}),
) -> Program:
    """A worker process; `heard_by` is the environment of whoever waits for it to be ready."""
    return Program(
        name=f"worker {number}",
        module="workers",
        environment={**environment(settings), **heard_by},
        log=output,
    )


def wait_until_ready(supervisor: Supervisor, url: str) -> None:
    """Return once the API says that it is ready."""
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(timeout=2.0, trust_env=False) as client:
        while time.monotonic() < deadline:
            supervisor.check()
            try:
                if client.get(f"{url}/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
    raise UnreachableError(f"The API at {url} did not get ready within {START_SECONDS:.0f} s.")


def up(
    host: Host = None,
    port: Port = None,
    workers: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 2,
) -> None:
    """Start everything: servers where none are configured, tables, API and workers."""
    with ended_by_signals():
        try:
            with local_settings(needs_data_dir=True) as settings:
                _up(settings, host or settings.host, _either(port, settings.port), workers)
        except KeyboardInterrupt:
            note("Ended.")


def _up(settings: Settings, host: str, port: int, workers: int) -> None:
    log.configure(settings.log_level, settings.log_format)
    upgrade(settings)
    with (
        listen(host, port) as listener,
        Hearing() as hearing,
        Supervisor(patience=PATIENCE) as supervisor,
    ):
        supervisor.start(api_program(listener, settings))
        for number in range(1, workers + 1):
            supervisor.start(worker_program(number, settings, heard_by=hearing.environment))
        wait_until_ready(supervisor, address(listener))
        hearing.wait(supervisor, workers, seconds=START_SECONDS)
        _greet(settings, address(listener))
        supervisor.wait()


def _greet(settings: Settings, url: str) -> None:
    """The last words before the logs: where it is, and what to say to it."""
    lines = [
        "",
        f"recent-sync is up at {url} (documentation: {url}/docs)",
        "",
        f"  export RECENT_SYNC_URL={url}",
        *_key_lines(settings, shown=results.is_terminal),
        "",
        "Ctrl-C ends it; what follows are logs.",
        "",
    ]
    print_whole("\n".join(lines))


def _key_lines(settings: Settings, *, shown: bool) -> list[str]:
    """Words about the API key. It is made at the first start and `shown` there and then; what is
    written into a file, which may be a log, only says where it is kept.
    """
    if settings.data_dir is None:
        return ["", "`recent-sync keys create` makes an API key."]
    kept = settings.data_dir / "api-key"
    text = f'"$(cat {shlex.quote(str(kept))})"'
    words = f"The first API key is kept in {kept}"
    if not list_keys(settings):
        made = create_key(settings, "first", SCOPES)
        write_private(kept, made.text + "\n")
        if shown:
            text, words = made.text, f"The API key is shown this once, and kept in {kept}"
    elif not kept.exists():
        return ["", "`recent-sync keys create` makes another API key."]
    return [
        f"  export RECENT_SYNC_API_KEY={text}",
        "",
        f"{words}; `recent-sync keys create` makes another.",
    ]


def write_private(path: Path, text: str) -> None:
    """Write a file that at no moment anybody else can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)


def serve(
    host: Host = None,
    port: Port = None,
    inherited: Annotated[
        int | None, typer.Option("--socket", hidden=True, help="A listening socket to inherit.")
    ] = None,
) -> None:
    """Run the API in this process."""
    import uvicorn  # noqa: PLC0415  slow to import

    with local_settings() as settings:
        os.environ.update(environment(settings))
        if inherited is not None:
            listener = socket.socket(fileno=inherited)
        else:
            listener = listen(host or settings.host, _either(port, settings.port))
        config = uvicorn.Config(
            "app.main:create_app",
            factory=True,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise UnreachableError("The API did not start: the log above says why.")


def worker(
    processes: Annotated[int, typer.Option(min=1, max=64, help="Worker processes.")] = 1,
) -> None:
    """Run workers, and start again those that die."""
    with ended_by_signals():
        try:
            with local_settings() as settings, Supervisor() as supervisor:
                log.configure(settings.log_level, settings.log_format)
                for number in range(1, processes + 1):
                    supervisor.start(worker_program(number, settings))
                supervisor.wait()
        except KeyboardInterrupt:
            note("Ended.")


@database.command("upgrade")
def upgrade_command() -> None:
    """Bring the database's tables to this version."""
    with local_settings() as settings:
        upgrade(settings)
    print_line("The database is up to date.")


def openapi(
    path: Annotated[Path, typer.Argument(help="The file, - for standard output.")] = Path(
        "openapi.yaml"
    ),
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; say whether the file is up to date.")
    ] = False,
) -> None:
    """Write the API's description, or compare it with a file."""
    from app.openapi import render  # noqa: PLC0415  slow to import

    read_settings()
    text = render()
    if str(path) == "-":
        sys.stdout.write(text)
        return
    if not check:
        path.write_text(text, encoding="utf-8")
        print_line(f"Wrote {path}.")
        return
    if not path.exists():
        raise UsageProblemError(f"There is no file {path}.")
    if path.read_text(encoding="utf-8") != text:
        raise GateError(f"{path} differs from the API: run `recent-sync openapi`.")
    print_line(f"{path} is up to date.")


def guide(
    folder: Annotated[Path, typer.Argument(help="The folder of the guide.")] = Path(
        "docs/platforms"
    ),
    platform: Annotated[
        str | None,
        typer.Option(help="Print the page of one installed platform instead of writing files."),
    ] = None,
    *,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; say whether the files are up to date.")
    ] = False,
) -> None:
    """Write the platform guide from what the connectors say, or compare it with a folder."""
    from app.guide import own_connectors, page, pages  # noqa: PLC0415  slow to import
    from connectors.registry import UnknownPlatformError, connector  # noqa: PLC0415

    if platform is not None:
        try:
            sys.stdout.write(page(connector(platform)))
        except UnknownPlatformError:
            raise UsageProblemError(f"No connector named {platform!r} is installed.") from None
        return
    found = pages(own_connectors())
    if not check:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in found.items():
            (folder / name).write_text(text, encoding="utf-8")
        print_line(f"Wrote {len(found)} pages to {folder}.")
        return
    there = {file.name: file.read_text(encoding="utf-8") for file in folder.glob("*.md")}
    wrong = sorted({name for name, _ in found.items() ^ there.items()})
    if wrong:
        raise GateError(
            f"{folder} differs from the connectors ({', '.join(wrong)}): run `recent-sync guide`."
        )
    print_line(f"{folder} is up to date.")


def _either(given: int | None, default: int) -> int:
    return default if given is None else given
