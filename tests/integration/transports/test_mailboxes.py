"""Mailboxes on real SFTP and FTPS servers: taken in once, left whole, and no stranger believed."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from canonical.errors import ConfigError, InDoubt, Rejected, Retryable
from connectors.transports import ftps, sftp
from connectors.transports.remote import Opener
from hub.delivery.remote_client import RemoteClient
from hub.intake import remote
from hub.intake.door import Door
from hub.intake.remote import MailboxTransport, RemoteIntake
from hub.ledger.turns import Turns
from tests.support.as2_house import outbound
from tests.support.doors import Shelf, door
from tests.support.ftps_house import NAME, ftps_house
from tests.support.ports import free_port
from tests.support.reach import ANYWHERE, ToThisMachine
from tests.support.sftp_house import Behaviour, SftpHouse, sftp_house, ssh_key
from tests.support.waiting import wait_for


@dataclass(frozen=True)
class Ledger:
    """A ledger and the turns that one process has of it."""

    engine: AsyncEngine
    turns: Turns


@pytest.fixture
async def ledger(engine: AsyncEngine) -> AsyncIterator[Ledger]:
    turns = Turns(engine)
    yield Ledger(engine, turns)
    await turns.close()


@dataclass
class Mailbox:
    """A partner's mailbox and us at it."""

    root: Path
    transport: Callable[..., MailboxTransport]
    opener: Opener
    ledger: Ledger
    shelf: Shelf
    behaviour: Behaviour | None = None

    def intake(self, **options: Any) -> RemoteIntake:
        """Our intake."""
        entrance = door(self.shelf, self.ledger.engine)
        return RemoteIntake(
            "box", self.transport(**options), self.opener, entrance, self.ledger.turns
        )

    def client(self) -> RemoteClient:
        """Our client."""
        entrance = door(self.shelf, self.ledger.engine)
        return RemoteClient(("box", "/out"), self.opener, self.ledger.engine, entrance.clock)

    def drop(self, name: str, body: bytes = b"ISA*00*~") -> Path:
        """The partner drops a file."""
        path = self.root / "in" / name
        path.write_bytes(body)
        return path

    def left(self, folder: str = "in") -> list[str]:
        """Names of the files in a folder there."""
        return sorted(path.name for path in (self.root / folder).iterdir() if path.is_file())

    def taken(self) -> list[bytes]:
        """What we have taken in."""
        return [receipt.body for receipt in self.shelf.receipts]


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[SftpHouse]:
    async with sftp_house(tmp_path) as opened:
        yield opened


@pytest.fixture
def sftp_box(house: SftpHouse, ledger: Ledger) -> Mailbox:
    login = house.login()
    return Mailbox(
        house.root,
        house.transport,
        lambda: sftp.connected(login, ANYWHERE),
        ledger,
        Shelf(),
        house.behaviour,
    )


@pytest.fixture(params=["sftp", "ftps"])
async def box(
    request: pytest.FixtureRequest, tmp_path: Path, ledger: Ledger
) -> AsyncIterator[Mailbox]:
    """The same on both kinds of server."""
    if request.param == "sftp":
        async with sftp_house(tmp_path) as house:
            login = house.login()
            opener: Opener = lambda: sftp.connected(login, ANYWHERE)  # noqa: E731  # one of two
            yield Mailbox(house.root, house.transport, opener, ledger, Shelf(), house.behaviour)
    else:
        with ftps_house(tmp_path) as other:
            secured = other.login()
            yield Mailbox(
                other.root,
                other.transport,
                lambda: ftps.connected(secured, ANYWHERE),
                ledger,
                Shelf(),
            )


async def test_a_file_is_taken_in_and_put_aside(box: Mailbox) -> None:
    box.drop("order 1.x12", b"ISA*1*~" * 100_000)
    await box.intake(done="done").look()
    (receipt,) = box.shelf.receipts
    assert receipt.body == b"ISA*1*~" * 100_000
    assert receipt.delivery_id.endswith(f":700000:{sha256_of(receipt.body)}")
    assert (box.left(), box.left("in/done")) == ([], ["order 1.x12"])


