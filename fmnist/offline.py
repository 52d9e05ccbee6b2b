"""The environment of ultralytics: it asks nobody, installs nothing, and stays in our cache."""

from fmnist.files import cache_folder


def offline(verbose: bool) -> dict[str, str]:
    """Variables for its import, or for its command; `verbose`: it prints what it found."""
    return {
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_VERBOSE": str(verbose).lower(),
        "ULTRALYTICS_SAFE_LOAD": "true",
        "YOLO_CONFIG_DIR": str(cache_folder() / "ultralytics"),
    }
