"""Whether a window can be opened, told before OpenCV would end the process."""

import sys
from pathlib import Path

import pytest

from detector.display import check_display
from fmnist.errors import InputError
from tests.display import MISSING, display


def test_a_window_needs_a_display(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with pytest.raises(InputError, match=r"no display\. Use fmnist live --web, or drop --show\."):
        check_display()
    monkeypatch.setenv("WAYLAND_DISPLAY", "wayland-0")
    plugins = tmp_path / "cv2/qt/plugins/platforms"
    plugins.mkdir(parents=True)
    (plugins / "libqxcb.so").touch()
    (tmp_path / "cv2/__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cv2")
    with pytest.raises(InputError, match="no display"):
        check_display()
    (plugins / "libqwayland-generic.so").touch()
    check_display()


@pytest.mark.skipif(MISSING is not None, reason=f"{MISSING} is not installed")
def test_a_window_needs_a_display_that_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    with display() as screen:
        monkeypatch.setenv("DISPLAY", screen.name)
        check_display()
    with pytest.raises(InputError, match=rf"no display at {screen.name}\. Use fmnist live --web"):
        check_display()
