"""The envelope around a statement: exact bytes, and signatures over exactly these bytes.

The form is DSSE (https://github.com/secure-systems-lab/dsse, envelope.md and protocol.md, v1.0.2):
the payload travels in base64, so that nothing on the way can reformat what was signed, and what is
signed names the payload's type. A signature here is an OpenSSH one (PROTOCOL.sshsig). Unlike in
DSSE, an envelope may have no signature: then it is a note of its owner to himself.

Light on purpose: the hook's path and CI's check read envelopes.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from typing import NamedTuple

PAYLOAD_TYPE = "application/vnd.in-toto+json"
NAMESPACE = "grind-receipt"
"""The namespace of signatures (ssh-keygen(1), -n): a signature for git or a file is none for us."""
_MAGIC = b"SSHSIG"
_BEGIN = "-----BEGIN SSH SIGNATURE-----"
_END = "-----END SSH SIGNATURE-----"
_BYTES_AT_MOST = 64 << 20
_SIGNATURES_AT_MOST = 8


class Signature(NamedTuple):
    """An OpenSSH signature, without its armour."""

    keyid: str
    """`SHA256:…`, the key's fingerprint as ssh-keygen prints it; a hint and no proof."""
    blob: bytes


class Envelope(NamedTuple):
    """What is stored and sent: one line of JSON."""

    payload: bytes
    signatures: tuple[Signature, ...] = ()

    def signed_bytes(self) -> bytes:
        """Return what a signature is made over: DSSE's pre-authentication encoding."""
        kind = PAYLOAD_TYPE.encode()
        return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(self.payload), self.payload)


def write_envelope(envelope: Envelope) -> bytes:
    """Return the envelope as one line, line end included."""
    document = {
        "payloadType": PAYLOAD_TYPE,
        "payload": _base64(envelope.payload),
        "signatures": [
            {"keyid": one.keyid, "sig": _base64(one.blob)} for one in envelope.signatures
        ],
    }
    return json.dumps(document, separators=(",", ":")).encode() + b"\n"


def read_envelope(data: bytes) -> Envelope | None:
    """Read an envelope; None for what is torn, foreign, of another payload type, or absurd."""
    if len(data) > _BYTES_AT_MOST:
        return None
    try:
        document = json.loads(data)
        if document["payloadType"] != PAYLOAD_TYPE:
            return None
        found = document["signatures"]
        if not isinstance(found, list) or len(found) > _SIGNATURES_AT_MOST:
            return None
        signatures = tuple(_signature(_bytes(one["sig"])) for one in found)
        payload = _bytes(document["payload"])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return None
    return Envelope(payload, signatures)


def _bytes(value: object) -> bytes:
    if not isinstance(value, str):
        raise TypeError
    return binascii.a2b_base64(value, strict_mode=True)


def _signature(blob: bytes) -> Signature:
    return Signature(fingerprint(public_key(blob)), blob)


def public_key(blob: bytes) -> bytes:
    """Return the public key inside a signature (its wire form). Raises ValueError.

    Source: PROTOCOL.sshsig: MAGIC, uint32 version, string publickey, string namespace, …
    """
    if not blob.startswith(_MAGIC):
        raise ValueError("no SSH signature")
    at = len(_MAGIC) + 4
    size = int.from_bytes(blob[at : at + 4], "big")
    key = blob[at + 4 : at + 4 + size]
    if not key or len(key) != size:
        raise ValueError("a torn SSH signature")
    return key


def fingerprint(key: bytes) -> str:
    """Return a public key's fingerprint, as `ssh-keygen -l` prints it."""
    return "SHA256:" + _base64(hashlib.sha256(key).digest()).rstrip("=")


def armoured(blob: bytes) -> bytes:
    """Return a signature in the form that ssh-keygen reads."""
    text = _base64(blob)
    lines = [text[at : at + 70] for at in range(0, len(text), 70)]
    return "\n".join([_BEGIN, *lines, _END, ""]).encode()


def from_armour(text: bytes) -> Signature:
    """Read what ssh-keygen writes. Raises ValueError."""
    lines = text.decode("ascii").split("\n")
    body = "".join(lines[lines.index(_BEGIN) + 1 : lines.index(_END)])
    return _signature(binascii.a2b_base64(body))


def _base64(data: bytes) -> str:
    return binascii.b2a_base64(data, newline=False).decode()
