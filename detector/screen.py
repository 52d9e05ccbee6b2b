"""The window of `fmnist detect --show`, and whether one is there."""

import threading

import cv2

from detector.boxes import Picture

TITLE = "fmnist detect"
ESCAPE = 27


class Screen:
    """Shows one picture after the other until somebody has seen enough."""

    def __init__(self) -> None:
        self._was_visible = False

    def ends(self, picture: Picture, stays: threading.Event | None) -> bool:
        """Show it; whether q or Escape was pressed, or the window closed.

        One that `stays` does so until any key, or until that is set.
        """
        if self._was_visible and not self._is_there():
            return True  # imshow would open it again
        cv2.imshow(TITLE, picture)
        key, is_there = cv2.waitKey(1), self._is_there()
        while stays and key < 0 and is_there and not stays.is_set():
            key, is_there = cv2.waitKey(50), self._is_there()
        return not is_there or key & 0xFF in (ord("q"), ESCAPE)

    def _is_there(self) -> bool:
        """Not closed: a new one takes its time to be visible."""
        visible = is_visible(TITLE)
        is_there = visible or not self._was_visible
        self._was_visible = visible
        return is_there


def is_visible(title: str) -> bool:
    """Whether a window of OpenCV is on the screen; none is before its first picture."""
    try:
        return cv2.getWindowProperty(title, cv2.WND_PROP_VISIBLE) >= 1
    except cv2.error:  # Qt has no window at all, any more
        return False
