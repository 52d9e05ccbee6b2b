"""The page's site: what it hands out, to whom, and what it forbids the browser."""

import errno
import io
import json
import os
import shutil
import socket as sockets
import ssl
import subprocess
import threading
import zipfile
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from detector.boxes import Detections, Picture
from detector.video.cameras import Camera
from detector.web.app import VISITORS
from detector.web.server import bind
from fmnist.classes import CLASSES
from fmnist.errors import InputError
from tests import clips, mjpeg
from tests.display import wait_until
from tests.live_window import two_garments
from tests.served import Served, answer, failing_while, jpeg, served


def get(server: Served, path: str, host: str | None = None) -> tuple[int, dict[str, str], bytes]:
    connection = HTTPConnection(server.address)
    connection.request("GET", path, headers={"Host": host} if host else {})
    response = connection.getresponse()
    return response.status, dict(response.getheaders()), response.read()


def test_the_page_loads_nothing_from_elsewhere() -> None:
    with served() as server:
        for path in ("/", "/page.css", "/page.js", "/settings", "/source"):
            status, headers, body = get(server, path)
            assert status == 200 and body
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy and "unsafe" not in policy
            assert "http" not in policy and "*" not in policy
            assert headers["cache-control"] == "no-store"
            assert b"http://" not in body.replace(b"http://www.w3.org", b"") or path == "/source"
            assert b"https://" not in body or path == "/source"
        assert get(server, "/nothing")[0] == 404
        assert get(server, "/../pyproject.toml")[0] == 404
        assert get(server, "/", host="evil.example")[0] == 403


def test_the_source_that_runs_is_handed_out() -> None:
    with served() as server:
        files = zipfile.ZipFile(io.BytesIO(get(server, "/source")[2]))
    names = set(files.namelist())
    wanted = {"LICENSE", "cli.py", "detector/web/page/page.js", "weights/grid.safetensors"}
    assert {f"fmnist/{name}" for name in wanted} <= names
    assert not [name for name in names if "__pycache__" in name or ".git" in name]
    assert b"GNU AFFERO GENERAL PUBLIC LICENSE" in files.read("fmnist/LICENSE")


def test_settings_name_the_classes_with_their_colours() -> None:
    with served() as server:
        body = get(server, "/settings")[2].decode()
    assert all(f'"{name}"' in body for name in CLASSES)
    assert '"has_feed":false' in body


def test_a_token_is_asked_for_page_and_sockets() -> None:
    with served(token="right") as server:
        for path in ("/", "/settings", "/source"):
            assert get(server, path)[0] == get(server, f"{path}?token=wrong")[0] == 403
            assert get(server, f"{path}?token=right", host="anywhere.example")[0] == 200
        for path in ("frames", "watch", "frames?token=wrong"):
            with pytest.raises(InvalidStatus, match="403"):
                server.socket(path)
        with server.socket("frames?token=right") as client:
            client.send(jpeg())
            assert len(answer(client)["boxes"]) == 2


def test_another_sites_page_gets_no_socket() -> None:
    with served() as server:
        with pytest.raises(InvalidStatus, match="403"):
            server.socket(origin="https://evil.example")
        with server.socket(origin=server.url.rstrip("/")) as client:
            client.send(jpeg())
            assert "boxes" in answer(client)


def test_there_is_room_for_some_visitors_and_again_when_one_left() -> None:
    with served() as server:
        clients = [server.socket() for _ in range(VISITORS)]
        for client in clients:
            client.send("{}")
        with server.socket() as late, pytest.raises(ConnectionClosed, match="too many visitors"):
            late.recv(timeout=60)
        clients[0].close()
        with server.socket() as client:
            client.send(jpeg())
            assert len(answer(client)["boxes"]) == 2
        for client in clients:
            client.close()


def test_who_asks_and_never_reads_has_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.app.VISITORS", 1)
    clip = clips.clip(tmp_path / "clip.mp4", size_wh=(1280, 720))
    with served(clip=clip, silence=1.0) as server:
        idle = connect(
            f"ws://{server.address}/watch", sock=server.narrow(), compression=None, max_queue=1
        )
        for _ in range(500):
            idle.send("{}")

        def is_served() -> bool:
            with server.socket("watch") as other:
                try:
                    other.send("{}")
                    return "boxes" in answer(other)
                except ConnectionClosed:
                    return False

        assert not is_served()
        wait_until(is_served)
        idle.socket.close()


