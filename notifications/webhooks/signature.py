"""Signs and verifies as the Standard Webhooks specification says, with its own library.

``webhook-id``, ``webhook-timestamp`` (Unix time in seconds) and the body are signed together, HMAC-SHA256; the header
``webhook-signature`` holds a signature for each secret that is in use, so that either side may change to a new one
without a gap. A secret is 24 to 64 random bytes, ``whsec_`` and base64.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from standardwebhooks.webhooks import Webhook as Signer
from standardwebhooks.webhooks import WebhookVerificationError

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
HEADERS = (ID, TIMESTAMP, SIGNATURE)

_SECRET_BYTES = 32
# More than a sender in the middle of a rotation has; each costs a comparison.
_MOST_SIGNATURES = 10
_SIGNATURES = re.compile(r"[!-~]{1,200}(?: [!-~]{1,200})*", re.ASCII)
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_V1 = re.compile(r"v1,[A-Za-z0-9+/]{43}=", re.ASCII)


def new_secret() -> str:
    """A secret that nobody has had before."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def headers(id: str, seconds: int, body: bytes, texts: Iterable[str]) -> dict[str, str]:
    """The three headers of a message that is sent at `seconds` of Unix time, signed with the secrets `texts`."""
    at = datetime.fromtimestamp(seconds, UTC)
    signed = [Signer(text).sign(id, at, body.decode()) for text in texts]
    return {ID: id, TIMESTAMP: str(seconds), SIGNATURE: " ".join(signed)}


def verified(given: Mapping[str, str], body: bytes, texts: Iterable[str]) -> bool:
    """Whether `body` was signed with one of the secrets `texts`, within the last five minutes or for the next five.

    Args:
        given: The request's headers, by names in lower case.
        body: As it came.
        texts: The secrets.
    """
    seconds, signatures = given.get(TIMESTAMP, ""), given.get(SIGNATURE, "")
    # The library splits what it is given and fails in other ways where that cannot be split.
    if _SECONDS.fullmatch(seconds) is None or _SIGNATURES.fullmatch(signatures) is None:
        return False
    ours = [one for one in signatures.split(" ") if _V1.fullmatch(one)][:_MOST_SIGNATURES]
    asked = {ID: given.get(ID, ""), TIMESTAMP: seconds, SIGNATURE: " ".join(ours)}
    return bool(ours) and any(_verifies(Signer(text), asked, body) for text in texts)


def _verifies(signer: Signer, asked: dict[str, str], body: bytes) -> bool:
    try:
        signer.verify(body, asked, json_parse=False)
    except (WebhookVerificationError, UnicodeDecodeError):
        return False
    return True
