"""nginx, HAProxy and Caddy as `deploy/` configures them, before a service of a test.

Only addresses and paths are changed in the files; all that they say besides is what is tested.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from store.parentage import end_with_parent
from tests.deploy.tools import DEPLOY, changed, program

START_SECONDS = 60.0
KINDS = ("nginx", "haproxy", "caddy")

_NGINX = """
daemon off;
pid {directory}/nginx.pid;
error_log {directory}/nginx.log;
worker_processes 1;
worker_rlimit_nofile 4096;
events {{ worker_connections 1024; }}
http {{
    client_body_temp_path {directory}/nginx-body;
    proxy_temp_path {directory}/nginx-proxy;
    fastcgi_temp_path {directory}/nginx-fastcgi;
    uwsgi_temp_path {directory}/nginx-uwsgi;
    scgi_temp_path {directory}/nginx-scgi;
    include {directory}/loa.conf;
}}
"""


def command(kind: str, directory: Path, port: int, service: str, ops: str) -> list[str]:
    """Writes the configuration into `directory`, where certificate.pem and key.pem are; what starts the proxy with it.

    Args:
        kind: One of `KINDS`.
        directory: Where all of its files are.
        port: Where it is to listen, on 127.0.0.1.
        service: Address and port of Loa.
        ops: Those of its ops listener, on the same address.
    """
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    if kind == "nginx":
        text = changed(
            (DEPLOY / "nginx" / "loa.conf").read_text(),
            {
                "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
                "server 127.0.0.1:8080 ": f"server {service} ",
                "/etc/nginx/tls/loa.pem": str(certificate),
                "/etc/nginx/tls/loa.key": str(key),
            },
        )
        (directory / "loa.conf").write_text(text)
        (directory / "nginx.conf").write_text(_NGINX.format(directory=directory))
        return [program("nginx"), "-p", str(directory), "-c", str(directory / "nginx.conf")]
    if kind == "haproxy":
        both = directory / "both.pem"
        both.write_bytes(certificate.read_bytes() + key.read_bytes())
        text = changed(
            (DEPLOY / "haproxy" / "haproxy.cfg").read_text(),
            {
                "bind :443 ": f"bind 127.0.0.1:{port} ",
                "/etc/haproxy/loa.pem": str(both),
                "127.0.0.1:8080 port 8081": f"{service} port {ops.rpartition(':')[2]}",
                "maxconn 60000": "maxconn 500",
            },
        )
        (directory / "haproxy.cfg").write_text(text)
        return [program("haproxy"), "-db", "-f", str(directory / "haproxy.cfg")]
    text = changed(
        (DEPLOY / "caddy" / "Caddyfile").read_text(),
        {
            "loa.example.vn {": f"https://127.0.0.1:{port} {{\n\ttls {certificate} {key}",
            "127.0.0.1:8080 {": f"{service} {{",
            "health_port 8081": f"health_port {ops.rpartition(':')[2]}",
        },
    )
    # Its ports for administration and for redirections are none of a test's.
    text = "{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + text
    (directory / "Caddyfile").write_text(text)
    return [program("caddy"), "run", "--config", str(directory / "Caddyfile"), "--adapter", "caddyfile"]


@contextlib.contextmanager
def running(kind: str, directory: Path, port: int, service: str, ops: str) -> Iterator[str]:
    """The proxy; its https address."""
    log = directory / f"{kind}.out"
    with log.open("wb") as out:
        process = subprocess.Popen(
            command(kind, directory, port, service, ops),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            cwd=directory,
            env={"HOME": str(directory), "PATH": "/usr/bin:/bin"},
            preexec_fn=end_with_parent(signal.SIGTERM),  # noqa: PLW1509  one call, looked up before the fork
        )
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{kind} did not start:\n{log.read_text()}")
            time.sleep(0.02)
        yield f"https://127.0.0.1:{port}"
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()
