"""What is wrong with a transport is told with its line."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from connectors.registry import CONNECTORS
from hub.settings.check import check
from hub.settings.check_parts import Known
from hub.settings.loader import load
from hub.settings.model import ControlPoints
from hub.settings.places import SettingsError
from tests.support.as2_keys import NOW, certificate_pem, key, key_pem

AS2 = """\
      kind: as2
      our_id: US
      partner_id: THEM
      url: https://as2.acme.example/
      our_keys: [env:AS2_KEY]
      partner_certificates: [them.pem]
"""
SFTP = """\
      kind: sftp
      host: sftp.acme.example
      username: us
      password: env:SFTP_PASSWORD
      host_fingerprints: ["SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
      inbox: /in
"""
FTPS = """\
      kind: ftps
      host: ftp.acme.example
      username: us
      password: env:FTP_PASSWORD
      inbox: /in
"""
KNOWN = Known(CONNECTORS, frozenset(ControlPoints(reference="bc").enabled), lambda *_: True)
FIRST_LINE = 12
"""Of the transport's options in the file."""


@pytest.fixture
def site(
    write_site: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], Path]:
    """Writes a site with this transport."""

    def write(transport: str) -> Path:
        path = write_site(SITE.replace("TRANSPORT\n", transport))
        path.with_name("them.pem").write_bytes(certificate_pem(key("them")))
        old = key("them", NOW - timedelta(900), NOW - timedelta(800))
        path.with_name("old.pem").write_bytes(certificate_pem(old))
        path.with_name("none.pem").write_text("no certificate")
        return path

    monkeypatch.setenv("AS2_KEY", key_pem(key("us")).decode())
    monkeypatch.setenv("NO_KEY", "no key")
    return write


SITE = """\
control_points: {reference: bc}
partners:
  acme: {name: Acme}
  contoso: {name: Contoso}
connections:
  bc: {system: business_central, partner: contoso, transport: {kind: poll}, options: {base_url: "https://bc.example", company_id: e160007b-5faa-5628-bfda-1df6a9c51cd4, token_url: "https://bc.example/token", client_id: x, client_secret: env:S}}
  acme-edi:
    system: x12
    partner: acme
    options: {our_id: US, partner_id: THEM}
    transport:
TRANSPORT
"""

RIGHT = [AS2, SFTP, FTPS, AS2.replace("[env:AS2_KEY]", "[env:NOT_SET_HERE]")]


@pytest.mark.parametrize("transport", RIGHT)
def test_a_transport_that_fits_passes(site: Callable[[str], Path], transport: str) -> None:
    check(load(site(transport)), KNOWN)


MISFITS = [
    (AS2.replace("[them.pem]", "[none.pem]"), 5, "certificate_invalid"),
    (AS2.replace("[them.pem]", "[gone.pem]"), 5, "certificate_unreadable"),
    (AS2.replace("[them.pem]", "[old.pem]"), 5, "certificate_expired"),
    (AS2.replace("env:AS2_KEY", "env:NO_KEY"), 4, "key_invalid"),
    (AS2.replace("env:AS2_KEY", "MIIEvQ"), 4, "secret_inline"),
    (AS2.replace("https://as2.acme.example/", "http://10.0.0.1/"), 3, "address_private"),
    (AS2.replace("partner_id: THEM", "partner_id: US"), 2, "name_shared"),
    (AS2 + "      receipt: async\n", -1, "receipt_url_missing"),
    (AS2.replace("url: https", "url: ftp"), 3, "value_invalid"),
    (AS2.replace("our_id: US", 'our_id: "\\u00e9"'), 1, "value_invalid"),
    (SFTP.replace("      inbox: /in\n", ""), -1, "folder_missing"),
    (SFTP.replace("      password: env:SFTP_PASSWORD\n", ""), -1, "login_missing"),
    (SFTP.replace("password: env:SFTP_PASSWORD", "private_key: env:NO_KEY"), 3, "key_invalid"),
    (SFTP.replace("env:SFTP_PASSWORD", "open-sesame"), 3, "secret_inline"),
    (SFTP.replace("SHA256:", "MD5:"), 4, "value_invalid"),
    (SFTP.replace("sftp.acme.example", "192.168.1.4"), 1, "address_private"),
    (FTPS.replace("username", "user_name"), 2, "option_unknown"),
    (FTPS + "      ca_file: none.pem\n", 5, "certificate_unreadable"),
    (AS2 + "      ca_file: gone.pem\n", 6, "certificate_unreadable"),
]


@pytest.mark.parametrize(("transport", "line", "code"), MISFITS)
def test_a_misfit_is_told_with_its_line(
    site: Callable[[str], Path], transport: str, line: int, code: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        check(load(site(transport)), KNOWN)
    found = refused.value.problems[0]
    assert (found.code, found.where) == (code, f"site.yaml:{FIRST_LINE + line}")
    assert "open-sesame" not in str(refused.value)


def test_two_connections_cannot_share_their_names(site: Callable[[str], Path]) -> None:
    path = site(AS2)
    text = path.read_text()
    start = text.index("  acme-edi:")
    path.write_text(text + text[start:].replace("acme-edi", "acme-again"))
    with pytest.raises(SettingsError) as refused:
        check(load(path), KNOWN)
    assert [problem.code for problem in refused.value.problems] == ["name_shared"]
