"""The backends by name: what each needs, and where it runs. Nothing heavy is imported here."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, packages_distributions, version
from importlib.util import find_spec

from fmnist.checks import known
from fmnist.errors import InputError

AUTO = "auto"


@dataclass(frozen=True)
class Backend:
    """How its files end, the modules that it needs, the devices it runs on, and how to get it."""

    suffix: str
    modules: tuple[str, ...]
    devices: tuple[str, ...]
    extra: str = ""  # of our own package

    @property
    def missing(self) -> list[str]:
        """The modules that are not installed."""
        return [name for name in self.modules if find_spec(name) is None]


BACKENDS = {
    "torch": Backend("", (), ("cpu", "cuda")),
    "torchscript": Backend(".torchscript", (), ("cpu", "cuda")),
    "onnx": Backend(".onnx", ("onnx", "onnxruntime"), ("cpu",), "onnx"),
    "openvino": Backend(".xml", ("openvino",), ("cpu",), "openvino"),
    "engine": Backend(".engine", ("onnx", "tensorrt"), ("cuda",), "tensorrt"),
}
FORMATS = tuple(name for name, backend in BACKENDS.items() if backend.suffix)


def installed(name: str) -> str:
    """The name if it is `auto` or that of a backend that is here.

    Raises:
        InputError: there is no such backend, or a library is missing; the text tells the extra.
    """
    if name == AUTO:
        return name
    backend = BACKENDS[known(name, [AUTO, *BACKENDS], "backend")]
    if missing := backend.missing:
        raise InputError(
            f"{name} needs {' and '.join(missing)}. "
            f"Install it: pip install 'fmnist[{backend.extra}]'"
        )
    return name


def version_of(module: str) -> str:
    """The version of whatever package brings it: onnxruntime-gpu brings onnxruntime, too."""
    try:
        return version(module)
    except PackageNotFoundError:
        return version(packages_distributions()[module][0])


def runs_on(name: str, device: str) -> str:
    """The name if that backend is installed and runs on a device of the type ("cpu", "cuda").

    Raises:
        InputError: it does not, or is not, or there is none of that name (`auto` is none).
    """
    installed(known(name, BACKENDS, "backend"))
    if device not in BACKENDS[name].devices:
        fitting = " or ".join(BACKENDS[name].devices)
        raise InputError(f"{name} does not run on {device}. Choose --device {fitting}.")
    return name
