"""OpenCV is silent while a source is open, and as loud as before when none is."""

import cv2

from detector.video.quiet import quiet_opencv

SILENT = cv2.utils.logging.LOG_LEVEL_SILENT


def test_sources_that_overlap_give_back_the_level_of_before() -> None:
    level = cv2.utils.logging.getLogLevel()
    first, second = quiet_opencv(), quiet_opencv()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert cv2.utils.logging.getLogLevel() == SILENT
    second.__exit__(None, None, None)
    assert cv2.utils.logging.getLogLevel() == level != SILENT
