"""With a certificate of its own the service speaks TLS on its port, to browsers and to its own commands."""

from __future__ import annotations

import datetime
import ipaddress
import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.service import Service
from tests.system.follower import Follower

# Relative: beside the settings file.
SERVER = """
[server]
certificate = "certificate.pem"
private_key = "key.pem"
"""


def certify(directory: Path) -> None:
    """Writes a certificate for 127.0.0.1, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Loa")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    certify(tmp_path)
    with Service(tmp_path, 0, SERVER) as service:
        yield service


async def test_a_page_a_reader_and_an_editor(service: Service, tmp_path: Path) -> None:
    assert service.url.startswith("https://127.0.0.1:")
    trusting = ssl.create_default_context(cafile=tmp_path / "certificate.pem")
    async with aiohttp.ClientSession() as client, client.get(f"{service.url}/demo/", ssl=trusting) as page:
        assert page.status == 200
        assert "/widget.js" in await page.text()
    async with Follower(service.url, "demo", tls=trusting) as reader:
        await reader.until(lambda: reader.online == 1)
        said = await service.loa("announce", "--site", "demo", "--severity", "breaking", "--title", "Lũ", "--json")
        assert said.code == 0, said.errors
        answer = json.loads(said.output)
        assert answer["sessions"] == 1
        await reader.until(lambda: answer["id"] in reader.view)
        assert (await service.loa("recall", answer["id"])).code == 0
        await reader.until(lambda: not reader.view)


async def test_who_speaks_no_tls_gets_nothing(service: Service) -> None:
    plain = service.url.replace("https", "http", 1)
    async with aiohttp.ClientSession() as client:
        with pytest.raises(aiohttp.ClientError):
            await client.get(f"{plain}/demo/")
