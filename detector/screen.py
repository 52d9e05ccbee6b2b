"""The window of `fmnist detect --show`."""

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
        if not self._is_there():
            return True  # imshow would open it again
        cv2.imshow(TITLE, picture)
        key, is_there = cv2.waitKey(1), self._is_there()
        while stays and key < 0 and is_there and not stays.is_set():
            key, is_there = cv2.waitKey(50), self._is_there()
        return not is_there or key & 0xFF in (ord("q"), ESCAPE)

    def _is_there(self) -> bool:
        """Not closed: a new one takes its time to be visible."""
        is_visible = cv2.getWindowProperty(TITLE, cv2.WND_PROP_VISIBLE) >= 1
        is_there = is_visible or not self._was_visible
        self._was_visible = is_visible
        return is_there
