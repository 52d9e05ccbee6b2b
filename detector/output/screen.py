"""The window of `fmnist detect --show`, and whether one was closed."""

import threading

import cv2

from detector.boxes import Picture

TITLE = "fmnist detect"
ESCAPE = 27


class Closing:
    """Whether a window of OpenCV was closed: it was visible, and is so no longer.

    A new one takes its time to be visible.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._was_visible = False

    def __call__(self) -> bool:
        try:
            is_visible = cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) >= 1
        except cv2.error:  # Qt has no window at all: not yet, or not any more
            is_visible = False
        self._was_visible = self._was_visible or is_visible
        return self._was_visible and not is_visible


class Screen:
    """Shows one picture after the other until somebody has seen enough."""

    def __init__(self) -> None:
        self._is_closed = Closing(TITLE)

    def ends(self, picture: Picture, stays: threading.Event | None) -> bool:
        """Show it; whether q or Escape was pressed, or the window closed.

        One that `stays` does so until any key, or until that is set.
        """
        if self._is_closed():
            return True  # imshow would open it again
        cv2.imshow(TITLE, picture)
        key, is_closed = cv2.waitKey(1), self._is_closed()
        while stays and key < 0 and not is_closed and not stays.is_set():
            key, is_closed = cv2.waitKey(50), self._is_closed()
        return is_closed or key & 0xFF in (ord("q"), ESCAPE)
