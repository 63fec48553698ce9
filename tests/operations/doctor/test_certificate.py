from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from operations.doctor.certificate import end_of, first_of


def pem(ends: datetime) -> str:
    """A certificate that ends then; of a name long enough for lengths of several bytes."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "n" * 60)] * 5)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=90))
        .not_valid_after(ends)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize("year", [1999, 2026, 2049, 2050, 2120])
def test_the_end_is_read_in_both_forms_of_time(year: int) -> None:
    ends = datetime(year, 3, 4, 5, 6, 7, tzinfo=UTC)
    assert end_of(first_of(f"a comment\n{pem(ends)}{pem(ends + timedelta(days=5))}")) == ends


@given(st.binary(max_size=200))
def test_what_is_none_is_a_value_error(der: bytes) -> None:
    with pytest.raises(ValueError):
        end_of(der)


def test_a_cut_one_is_a_value_error() -> None:
    whole = first_of(pem(datetime(2030, 1, 1, tzinfo=UTC)))
    for length in range(len(whole)):
        with pytest.raises(ValueError):
            end_of(whole[:length])


def test_a_file_without_one_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="no certificate"):
        first_of("-----BEGIN PRIVATE KEY-----\n")
