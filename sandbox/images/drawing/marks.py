"""C2PA marks in drawn pictures, as real services put them there: signed with a key that lives as long as the process.

Nobody vouches for the certificate, and no key is kept anywhere. Needs ``c2pa-python``; without it pictures stay plain.
"""

from __future__ import annotations

import importlib.util
import io
import json
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MARKED = frozenset({"png", "jpeg", "webp"})
SIGNER = "Easel sandbox"
_BY_AI = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def can_mark() -> bool:
    return importlib.util.find_spec("c2pa") is not None


def marked(data: bytes, form: str, tool: str) -> bytes:
    """The picture with marks that say that ``tool``, a machine, drew it."""
    action = {"action": "c2pa.created", "softwareAgent": {"name": tool}, "digitalSourceType": _BY_AI}
    return signed(data, form, {"label": "c2pa.actions", "data": {"actions": [action]}})


def signed(data: bytes, form: str, *assertions: dict[str, Any]) -> bytes:
    """The picture with marks that assert just that."""
    import c2pa

    manifest = {"claim_generator_info": [{"name": SIGNER}], "assertions": assertions}
    plain = {
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {"verify_after_sign": False},
        "core": {"decode_identity_assertions": False},
    }
    certificates, key = _identity()
    info = c2pa.C2paSignerInfo(b"es256", certificates, key, None)
    out = io.BytesIO()
    with c2pa.Context.from_dict(plain) as context, c2pa.Builder(json.dumps(manifest), context) as builder:
        builder.sign(c2pa.Signer.from_info(info), f"image/{form}", io.BytesIO(data), out)
    return out.getvalue()


def said_by(data: bytes, form: str) -> tuple[str | None, bool]:
    """Who signed the picture, None where there are no marks; and whether picture and marks fit."""
    if form not in MARKED or not can_mark():
        return None, False
    import c2pa

    alone = {
        "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": False},
        "core": {"decode_identity_assertions": False, "allowed_network_hosts": []},
    }
    try:
        with (
            c2pa.Context.from_dict(alone) as context,
            c2pa.Reader(f"image/{form}", io.BytesIO(data), context=context) as reader,
        ):
            store, state = json.loads(reader.json()), reader.get_validation_state()
    except c2pa.C2paError as error:
        return (None, False) if "ManifestNotFound" in str(error) else ("", False)
    signature = store["manifests"][store["active_manifest"]].get("signature_info") or {}
    return signature.get("issuer") or "", state in ("Valid", "Trusted")


@cache
def _identity() -> tuple[bytes, bytes]:
    """A certificate, that of who issued it, and the key: made once a process, good for a month."""
    above, below = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root, leaf = (
        x509.Name(
            [x509.NameAttribute(NameOID.ORGANIZATION_NAME, SIGNER), x509.NameAttribute(NameOID.COMMON_NAME, name)]
        )
        for name in ("nobody's root", "this process")
    )
    issuer = _certificate(root, root, above.public_key(), above, is_root=True)
    own = _certificate(leaf, root, below.public_key(), above, is_root=False)
    pem = serialization.Encoding.PEM
    key = below.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return own.public_bytes(pem) + issuer.public_bytes(pem), key


def _certificate(
    subject: x509.Name, issuer: x509.Name, public: Any, signing: ec.EllipticCurvePrivateKey, *, is_root: bool
) -> x509.Certificate:
    now = datetime.now(UTC)
    uses = x509.KeyUsage(
        digital_signature=not is_root,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=is_root,
        crl_sign=is_root,
        encipher_only=False,
        decipher_only=False,
    )
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=None), critical=True)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(uses, critical=True)
    )
    if not is_root:
        built = built.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return built.sign(signing, hashes.SHA256())
