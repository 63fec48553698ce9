"""``loa serve``: the service, until it is told to leave."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import click
import msgspec
from click.core import ParameterSource
from redis.asyncio import Redis
from redis.exceptions import RedisError
from rich.console import Console

from gateway.settings import GatewaySettings
from gateway.sites import Sites
from notifications.errors import NotificationsError
from notifications.tokens import Tokens
from operations import logs
from operations.errors import OperationsError
from operations.settings import OperationsSettings, ServerSettings
from operations.stores import of_leases
from operations.supervisor import Running, Service
from operations.supervisor import serve as run_service
from operations.welcome import greet
from presence.inheritance import shorten
from presence.settings import PresenceSettings
from settings.commandline import Command, Deployment, Failure
from store.errors import StoreError
from store.settings import RedisSettings

# -P: what lies in the working directory must not take the place of our own modules.
WORKER_COMMAND = (sys.executable, "-P", "-m", "loa", "worker")

_PORT = click.IntRange(0, 65535)


@click.command(cls=Command)
@click.option("--host", help="Address to listen on.  [default: server.host of the settings]")
@click.option("--port", type=_PORT, help="Port for browsers and the API.  [default: server.port]")
@click.option("--ops-port", type=_PORT, help="Port for health and metrics.  [default: operations.port]")
@click.option(
    "--workers", type=click.IntRange(0, 256), help="Processes, 0: one for each core.  [default: server.workers]"
)
@click.pass_context
def serve(ctx: click.Context, host: str | None, port: int | None, ops_port: int | None, workers: int | None) -> None:
    """Run the service until Ctrl-C."""
    _fill_standard_streams()
    found: Deployment = ctx.obj

    def with_options(deployment: Deployment) -> Deployment:
        server = _changed(deployment.section(ServerSettings), host=host, port=port, workers=workers)
        return deployment.with_sections(server, _changed(deployment.section(OperationsSettings), port=ops_port))

    deployment = with_options(found)
    server, operations = deployment.section(ServerSettings), deployment.section(OperationsSettings)
    redis = deployment.section(RedisSettings)
    gateway = deployment.section(GatewaySettings)
    logs.configure(operations.log_format, operations.log_level)
    service = Service(
        settings=deployment.settings,
        server=server,
        operations=operations,
        redis=redis,
        leases=of_leases(deployment),
        sessions_per_worker=gateway.sessions_per_worker,
        other_connections=gateway.other_connections,
        data_dir=deployment.data_dir,
        base_dir=deployment.file.absolute().parent if deployment.file is not None else Path.cwd(),
        reread=lambda: with_options(found.anew()).settings,
        worker_command=WORKER_COMMAND,
        inherit=lambda client: shorten(
            client,
            redis.prefix,
            _sites(deployment.settings),
            deployment.section(PresenceSettings),
            gateway,
        ),
        first_token=lambda client: _first_token(client, redis.prefix),
        forget_token=lambda client, text: Tokens(client, redis.prefix).forget_first(text),
    )

    def started(running: Running) -> None:
        try:
            greet(
                Console(highlight=False, emoji=False),
                running,
                site=_first_site(deployment.settings),
                loa=_loa(),
                demo=operations.demo,
                options=_given(ctx),
            )
        except (OSError, SystemExit) as error:
            # rich makes an exit of a broken pipe.
            why = error.strerror if isinstance(error, OSError) else "nobody reads it"
            raise Failure(f"stdout cannot be written to: {why}; send it to a file, or to /dev/null") from None

    try:
        asyncio.run(run_service(service, started))
    except (OperationsError, StoreError) as error:
        raise Failure(str(error)) from None
    except (RedisError, NotificationsError) as error:
        raise Failure(f"the store failed while Loa started: {error}") from None


def _fill_standard_streams() -> None:
    """Opens those that came closed: libuv gives up, and the worker with it, when it closes a socket of their number."""
    while (fd := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(fd, True)
    os.close(fd)


def _changed(section: Any, **options: object) -> Any:
    """`section` with the options that were given."""
    return msgspec.structs.replace(section, **{name: value for name, value in options.items() if value is not None})


async def _first_token(client: Redis, prefix: str) -> str | None:
    if sys.stdout is None:
        # Closed: nobody would see it.
        return None
    made = await Tokens(client, prefix).first_token()
    return made.text if made is not None else None


def _sites(settings: msgspec.Struct) -> Sites:
    """The section ``[sites]``, which is no struct and so not found by its kind."""
    return getattr(settings, "sites", {})


def _first_site(settings: msgspec.Struct) -> str:
    return next(iter(_sites(settings)), "")


def _loa() -> str:
    """How to call this very command from a shell."""
    ours = Path(sys.argv[0])
    found = shutil.which("loa")
    if found is not None and Path(found).resolve() == ours.resolve():
        return "loa"
    return str(ours)


def _given(ctx: click.Context) -> list[str]:
    """The options by which this call found its settings and its data, for another call to find the same."""
    told = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)
    words: list[str] = []
    deployment: Deployment = ctx.obj
    if ctx.get_parameter_source("config_file") in told:
        words += ["--config", str(deployment.file)]
    if ctx.get_parameter_source("data_dir") in told:
        words += ["--data-dir", str(deployment.data_dir)]
    return words
