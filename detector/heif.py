"""HEIC and AVIF, the photos of phones: still pictures in an MP4's boxes (ISO/IEC 23008-12)."""

BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
BRANDS |= {b"avif", b"avis"}


def is_heif(head: bytes) -> bool:
    """Whether a file that begins with these bytes, 12 at least, is one of them."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS
