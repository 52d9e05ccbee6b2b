"""Who works on which core while video is read, looked at and written."""

import cv2
import torch


def leave_a_core() -> None:
    """Use one thread less than there are cores: video is decoded and encoded beside the networks.

    On two cores torch is as fast so, because its second thread would wait for that core; so would
    OpenCV's.
    """
    torch.set_num_threads(max(1, torch.get_num_threads() - 1))
    cv2.setNumThreads(1)
