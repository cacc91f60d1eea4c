"""When the way to the cluster ends by itself."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from clusterops.gateway.kube_api import KubeApi


def certificate(path: Path, ends: datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sumok8")])
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(ends - timedelta(days=365)).not_valid_after(ends).sign(key, hashes.SHA256())
    )  # fmt: skip
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return str(path)


def test_the_first_that_ends_counts(tmp_path: Path) -> None:
    later, sooner = datetime(2031, 1, 1, tzinfo=UTC), datetime(2030, 1, 1, tzinfo=UTC)
    own, authority = certificate(tmp_path / "own", later), certificate(tmp_path / "ca", sooner)
    (tmp_path / "strange").write_text("no certificate")

    def ends(cert_file: str | None, ssl_ca_cert: str | None) -> datetime | None:
        api = object.__new__(KubeApi)
        api._configuration = SimpleNamespace(cert_file=cert_file, ssl_ca_cert=ssl_ca_cert)
        return api.certificate_ends_at()

    assert ends(own, authority) == sooner
    assert ends(own, None) == later
    assert ends(None, str(tmp_path / "gone")) is None
    assert ends(str(tmp_path / "strange"), None) is None
