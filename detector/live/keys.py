"""The keys of the live window."""

from enum import Enum


class Key(Enum):
    """What a key does: the characters that mean it, its name in the help, and the help."""

    QUIT = "q\x1b", "q, Esc", "quit"
    PAUSE = " ", "space", "pause, and go on"
    SNAPSHOT = "sS", "s", "save this picture"
    RECORD = "rR", "r", "start or end a recording"
    LABELS = "lL", "l", "labels on or off"
    SURER = "+=", "+", "only surer boxes"
    LESS_SURE = "-_", "-", "less sure boxes, too"
    HELP = "hH?", "h", "this help"

    def __init__(self, characters: str, shown: str, help: str) -> None:
        self.characters = characters
        self.shown = shown
        self.help = help


def pressed(code: int) -> Key | None:
    """The key behind the number that `cv2.waitKey` gives; None: none, or one without meaning."""
    if code < 0:
        return None
    return next((key for key in Key if chr(code & 0xFF) in key.characters), None)
