"""The command line of the sandbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.options import parse


def test_defaults_suit_a_demo() -> None:
    options = parse(["--data", "d"], {})
    assert (options.port, options.hub_url, options.page_size) == (0, "", 100)
    assert options.warehouse.acknowledges
    assert options.carrier.automatic
    assert options.partners == {}


def test_everything_can_be_set() -> None:
    options = parse(
        [
            "--data", "d", "--port", "7", "--hub-url", "http://h", "--seed", "3",
            "--lakeside-inbox", "in", "--lakeside-outbox", "out", "--partner", "acme=a,b",
            "--ship-seconds", "2", "--acknowledge", "no", "--carrier", "manual",
            "--retry-seconds", "1,2.5",
        ],
        {"SANDBOX_SHOP_SECRET": "s"},
    )  # fmt: skip
    assert options.partners == {"acme": (Path("a"), Path("b"))}
    assert options.lakeside_outbox == Path("out")
    assert (options.warehouse.ship_after, options.warehouse.acknowledges) == (2, False)
    assert not options.carrier.automatic
    assert options.retry_seconds == (1.0, 2.5)
    assert options.secrets.shop == "s"


def test_secrets_do_not_show() -> None:
    options = parse(["--data", "d"], {"SANDBOX_BC_CLIENT_SECRET": "not-to-be-seen"})
    assert options.secrets.client_secret.startswith("not")
    assert "not-to-be-seen" not in repr(options)


@pytest.mark.parametrize("argument", ["acme", "acme=a", "=a,b", "acme=a,"])
def test_a_partner_needs_a_name_and_two_folders(argument: str) -> None:
    with pytest.raises(SystemExit) as ended:
        parse(["--data", "d", "--partner", argument], {})
    assert ended.value.code == 2
