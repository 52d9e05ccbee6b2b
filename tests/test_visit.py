"""Visitors who send frames: ten at once, one who asks for more, and those who mean no good."""

import json
import socket as sockets
import struct
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from detector.boxes import AnyDetector, Detections, Picture
from detector.web.app import VISITORS
from detector.web.messages import MOST_A_SECOND
from detector.web.pictures import MAX_BYTES
from detector.web.visit import BAD_IN_A_ROW
from tests import clips
from tests.display import wait_until
from tests.live_window import two_garments
from tests.served import Served, answer, jpeg, served


@pytest.fixture(scope="module")
def server() -> Iterator[Served]:
    with served() as running:
        yield running


def closed(client: "object") -> tuple[int, str]:
    """Code and reason with which the server hangs up."""
    with pytest.raises(ConnectionClosed) as told:
        while True:
            client.recv(timeout=60)  # type: ignore[attr-defined]
    assert told.value.rcvd is not None
    return told.value.rcvd.code, told.value.rcvd.reason


def test_a_frame_is_answered_with_its_boxes(server: Served) -> None:
    with server.socket() as client:
        client.send(jpeg())
        told = answer(client)
        assert told["size_wh"] == list(clips.SIZE_WH)
        assert [(box["label"], box["id"]) for box in told["boxes"]] == [
            ("Shirt", 3),
            ("Trouser", 8),
        ]
        assert told["boxes"][0]["xyxy"] == pytest.approx([19.2, 38.4, 76.8, 115.2], abs=0.1)
        assert told["model_ms"] >= 0


def test_the_page_tells_the_confidence_it_wants_and_how_late_it_was(server: Served) -> None:
    with server.socket() as client:
        client.send(json.dumps({"confidence": 0.5}))
        client.send(jpeg())
        assert len(answer(client)["boxes"]) == 1
        before = server.figures.frames
        client.send(json.dumps({"shown_ms": 80}))
        wait_until(lambda: server.figures.frames == before + 1)
        client.send(json.dumps({"confidence": float("nan"), "shown_ms": "x", "y": 10**400}))
        client.send(jpeg())
        assert len(answer(client)["boxes"]) == 1


def test_who_watches_the_server_s_own_clip_is_counted_too(tmp_path: Path) -> None:
    with served(clip=clips.clip(tmp_path / "clip.mp4")) as server, server.socket("watch") as client:
        for message in ({}, {"shown_ms": 80}):
            assert server.figures.frames == 0
            client.send(json.dumps(message))
            answer(client)
            client.recv(timeout=60)
        assert server.figures.frames == 1


def test_ten_visitors_at_once_have_a_memory_each_and_one_thread_for_all() -> None:
    memories: list[list[int]] = []
    threads: set[int] = set()

    def watch(least: float) -> AnyDetector:
        seen: list[int] = []
        memories.append(seen)

        def detector(frame: Picture) -> Detections:
            seen.append(clips.number_of(frame))
            threads.add(threading.get_ident())
            return two_garments(frame)

        return detector

    together = threading.Barrier(10)

    def visit(running: Served, number: int) -> None:
        with running.socket() as client:
            together.wait(60)
            for _ in range(20):
                client.send(jpeg(number))
                assert len(answer(client)["boxes"]) == 2

    with served(watch) as running, ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: visit(running, number), range(10)))
    assert sorted(memories) == [[number] * 20 for number in range(10)]
    assert len(threads) == 1


