"""Who works on which core while video is read, looked at and written."""

import cv2
import torch


def leave_a_core() -> None:
    """Use one thread less than now: video is decoded and encoded beside the networks.

    To be called once: torch begins with as many as there are cores. On two cores it is as fast so,
    because its second thread would wait for that core; so would OpenCV's.
    """
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    cv2.setNumThreads(1)
