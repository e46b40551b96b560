"""The transports that reach across the internet, as options: AS2, SFTP, FTPS."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from hub.settings.section import LocalPath, Section

As2Name = Annotated[str, StringConstraints(pattern=r"^[!-~]([ -~]{0,126}[!-~])?$")]
"""RFC 4130 section 6.2: 1 to 128 printable characters."""

WebAddress = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]+$", max_length=2048)]

Fingerprint = Annotated[str, StringConstraints(pattern=r"^SHA256:[A-Za-z0-9+/]{43}$")]
"""As `ssh-keygen -l` prints it."""

RemoteFolder = Annotated[str, StringConstraints(pattern=r"^[ -~]{1,500}$")]


class As2Transport(Section):
    """Messages over HTTP with signed receipts (RFC 4130); partners call us at `/as2`."""

    kind: Literal["as2"] = Field("as2", description="Says which transport it is.")
    our_id: As2Name = Field(description="Our AS2 name.")
    partner_id: As2Name = Field(description="The partner's AS2 name.")
    url: WebAddress | None = Field(None, description="Where we send messages to; none: never.")
    ca_file: LocalPath | None = Field(
        None, description="PEM of who issued the TLS certificate of `url`; none: the usual issuers."
    )
    our_keys: tuple[str, ...] = Field(
        min_length=1,
        description="Ours, as `env:` or `file:`: a PEM with private key and certificate each. The"
        " first valid one signs, every one decrypts.",
    )
    partner_certificates: tuple[LocalPath, ...] = Field(
        min_length=1,
        description="The partner's certificate files. The first valid one encrypts, a signature"
        " by any valid one counts.",
    )
    sign: bool = Field(default=True, description="Sign what we send (SHA-256).")
    encrypt: Literal["aes256", "aes128", "none"] = Field(
        "aes256", description="Encrypt what we send (CBC)."
    )
    compress: bool = Field(default=False, description="Compress what we send, before signing.")
    content_type: str | None = Field(
        None,
        pattern=r"^[a-z0-9]+/[a-zA-Z0-9.+-]+$",
        description="Content type of what we send; default: by the system.",
    )
    require_signed: bool = Field(default=True, description="Refuse messages without signature.")
    require_encrypted: bool = Field(default=True, description="Refuse messages in the clear.")
    receipt: Literal["sync", "async", "none"] = Field(
        "sync", description="The receipt (MDN) we ask for: in the answer, later, or none."
    )
    receipt_signed: bool = Field(default=True, description="Ask for it signed, and insist.")
    receipt_url: WebAddress | None = Field(
        None, description="Our own address from outside, ending in `/as2`, for `async`."
    )
    receipt_hours: float = Field(
        4.0, gt=0, description="How long to wait for an `async` one before sending again."
    )
    receipt_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts, beside that of `url`, to which we may send receipts for messages that"
        " proved nothing.",
    )
    max_bytes: int = Field(50_000_000, gt=0, description="Largest message, packed or unpacked.")


class _Remote(Section):
    """What mailboxes on servers share."""

    host: str = Field(pattern=r"^[A-Za-z0-9._:-]{1,255}$", description="The server.")
    username: str = Field(min_length=1, description="Who we are there.")
    inbox: RemoteFolder | None = Field(None, description="Folder there that we take files from.")
    outbox: RemoteFolder | None = Field(None, description="Folder there that we leave files in.")
    done: str | None = Field(
        None,
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="Folder inside `inbox` for files taken in; none: they are deleted.",
    )
    every_seconds: float = Field(30.0, gt=0, description="How long to wait between two looks.")
    stable_seconds: float = Field(
        10.0,
        ge=0,
        description="How long a file must stay unchanged before it is read; 0 where the partner"
        " renames finished files.",
    )
    pattern: str = Field("*", description="Only files whose name matches are read.")
    max_bytes: int = Field(50_000_000, gt=0, description="Largest file that is taken in.")
    max_listed: int = Field(
        10_000, ge=1, le=1_000_000, description="Most entries of `inbox` that one look reads."
    )
    timeout_seconds: float = Field(20.0, gt=0, description="Longest wait for one answer.")


class SftpTransport(_Remote):
    """A mailbox on an SFTP server."""

    kind: Literal["sftp"] = Field("sftp", description="Says which transport it is.")
    port: int = Field(22, ge=1, le=65535, description="Its port.")
    password: str | None = Field(None, description="The password, as `env:` or `file:`.")
    private_key: str | None = Field(
        None, description="The private key (OpenSSH or PEM), as `env:` or `file:`."
    )
    host_fingerprints: tuple[Fingerprint, ...] = Field(
        min_length=1,
        description="Its host keys, as `SHA256:...`; with any other key nothing is sent, not even"
        " a password.",
    )


class FtpsTransport(_Remote):
    """A mailbox on an FTP server with explicit TLS (RFC 4217), in passive mode."""

    kind: Literal["ftps"] = Field("ftps", description="Says which transport it is.")
    port: int = Field(21, ge=1, le=65535, description="Its port.")
    password: str = Field(description="The password, as `env:` or `file:`.")
    ca_file: LocalPath | None = Field(
        None, description="PEM of who issued its certificate; none: the system's issuers."
    )