def test_the_source_waits_in_pieces_for_who_does_not_read_it() -> None:
    with served() as server:
        get(server, "/source")  # the archive is made now
        before = resident_mb()
        idle = [server.narrow() for _ in range(8)]
        for connection in idle:
            connection.sendall(f"GET /source HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
        assert all(connection.recv(1) for connection in idle)
        assert resident_mb() - before < 100  # each of them took 32 MB
        for connection in idle:
            connection.close()


def test_a_server_that_ends_says_nothing_of_who_still_loads_the_source(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with served() as server:
        slow = server.narrow()
        slow.sendall(f"GET /source HTTP/1.1\r\nHost: {server.address}\r\n\r\n".encode())
        assert slow.recv(1)
    slow.close()
    assert "Traceback" not in capfd.readouterr().err


def resident_mb() -> float:
    """Of this process, in which the server runs."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def test_the_servers_own_clip_is_shown_to_all_who_ask(tmp_path: Path) -> None:
    clip = clips.clip(tmp_path / "clip.mp4")
    with served(clip=clip) as server:
        assert '"has_feed":true' in get(server, "/settings")[2].decode()
        with server.socket("watch") as one, server.socket("watch") as two:
            for client in (one, two, one, two):
                client.send("{}")
                told = answer(client)
                assert [box["label"] for box in told["boxes"]] == ["Shirt", "Trouser"]
                assert told["size_wh"] == list(clips.SIZE_WH) and told["age_ms"] >= 0
                picture = client.recv(timeout=60)
                assert isinstance(picture, bytes) and picture.startswith(b"\xff\xd8")


def test_a_picture_of_a_clip_that_stands_is_sent_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("detector.web.feed.STANDS", 0.5)
    clip = clips.held(tmp_path / "slide.mp4", 3600.0, frames=1)
    with served(clip=clip, silence=2.0) as server, server.socket("watch") as client:
        for _ in range(6):  # longer than nobody hears of each other
            client.send("{}")
            assert answer(client)["boxes"]
            assert client.recv(timeout=60)


def test_the_servers_camera_is_let_go_with_its_last_viewer_and_comes_back_for_the_next() -> None:
    network_camera = mjpeg.Camera()
    try:
        with served(camera=Camera(network_camera.url, waits=(0.05,) * 20)) as server:
            for _ in range(2):
                with server.socket("watch") as client:
                    client.send("{}")
                    assert len(answer(client)["boxes"]) == 2
                    assert network_camera.watched == 1
                wait_until(lambda: network_camera.watched == 0)
    finally:
        network_camera.close()


def test_the_servers_clip_is_seen_as_surely_as_its_least_demanding_viewer_wants(
    tmp_path: Path,
) -> None:
    def boxes(client: ClientConnection, least: float) -> int:
        client.send(json.dumps({"confidence": least}))
        count = len(answer(client)["boxes"])
        client.recv(timeout=60)
        return count

    with (
        served(clip=clips.clip(tmp_path / "clip.mp4")) as server,
        server.socket("watch") as strict,
    ):
        wait_until(lambda: boxes(strict, 0.5) == 1)  # the trousers have 0.32
        with server.socket("watch") as other:
            wait_until(lambda: boxes(other, 0.1) == 2)
            wait_until(lambda: boxes(strict, 0.5) == 2)
        wait_until(lambda: boxes(strict, 0.5) == 1)


def test_a_detector_that_fails_is_told_and_tried_again_for_who_asks(tmp_path: Path) -> None:
    broken = threading.Event()
    broken.set()
    with served(failing_while(broken), clips.clip(tmp_path / "clip.mp4")) as server:
        with server.socket("watch") as client:
            for _ in range(2):
                client.send("{}")
                assert answer(client)["error"].startswith("internal error")
        broken.clear()
        with server.socket("watch") as client:  # hears nothing of what was
            client.send("{}")
            assert len(answer(client)["boxes"]) == 2


def test_who_sends_the_frame_that_the_detector_fails_at_is_told() -> None:
    broken = threading.Event()
    broken.set()
    with served(failing_while(broken)) as server:
        with server.socket() as client:
            client.send(jpeg())
            with pytest.raises(ConnectionClosed, match="internal error: the server's terminal"):
                client.recv(timeout=60)
        broken.clear()
        with server.socket() as client:
            client.send(jpeg())
            assert len(answer(client)["boxes"]) == 2


def test_the_settings_tell_where_the_owner_says_the_source_is() -> None:
    with served(source_url="https://example.org/fmnist") as server:
        _, _, body = get(server, "/settings")
    assert json.loads(body)["source_url"] == "https://example.org/fmnist"


@pytest.mark.skipif(not shutil.which("openssl"), reason="no openssl to make a certificate with")
def test_with_a_certificate_it_is_served_over_https(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    make += ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = [*make, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    with served(tls=(certificate, key)) as server:
        context = ssl.create_default_context(cafile=str(certificate))
        connection = HTTPSConnection(server.address, context=context)
        connection.request("GET", "/")
        response = connection.getresponse()
        assert response.status == 200 and b"<title>fmnist live</title>" in response.read()
        connection.close()


def test_an_address_of_a_kind_that_the_kernel_lacks_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def none(*_: object) -> None:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    monkeypatch.setattr(sockets, "socket", none)
    with pytest.raises(InputError, match="::1 is no address of this machine"):
        bind("::1", 0)


def test_nobody_waits_for_ever_for_a_picture(tmp_path: Path) -> None:
    ended = threading.Event()

    def detector(frame: Picture) -> Detections:
        ended.wait(60)
        return two_garments(frame)

    clip = clips.clip(tmp_path / "clip.mp4")
    with served(lambda _: detector, clip, silence=1.0) as server:
        with server.socket("watch") as client:
            client.send("{}")
            with pytest.raises(ConnectionClosed, match="no picture came for 1 seconds"):
                client.recv(timeout=60)
        ended.set()


def test_a_server_without_a_source_says_so() -> None:
    with (
        served() as server,
        server.socket("watch") as client,
        pytest.raises(ConnectionClosed, match="no camera or file of its own"),
    ):
        client.recv(timeout=60)
