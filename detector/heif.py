"""HEIC and AVIF, the photos of phones: still pictures in an MP4's boxes (ISO/IEC 23008-12)."""

# avis is animated: Pillow reads the first picture, FFmpeg no more. hevc and msf1 are videos.
BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1", b"avif", b"avis"})


def is_heif(head: bytes) -> bool:
    """Whether a file that begins with these bytes, 12 at least, is one of them."""
    return head[4:8] == b"ftyp" and head[8:12] in BRANDS
