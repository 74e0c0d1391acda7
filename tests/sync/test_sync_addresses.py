"""A hub elsewhere is called over TLS, or with a reason that people can read."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.clock import FixedClock
from shared.errors import BadSetup
from shared.node import build_node, make_folder
from shared.settings import NodeSettings
from sync.addresses import check_address, is_plain
from sync.station import http_transport


@pytest.mark.parametrize(
    "url", ["https://hub.example", "http://127.0.0.1:8400", "http://localhost:1", "http://[::1]:8"]
)
def test_tls_and_this_machine_need_no_reason(url: str) -> None:
    check_address(url, "")
    assert not is_plain(url)


@pytest.mark.parametrize(
    "url", ["http://hub.example", "http://10.0.0.7:8400", "http://127.0.0.1.example", "HTTP://hub"]
)
def test_plain_http_to_elsewhere_needs_a_reason(url: str) -> None:
    with pytest.raises(BadSetup, match="allow_plain_http"):
        check_address(url, "")
    check_address(url, "inside the site's VPN")
    assert is_plain(url)


@pytest.mark.parametrize("url", ["hub.example", "ftp://hub", "http://", ""])
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(BadSetup, match="no address"):
        check_address(url, "a reason does not help")


def test_a_node_makes_no_way_to_such_a_hub(tmp_path: Path) -> None:
    settings = NodeSettings(code="ALD", name="A", folder=tmp_path / "ald")
    make_folder(settings)
    node = build_node(settings, [], FixedClock(0))
    with pytest.raises(BadSetup, match="anybody on the way"):
        http_transport(node, "http://hub.example")
    node.engine.dispose()