def sha256_of(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


async def test_without_a_folder_for_it_a_file_is_deleted_once_it_is_safe(box: Mailbox) -> None:
    box.drop("a.x12")
    box.shelf.refusing = True
    intake = box.intake()
    with pytest.raises(Retryable):
        await intake.look()
    assert box.left() == ["a.x12"]
    box.shelf.refusing = False
    await intake.look()
    assert (box.taken(), box.left()) == ([b"ISA*00*~"], [])


async def test_a_file_is_read_only_once_it_stands_still(box: Mailbox) -> None:
    intake = box.intake(stable_seconds=0.05)
    path = box.drop("growing.x12", b"ISA")
    await intake.look()
    path.write_bytes(b"ISA*00*~")
    await intake.look()
    assert box.taken() == []
    await wait_for(lambda: looked(intake, box))
    assert box.taken() == [b"ISA*00*~"]


async def looked(intake: RemoteIntake, box: Mailbox) -> bool:
    await intake.look()
    return bool(box.taken())


async def test_names_that_are_still_written_to_or_do_not_match_are_passed_over(
    box: Mailbox,
) -> None:
    for name in (".hidden", "a.tmp", "b.part", "readme.txt"):
        box.drop(name)
    await box.intake(pattern="*.x12").look()
    assert box.taken() == []
    assert len(box.left()) == 4


async def test_what_can_never_be_taken_in_is_set_aside_once(box: Mailbox) -> None:
    box.drop("empty.x12", b"")
    box.drop("large.x12", b"x" * 2_000)
    box.drop("good.x12")
    intake = box.intake(max_bytes=1_000)
    await intake.look()
    assert box.taken() == [b"ISA*00*~"]
    assert box.left("in/failed") == ["empty.x12", "large.x12"]
    assert box.left() == []


async def test_the_same_name_again_is_another_acceptance_and_overwrites_nothing(
    box: Mailbox,
) -> None:
    intake = box.intake(done="done")
    for body in (b"ISA*1*~", b"ISA*2*~"):
        box.drop("order.x12", body)
        await intake.look()
    assert box.taken() == [b"ISA*1*~", b"ISA*2*~"]
    assert len(box.left("in/done")) == 2


async def test_what_cannot_be_put_aside_is_taken_in_once(box: Mailbox) -> None:
    (box.root / "in" / "done").write_bytes(b"a file where the folder should be")
    box.drop("order.x12")
    intake = box.intake(done="done", pattern="*.x12")
    for _ in range(3):
        await intake.look()
    assert (box.taken(), box.left()) == ([b"ISA*00*~"], ["done", "order.x12"])


async def test_a_look_lists_no_more_than_it_may(box: Mailbox) -> None:
    for number in range(60):
        box.drop(f"{number}.x12", str(number).encode())
    intake = box.intake(max_listed=25)
    for taken in (25, 50, 60):
        await intake.look()
        assert len(box.taken()) == taken


async def test_a_file_is_left_whole_under_its_own_name(box: Mailbox) -> None:
    body = b"ISA*997*~" * 200_000
    settled = await box.client().deliver(outbound(body))
    assert box.left("out") == ["997-d-1.x12"]
    assert (box.root / "out" / "997-d-1.x12").read_bytes() == body
    assert settled.external_id == "997-d-1.x12"


async def test_the_same_delivery_again_changes_nothing_and_other_bytes_are_refused(
    box: Mailbox,
) -> None:
    client = box.client()
    await client.deliver(outbound(b"one"))
    await client.deliver(outbound(b"one"))
    with pytest.raises(Rejected, match="file_exists"):
        await client.deliver(outbound(b"two"))
    assert (box.root / "out" / "997-d-1.x12").read_bytes() == b"one"


async def test_what_is_there_of_an_earlier_try_is_gone_on_with_unless_it_differs(
    box: Mailbox,
) -> None:
    part = box.root / "out" / ".997-d-1.x12.tmp"
    for beginning in (b"ISA*9", b"other", b"ISA*997*~ and more than all of it"):
        part.write_bytes(beginning)
        await box.client().deliver(outbound(b"ISA*997*~"))
        assert not part.exists()
        left = box.root / "out" / "997-d-1.x12"
        assert left.read_bytes() == b"ISA*997*~"
        left.unlink()


async def test_whether_a_file_was_left_is_told_after_the_partner_has_taken_it(
    box: Mailbox,
) -> None:
    client, delivery = box.client(), outbound()
    assert await client.look_up(delivery) is None
    await client.deliver(delivery)
    assert await client.look_up(delivery) is not None
    (box.root / "out" / "997-d-1.x12").unlink()
    assert await client.look_up(delivery) is not None
    assert await client.look_up(outbound(name="d-2")) is None


async def test_nobody_there_is_for_later(box: Mailbox) -> None:
    port = free_port()
    house = SftpHouse(box.root, port, Behaviour())
    nobody: list[Opener] = [
        lambda: sftp.connected(house.login(), ANYWHERE),
        lambda: ftps.connected(
            ftps.FtpsLogin("127.0.0.1", port, "a", "b", timeout_seconds=2), ANYWHERE
        ),
    ]
    for opener in nobody:
        with pytest.raises(Retryable, match="connection_failed"):
            await replace(box, opener=opener).client().deliver(outbound())
        with pytest.raises(Retryable, match="connection_failed"):
            await replace(box, opener=opener).client().knock()


async def test_whether_a_mailbox_is_back_is_told_by_looking_into_its_folder(box: Mailbox) -> None:
    assert await box.client().knock() is True
    assert box.left("out") == []


async def test_a_mailbox_without_its_folder_is_not_back(sftp_box: Mailbox) -> None:
    client = sftp_box.client()
    (sftp_box.root / "out").rmdir()
    with pytest.raises(Retryable):
        await client.knock()


async def test_looking_does_not_tell_of_a_mailbox_that_let_us_in_and_took_nothing(
    sftp_box: Mailbox,
) -> None:
    client = sftp_box.client()
    (sftp_box.root / "out" / ".997-d-1.x12.tmp").mkdir()  # where the file is to be staged
    with pytest.raises(Retryable):
        await client.deliver(outbound())
    assert await client.knock() is False


async def test_a_wrong_password_halts_the_connection(box: Mailbox) -> None:
    house = SftpHouse(box.root, 0, Behaviour())
    transport = box.transport()
    login: Opener
    if transport.kind == "sftp":
        house.port = transport.port
        login = lambda: sftp.connected(house.login(password="wrong"), ANYWHERE)  # noqa: E731, S106
    else:
        wrong = ftps.FtpsLogin("127.0.0.1", transport.port, "crossdock", "no", transport.ca_file)
        login = lambda: ftps.connected(wrong, ANYWHERE)  # noqa: E731
    with pytest.raises(ConfigError, match="login_refused"):
        await replace(box, opener=login).client().deliver(outbound())


async def test_a_certificate_that_proves_nothing_gets_no_password(
    tmp_path: Path, ledger: Ledger
) -> None:
    with ftps_house(tmp_path) as house:
        login = house.login(ca_file=None)  # the system's issuers do not know it
        box = Mailbox(
            house.root, house.transport, lambda: ftps.connected(login, ANYWHERE), ledger, Shelf()
        )
        with pytest.raises(ConfigError, match="certificate_refused"):
            await box.intake().look()


@pytest.mark.parametrize(("name", "believed"), [(NAME, True), ("other.example", False)])
async def test_a_server_that_is_reached_by_its_address_must_prove_its_name(
    tmp_path: Path, ledger: Ledger, name: str, *, believed: bool
) -> None:
    with ftps_house(tmp_path) as house:
        login = house.login(host=name)
        opens: Opener = lambda: ftps.connected(login, ToThisMachine())  # noqa: E731
        box = Mailbox(house.root, house.transport, opens, ledger, Shelf())
        box.drop("a.x12", b"a")
        if believed:
            await box.intake().look()  # also its data connection
        else:
            with pytest.raises(ConfigError, match="certificate_refused"):
                await box.intake().look()
        assert box.taken() == ([b"a"] if believed else [])


async def test_an_old_server_that_cannot_list_well_is_asked_name_by_name(
    tmp_path: Path, ledger: Ledger
) -> None:
    with ftps_house(tmp_path, unknown=("MLSD", "MLST")) as house:
        login = house.login()
        box = Mailbox(
            house.root, house.transport, lambda: ftps.connected(login, ANYWHERE), ledger, Shelf()
        )
        (house.root / "in" / "subfolder").mkdir()
        for name in ("a.x12", "b c.x12"):
            box.drop(name, name.encode())
        await box.intake(done="done").look()
        assert (box.taken(), box.left()) == ([b"a.x12", b"b c.x12"], [])


@pytest.mark.parametrize("facts", [("type", "modify"), ("type",), ()])
async def test_a_file_whose_size_is_not_listed_is_read_and_not_taken_for_an_empty_one(
    tmp_path: Path, ledger: Ledger, facts: tuple[str, ...]
) -> None:
    with ftps_house(tmp_path, facts=facts) as house:
        login = house.login()
        box = Mailbox(
            house.root, house.transport, lambda: ftps.connected(login, ANYWHERE), ledger, Shelf()
        )
        box.drop("full.x12", b"full")
        box.drop("empty.x12", b"")
        await box.intake(done="done").look()
        assert (box.taken(), box.left()) == ([b"full"], [])
        assert [path.name for path in (house.root / "in" / "failed").iterdir()] == ["empty.x12"]


async def test_another_host_key_is_a_hard_stop_before_any_login(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    login = house.login(fingerprints=(other,))
    box = replace(sftp_box, opener=lambda: sftp.connected(login, ANYWHERE))
    with pytest.raises(ConfigError, match="host_key_changed"):
        await box.client().deliver(outbound())
    box.drop("a.x12")
    entrance, stop = door(box.shelf, box.ledger.engine), asyncio.Event()
    quick = box.transport(every_seconds=0.01)
    intake = RemoteIntake("box", quick, box.opener, entrance, box.ledger.turns)
    running = asyncio.create_task(intake.run(stop))
    await wait_for(lambda: refused(entrance))
    stop.set()
    await running
    assert refused(entrance) == 1  # it was not tried again
    assert (house.behaviour.logins, box.taken()) == ([], [])


def refused(entrance: Door) -> float:
    labels = {"connection": "box", "code": "host_key_changed"}
    return entrance.metrics.registry.get_sample_value("crossdock_refused_total", labels) or 0.0


async def test_during_a_change_of_host_keys_both_are_believed(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").get_fingerprint()
    login = house.login(fingerprints=(other, house.fingerprint))
    box = replace(sftp_box, opener=lambda: sftp.connected(login, ANYWHERE))
    await box.client().deliver(outbound())
    assert box.left("out") == ["997-d-1.x12"]


async def test_a_download_that_was_cut_goes_on_where_it_ended(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    body = bytes(range(256)) * 16_000
    sftp_box.drop("large.x12", body)
    intake = sftp_box.intake()
    house.behaviour.drop_after = len(body) // 2
    with pytest.raises(Retryable, match="connection_lost"):
        await intake.look()
    house.behaviour.drop_after = len(body) * 3 // 4  # less than all of it, enough for the rest
    await intake.look()
    assert sftp_box.taken() == [body]


async def test_a_server_that_sends_a_byte_at_a_time_holds_us_for_no_longer_than_a_look(
    tmp_path: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "_LOOK_SECONDS", 2.0)
    with ftps_house(tmp_path, drips=True) as house:
        login = house.login()
        opener: Opener = lambda: ftps.connected(login, ANYWHERE)  # noqa: E731  # as above
        box = Mailbox(house.root, house.transport, opener, ledger, Shelf())
        box.drop("slow.x12", bytes(5_000_000))
        looking = asyncio.create_task(box.intake().look())
        await asyncio.wait([looking], timeout=15)
        over = looking.done()
        looking.cancel()
        (error,) = await asyncio.gather(looking, return_exceptions=True)
        assert (over, box.taken(), box.left()) == (True, [], ["slow.x12"])
    assert isinstance(error, Retryable)
    assert error.code == "connection_lost"


async def test_an_upload_that_was_cut_goes_on_where_it_ended(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    body = bytes(range(256)) * 16_000
    house.behaviour.drop_after = len(body) // 2
    client = sftp_box.client()
    with pytest.raises(Retryable, match="connection_lost"):
        await client.deliver(outbound(body))
    assert sftp_box.left("out") == [".997-d-1.x12.tmp"]
    await client.deliver(outbound(body))
    assert (house.root / "out" / "997-d-1.x12").read_bytes() == body


async def test_a_rename_whose_answer_is_lost_is_in_doubt_and_then_known(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    house.behaviour.drop_at_rename = True
    client = sftp_box.client()
    with pytest.raises(InDoubt, match="rename_in_doubt"):
        await client.deliver(outbound())
    (house.root / "out" / "997-d-1.x12").unlink()  # the partner is quick
    assert await client.look_up(outbound()) is not None


async def test_a_server_without_posix_rename_is_served_too(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    house.behaviour.posix_rename = False
    await sftp_box.client().deliver(outbound())
    assert sftp_box.left("out") == ["997-d-1.x12"]


async def test_links_are_never_followed(sftp_box: Mailbox, house: SftpHouse) -> None:
    (house.root / "secret").write_bytes(b"ISA*secret*~")
    (house.root / "in" / "link.x12").symlink_to(house.root / "secret")
    await sftp_box.intake().look()
    assert sftp_box.taken() == []


async def test_a_private_key_opens_what_a_password_does(
    sftp_box: Mailbox, house: SftpHouse
) -> None:
    written = ssh_key("ours").export_private_key().decode()
    login = house.login(password=None, private_key=written)
    box = replace(sftp_box, opener=lambda: sftp.connected(login, ANYWHERE))
    await box.client().deliver(outbound())
    assert box.left("out") == ["997-d-1.x12"]