# Each row: what is sent, what the visitor reads.
BAD = [
    (b"garbage" * 50, "no JPEG"),
    (cv2.imencode(".jpg", np.zeros((6250, 8000, 3), np.uint8))[1].tobytes(), "8000x6250"),
    (jpeg()[: len(jpeg()) // 2], "incomplete"),
    ("no JSON", "no JSON"),
    ("[" * 1000, "no JSON"),
    ("[" * 1001, "1001 characters: at most 1000"),
    ('{"confidence": 1}' + " " * 1_000_000, "characters: at most 1000"),
    ("[1]", "no JSON object"),
    ("", "no JSON"),
]


@pytest.mark.parametrize(("message", "reason"), BAD)
def test_what_is_wrong_is_told_and_the_next_frame_is_answered(
    server: Served, message: bytes | str, reason: str
) -> None:
    with server.socket() as client:
        client.send(message)
        assert reason in answer(client)["error"]
        client.send(jpeg())
        assert len(answer(client)["boxes"]) == 2


def test_who_sends_nothing_right_has_to_go(server: Served) -> None:
    with server.socket() as client:
        for _ in range(BAD_IN_A_ROW):
            client.send(b"garbage")
        code, reason = closed(client)
    assert code == 1008 and reason.startswith(f"{BAD_IN_A_ROW} bad messages")


def test_who_sends_too_fast_has_to_go(server: Served) -> None:
    with server.socket() as client:
        with pytest.raises(ConnectionClosed):
            for _ in range(20 * MOST_A_SECOND):
                client.send("{}")
            client.recv(timeout=60)
        assert closed(client) == (1008, f"more than {MOST_A_SECOND} messages in a second")


def test_a_message_that_is_too_long_is_not_read(server: Served) -> None:
    with server.socket() as client, pytest.raises(ConnectionClosed) as told:
        client.send(bytes(MAX_BYTES + 1))
        client.recv(timeout=60)
    # The server hangs up before it has read it all, so that its word may be lost on the way.
    assert told.value.rcvd is None or told.value.rcvd.code == 1009
    with server.socket() as another:
        another.send(jpeg())
        assert "boxes" in answer(another)


def test_nothing_is_packed() -> None:
    with served() as running, connect(f"ws://{running.address}/frames") as client:
        assert client.response and "Sec-WebSocket-Extensions" not in client.response.headers


def test_who_is_silent_or_stops_within_a_frame_has_to_go() -> None:
    picture = jpeg()
    with served(silence=0.3) as running, running.socket() as client:
        assert closed(client) == (1008, "nothing was sent for 0 seconds")
    with served(silence=2) as running, running.socket() as client:
        client.send(picture)
        answer(client)

        def half() -> Iterator[bytes]:
            yield picture[:1000]
            assert closed(client)[0] == 1008

        with pytest.raises(ConnectionClosed):
            client.send(half())


def test_half_a_handshake_and_no_websocket_at_all_hurt_nobody(server: Served) -> None:
    host, port = server.address.split(":")
    for data in (b"", b"GET /frames HTTP/1.1\r\nHost: x", b"\x16\x03\x01" * 100, bytes(10_000)):
        with sockets.create_connection((host, int(port))) as connection:
            connection.sendall(data)
    with server.socket() as client:
        client.send(jpeg())
        assert len(answer(client)["boxes"]) == 2


def test_a_visitor_who_leaves_before_his_answer_is_forgotten(server: Served) -> None:
    def is_served(leaves: bool) -> bool:
        with server.socket() as client:
            try:
                client.send(jpeg())
                return leaves or len(answer(client)["boxes"]) == 2
            except ConnectionClosed:  # there was no room yet
                return False

    for _ in range(VISITORS + 1):
        wait_until(lambda: is_served(leaves=True))
    wait_until(lambda: is_served(leaves=False))


def test_who_vanishes_without_a_word_leaves_his_place_to_others() -> None:
    with served() as running:
        clients = [running.socket() for _ in range(VISITORS)]
        for client in clients:
            client.send(jpeg())
            answer(client)
        vanished = clients.pop()
        # Closed so, TCP resets the connection: no closing frame, as after a crash.
        option = struct.pack("ii", 1, 0)
        vanished.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_LINGER, option)
        vanished.socket.shutdown(sockets.SHUT_RD)
        vanished.socket.close()

        def is_served() -> bool:
            with running.socket() as late:
                try:
                    late.send(jpeg())
                    return len(answer(late)["boxes"]) == 2
                except ConnectionClosed:
                    return False

        wait_until(is_served)
        for client in clients:
            client.close()


def test_frames_of_one_visitor_are_answered_in_their_order(server: Served) -> None:
    with server.socket() as client:
        for size in range(32, 64, 4):
            client.send(jpeg(5, (2 * size, size)))
        sizes = [answer(client)["size_wh"][1] for _ in range(32, 64, 4)]
    assert all(first < second for first, second in pairwise(sizes))
