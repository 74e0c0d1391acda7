"""A certificate that was changed on the way: the call is refused, unless the site's own authority was configured."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from flask import Flask
from werkzeug.serving import make_server

from shared.db.engine import read
from sync.accounting import Account, PlantLines
from sync.certificates import UNKNOWN, find_issuer
from sync.endpoint import endpoint, install_desk
from sync.errors import Unreachable
from sync.incidents import list_open
from sync.peers import find_peer
from sync.routed import RoutedTransport
from sync.routes import Route, Rules
from sync.transport import HttpTransport


def authority(folder, name):
    """A self-signed certificate for 127.0.0.1 that is its own authority; its file, key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2020, 1, 1)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2090))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return file


def serve_tls(kit, app, certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = make_server("127.0.0.1", 0, app, threaded=True, ssl_context=context)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    kit.closing.append(server.shutdown)
    return f"https://127.0.0.1:{server.server_port}"


@pytest.mark.fault(12)
def test_a_certificate_changed_on_the_way_is_refused_unless_its_authority_is_configured(kit, tmp_path):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    app = Flask("hub")
    app.register_blueprint(endpoint)
    install_desk(app, hub.desk)
    trusted, inspector = authority(tmp_path, "group"), authority(tmp_path, "inspector")
    straight, inspected = serve_tls(kit, app, trusted), serve_tls(kit, app, inspector)
    plant.create(2)
    with pytest.raises(Unreachable, match="issued by CN=inspector"):
        kit.caller(plant, HttpTransport(inspected, verify=str(trusted))).hello()
    assert hub.entries_of("ALD") == 0
    kit.drain(kit.caller(plant, HttpTransport(straight, verify=str(trusted))))
    plant.create(1)
    kit.drain(kit.caller(plant, HttpTransport(inspected, verify=str(inspector))))
    assert hub.entries_of("ALD") == 3


@pytest.mark.fault(12)
def test_an_alarm_names_the_issuer_while_a_strange_certificate_is_shown(kit, tmp_path):
    hub, plant = kit.hub(), kit.plant()
    kit.enrol(plant, hub)
    app = Flask("hub")
    app.register_blueprint(endpoint)
    install_desk(app, hub.desk)
    inspector = authority(tmp_path, "inspector")
    url = serve_tls(kit, app, inspector)
    with read(plant.node.engine) as conn:
        trusted = find_peer(conn, "HUB").trusted
    refusing, knowing = (HttpTransport(url, verify=verify) for verify in (True, str(inspector)))
    lines = {"wan": refusing}
    transport = RoutedTransport([Route("wan", url)], Rules(3, 60), lines, lambda: trusted)
    account = Account(plant.node, PlantLines(plant.node, transport).look)
    plant.create(1)
    with pytest.raises(Unreachable):
        kit.caller(plant, transport).hello()
    account.step()
    (alarm,) = open_alarms(plant)
    assert alarm.kind == "certificate"
    assert "issued by CN=inspector" in alarm.evidence
    assert url in alarm.evidence
    assert hub.entries_of("ALD") == 0
    lines["wan"] = knowing
    kit.drain(kit.caller(plant, transport))
    account.step()
    assert open_alarms(plant) == []


def open_alarms(plant):
    with read(plant.node.engine) as conn:
        return list_open(conn)


def test_an_address_that_shows_nothing_has_an_unknown_issuer():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        assert find_issuer(f"https://127.0.0.1:{taken.getsockname()[1]}/", 0.5) == UNKNOWN
    assert find_issuer("https:///", 0.5) == UNKNOWN
