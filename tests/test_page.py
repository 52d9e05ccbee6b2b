"""The page in a real browser (headless Chromium), whose camera plays a clip of ours."""

import itertools
import threading
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from detector.boxes import Detections, Picture
from detector.defaults import CONFIDENCE, LEAST_ASKED, MOST_ASKED
from detector.pipeline import Detector
from detector.video.frames import read
from fmnist.classes import CLASSES
from tests import clips
from tests.browser import CHROMIUM, Browser, browser, camera_clip
from tests.command import ROOT
from tests.display import in_colour_of, pixels_of, wait_until
from tests.live_window import two_garments
from tests.served import Served, failing_while, served

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed")
BOXES = "window.fmnist.boxes()"
MESSAGE = "document.querySelector('#message').textContent"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    clip = clips.clip(tmp_path_factory.mktemp("page") / "clip.mp4", size_wh=(320, 240))
    with served(clip=clip) as running:
        yield running


@pytest.fixture(scope="module")
def page(server: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a camera that shows numbered pictures."""
    folder = tmp_path_factory.mktemp("browser")
    camera = camera_clip(folder / "c.y4m", [clips.numbered(i, (320, 240)) for i in range(30)])
    with browser(folder / "profile", camera) as opened:
        yield opened


def right_end(picture: Picture, name: str) -> float:
    """Where the colour of the class ends, as a share of the width."""
    columns = np.nonzero(in_colour_of(picture, name))[1]
    return float(columns.max(initial=0) / picture.shape[1])


def stage(page: Browser) -> Picture:
    """What the canvas shows."""
    x, y, width, height = page.value(
        "(({x, y, width, height}) => [x, y, width, height].map(Math.round))"
        "(document.querySelector('canvas').getBoundingClientRect())"
    )
    return page.screenshot()[y : y + height, x : x + width]


def test_the_browsers_camera_gets_boxes_and_labels(page: Browser, server: Served) -> None:
    page.open(server.url)
    page.click("#camera")
    page.wait("document.querySelector('#stage').dataset.state === 'live' && fmnist.size()[0] < 640")
    boxes = page.wait(f"{BOXES}.length === 2 && {BOXES}")
    assert [box["label"] for box in boxes] == ["Shirt", "Trouser"]
    assert page.value("window.fmnist.size()") == [320, 240]
    picture = stage(page)
    assert pixels_of(picture, "Shirt") > 1000 and pixels_of(picture, "Trouser") > 1000
    # The canvas is as large as its picture fits; boxes lie where they were seen.
    rows, columns = np.nonzero(in_colour_of(picture, "Trouser"))
    assert columns.min() / picture.shape[1] == pytest.approx(0.6, abs=0.05)
    assert rows.max() / picture.shape[0] == pytest.approx(0.8, abs=0.05)
    assert page.wait("window.fmnist.statistics().frames > 5")
    assert page.value("window.fmnist.statistics().p95") > 0
    assert page.value("document.querySelector('#fps').textContent") != "–"
    assert server.figures.frames > 0
    assert page.errors == []


def test_slider_filter_pause_and_mirror(page: Browser, server: Served) -> None:
    page.open(server.url)
    page.click("#camera")
    page.wait(f"{BOXES}.length === 2")
    slide = "(e => { e.value = {}; e.dispatchEvent(new Event('input')) })"
    page.value(slide.replace("{}", "0.5", 1) + "(document.querySelector('#confidence'))")
    page.wait(f"{BOXES}.length === 1")
    page.value(slide.replace("{}", "0.1", 1) + "(document.querySelector('#confidence'))")
    page.wait(f"{BOXES}.length === 2")
    page.click("[data-class='Shirt']")
    page.wait(f"{BOXES}.length === 1 && {BOXES}[0].label === 'Trouser'")
    page.click("[data-class='Shirt']")
    page.click("#pause")
    page.wait("document.querySelector('#pause').textContent === 'Go on'")
    page.click("#mirror")
    # Painted a moment after it was drawn.
    wait_until(lambda: right_end(stage(page), "Trouser") == pytest.approx(0.4, abs=0.05))
    picture = stage(page)
    frames = page.value("window.fmnist.statistics().frames")
    np.testing.assert_array_equal(stage(page), picture)
    page.click("#pause")
    page.wait(f"window.fmnist.statistics().frames > {frames}")


def test_the_slider_offers_what_the_server_takes() -> None:
    html = (ROOT / "detector/web/page/page.html").read_text()
    assert f'min="{LEAST_ASKED}" max="{MOST_ASKED}" step="0.01" value="{CONFIDENCE}"' in html


@pytest.mark.parametrize("elsewhere", ["", "https://example.org/fmnist"])
def test_the_source_is_linked(page: Browser, elsewhere: str) -> None:
    with served(token="right", source_url=elsewhere) as server:
        page.open(f"{server.url}?token=right")
        page.wait("document.querySelector('#source').getAttribute('href')")
        href = page.value("document.querySelector('#source').href")
    assert href == (elsewhere or f"{server.url.rstrip('/')}/source?token=right")


def test_a_snapshot_is_saved(page: Browser, server: Served, tmp_path: Path) -> None:
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    page.open(server.url)
    page.click("#camera")
    page.wait(f"{BOXES}.length === 2")
    page.click("#snapshot")
    page.wait("document.querySelector('#message').textContent.startsWith('Saved fmnist-')")
    wait_until(lambda: any(tmp_path.glob("fmnist-*.png")))
    (saved,) = tmp_path.glob("fmnist-*.png")
    assert pixels_of(np.asarray(cv2.imread(str(saved)), np.uint8), "Shirt") > 100


def test_the_servers_clip_plays_on_a_phone_too(page: Browser, server: Served) -> None:
    page.open(server.url, width=360, height=740, is_phone=True)
    page.click("#feed")
    page.wait(f"{BOXES}.length === 2")
    page.wait("window.fmnist.statistics().frames > 3")
    assert page.value("document.documentElement.scrollWidth") <= 360
    small = page.value(
        "[...document.querySelectorAll('button')].filter(b => b.offsetParent)"
        ".map(b => b.getBoundingClientRect().height).filter(h => h < 36)"
    )
    assert small == []
    assert pixels_of(stage(page), "Shirt") > 300
    assert page.errors == []


def test_a_photo_is_looked_at(page: Browser, server: Served, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "photo.png"), clips.numbered(9, (640, 320)))
    page.open(server.url)
    choose(page, tmp_path / "photo.png")
    page.wait(f"fmnist.size() && fmnist.size()[0] === 640 && {BOXES}.length === 2")
    assert page.value("window.fmnist.size()") == [640, 320]


def test_a_clip_is_played_over_and_over_and_looked_at(
    page: Browser, server: Served, tmp_path: Path
) -> None:
    clip = clips.clip(tmp_path / "clip.mp4", clips.TIMES[:20])  # 0.8 s
    page.open(server.url)
    choose(page, clip)
    page.wait(f"fmnist.size() && fmnist.size()[0] === 192 && {BOXES}.length === 2")
    first = page.value("fmnist.statistics().frames")
    page.wait(f"fmnist.statistics().frames > {first} + 25")
    assert page.value("window.fmnist.size()") == [192, 128]
    assert page.errors == []


def test_a_file_that_is_no_video_is_told(page: Browser, server: Served, tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("This is no video.")
    page.open(server.url)
    choose(page, tmp_path / "text.mp4")
    page.wait("document.body.textContent.includes('text.mp4 is no video that this browser plays')")


def choose(page: Browser, file: Path) -> None:
    """Give the page a file, as the dialogue would."""
    page.call("DOM.enable")
    root = page.call("DOM.getDocument")["root"]["nodeId"]
    node = page.call("DOM.querySelector", nodeId=root, selector="#file")["nodeId"]
    page.call("DOM.setFileInputFiles", nodeId=node, files=[str(file)])


def test_what_is_wrong_is_told_until_there_is_a_picture(page: Browser, tmp_path: Path) -> None:
    broken = threading.Event()
    broken.set()
    with served(failing_while(broken), clips.clip(tmp_path / "clip.mp4")) as server:
        page.open(server.url)
        page.click("#feed")
        page.wait(f"{MESSAGE}.startsWith('internal error')")
        page.value("window.hidden = 0")
        page.value(
            "void new MutationObserver(() => window.hidden += document.querySelector('#message')"
            ".textContent === '').observe(document.querySelector('#message'), {childList: true})"
        )
        page.wait(f"performance.now() > {page.value('performance.now()') + 2500}")
        assert page.value("window.hidden") == 0, "it tried anew meanwhile"
        broken.clear()
        page.wait(f"{BOXES}.length === 2 && {MESSAGE} === ''")


def test_a_server_that_falls_silent_is_told_and_tried_again(page: Browser) -> None:
    """As after a dead link, of which a browser hears nothing."""
    answers = threading.Event()

    def detector(frame: Picture) -> Detections:
        answers.wait()
        return two_garments(frame)

    with served(lambda _: detector) as server:
        page.open(server.url)
        page.value("fmnist.limits.answer = 1500")
        page.click("#camera")
        page.wait(f"{MESSAGE}.startsWith('The server does not answer')")
        answers.set()
        page.wait(f"{BOXES}.length === 2 && {MESSAGE} === ''")
        page.wait("document.querySelector('#garments').textContent === 'Shirt, Trouser'")


def test_a_large_photo_is_shrunk_in_the_page(page: Browser, server: Served, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "large.jpg"), clips.numbered(5, (6000, 3000)))
    page.open(server.url)
    choose(page, tmp_path / "large.jpg")
    page.wait(f"{BOXES}.length === 2")
    size = "(({width, height}) => [width, height])(document.querySelector('canvas'))"
    assert page.value(size) == [2048, 1024]


def test_a_wrong_token_is_told(page: Browser) -> None:
    with served(token="right") as locked:
        page.open(locked.url)
        assert "token is missing" in page.value("document.body.textContent")
        page.open(f"{locked.url}?token=right")
        page.click("#camera")
        page.wait(f"{BOXES}.length === 2")


def test_the_demo_clip_in_front_of_the_camera_has_its_garments(tmp_path: Path) -> None:
    frames = itertools.islice(read(ROOT / "demo" / "garments.mp4"), 0, 40, 2)
    small = [cv2.resize(frame.image, (640, 360)) for frame in frames]
    camera = camera_clip(tmp_path / "c.y4m", [np.asarray(image, np.uint8) for image in small])
    detector = Detector()
    with served(lambda least: detector) as server, browser(tmp_path / "profile", camera) as page:
        page.open(server.url)
        page.click("#start")
        boxes = page.wait(f"{BOXES}.filter(box => box.label).length >= 3 && {BOXES}")
    assert {box["label"] for box in boxes} <= {*CLASSES, None}
    names = {CLASSES[i] for image in small[::4] for i in detector(np.asarray(image)).labels}
    assert {box["label"] for box in boxes if box["label"]} & names
