"""HEIC and AVIF, the photos of phones: still pictures in an MP4's boxes (ISO/IEC 23008-12)."""

# Not those of sequences (hevc, msf1, avis), which are videos.
BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif"})


def is_heif(head: bytes) -> bool:
    """Whether a file that begins with these bytes, 12 at least, is one of them."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS
