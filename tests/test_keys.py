"""The keys: each has one meaning, and a name for the help."""

from detector.live.keys import Key, pressed


def test_every_character_means_one_key() -> None:
    characters = "".join(key.characters for key in Key)
    assert len(characters) == len(set(characters))
    for key in Key:
        for character in key.characters:
            assert pressed(ord(character)) is key
            assert pressed(ord(character) | 0x100000) is key  # with a modifier, as GTK tells it


def test_no_key_and_one_without_meaning_are_none() -> None:
    assert pressed(-1) is None
    assert pressed(ord("~")) is None
    for arrow in range(0xFF51, 0xFF55):  # their last bytes are those of Q, R, S and T
        assert pressed(arrow) is None
    assert pressed(0xFF1B) is Key.QUIT and pressed(0xFFAB) is Key.SURER
