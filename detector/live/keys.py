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


# Keys without a character by their X11 number; the others of that kind, arrows, have no meaning.
NAMED = {0xFF1B: "\x1b", 0xFFAB: "+", 0xFFAD: "-"}  # Esc, and the two of the number pad


def pressed(code: int) -> Key | None:
    """The key behind the number that `cv2.waitKeyEx` gives; None: none, or one without meaning."""
    if code < 0:
        return None
    number = code & 0xFFFF  # above it are the modifiers, as GTK tells them
    character = NAMED.get(number, "") if number > 0xFF else chr(number)
    return next((key for key in Key if character and character in key.characters), None)
