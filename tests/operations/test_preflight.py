from __future__ import annotations

import resource
import socket
from pathlib import Path

import pytest

from gateway.settings import GatewaySettings
from operations.errors import AddressUnusable, CertificateUnusable, TooFewDescriptors
from operations.figures import WorkerReport
from operations.listener import Watch, listen
from operations.preflight import SPARE_DESCRIPTORS, allow_descriptors, check_certificate, reserve


async def test_a_reserved_port_can_be_shared_and_by_nobody_else() -> None:
    reservation = await reserve("127.0.0.1", 0, "--port")
    try:
        for _ in range(2):
            with socket.socket() as worker:
                worker.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                worker.bind(("127.0.0.1", reservation.port))
                worker.listen()
        with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind(("127.0.0.1", reservation.port))
    finally:
        reservation.release()


async def test_it_takes_no_connections_itself() -> None:
    reservation = await reserve("127.0.0.1", 0, "--port")
    with socket.socket() as browser, pytest.raises(ConnectionRefusedError):
        browser.connect(("127.0.0.1", reservation.port))
    reservation.release()


async def test_every_address_has_the_same_port() -> None:
    reservation = await reserve("", 0, "--port")
    assert {held.getsockname()[1] for held in reservation._sockets} == {reservation.port}
    reservation.release()


@pytest.mark.slow
@pytest.mark.parametrize("shared", [False, True])
async def test_a_taken_port_is_told(shared: bool) -> None:
    with socket.create_server(("127.0.0.1", 0), reuse_port=shared) as other:
        port = other.getsockname()[1]
        with pytest.raises(AddressUnusable) as refused:
            await reserve("127.0.0.1", port, "--port")
    assert str(refused.value) == (
        f"port {port} of 127.0.0.1 is taken; stop the program that has it, or choose another with --port"
    )


@pytest.mark.parametrize("host", ["192.0.2.1", "name.invalid"])
async def test_an_address_of_another_machine_is_told(host: str) -> None:
    with pytest.raises(AddressUnusable, match=rf"port 1 of {host} cannot be listened on \(.*\); name an address"):
        await reserve(host, 1, "--port")


@pytest.mark.parametrize("host", ["foo..bar", "a" * 64])
async def test_what_cannot_be_a_name_is_told(host: str) -> None:
    with pytest.raises(AddressUnusable, match=r"cannot be listened on \(it is no name\); name an address"):
        await reserve(host, 1, "--port")
    with pytest.raises(AddressUnusable, match=r"cannot be listened on \(it is no name\); name an address"):
        await listen(Watch(_nobody), host, 1)


async def _nobody() -> list[WorkerReport]:
    return []


def test_a_certificate_of_another_key_is_told(tmp_path: Path) -> None:
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    certificate.write_text("rubbish")
    with pytest.raises(CertificateUnusable, match=r"k\.pem: No such file"):
        check_certificate(certificate, key)
    key.write_text("rubbish")
    with pytest.raises(CertificateUnusable, match=rf"certificate {certificate}: is no PEM certificate, or {key} is"):
        check_certificate(certificate, key)


def test_descriptors_are_raised_as_far_as_they_may(monkeypatch: pytest.MonkeyPatch) -> None:
    raised = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 5000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: raised.append(limits))
    assert allow_descriptors(4000, 1000 - SPARE_DESCRIPTORS) == 5000
    assert raised == [(5000, 5000)]


def test_the_defaults_fit_under_a_usual_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1024, 20_000))
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: None)
    defaults = GatewaySettings()
    assert allow_descriptors(defaults.sessions_per_worker, defaults.other_connections) == 20_000


@pytest.mark.parametrize(("sessions", "others"), [(15_001, 2_000), (15_000, 2_001)])
def test_every_connection_needs_a_descriptor(monkeypatch: pytest.MonkeyPatch, sessions: int, others: int) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (17_000 + SPARE_DESCRIPTORS, 17_000 + SPARE_DESCRIPTORS))
    allow_descriptors(15_000, 2_000)
    with pytest.raises(TooFewDescriptors):
        allow_descriptors(sessions, others)


def test_too_few_descriptors_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (4096, 4096))
    with pytest.raises(TooFewDescriptors) as refused:
        allow_descriptors(15_000, 2_000)
    assert str(refused.value) == (
        "only 4096 files may be open in a process, gateway.sessions_per_worker and gateway.other_connections "
        "need 17200; raise the limit (ulimit -Hn, LimitNOFILE=) or lower the settings"
    )


def test_no_limit_at_all_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    allow_descriptors(1_000_000, 1_000_000)
