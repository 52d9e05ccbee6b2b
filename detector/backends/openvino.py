"""OpenVINO, on the CPU: in bf16 where that has instructions for it."""

import errno
import os
import warnings
from functools import cache
from pathlib import Path
from threading import Lock

import openvino
import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.graphs import Graph, Runner


def write(graph: Graph, path: Path) -> None:
    """Write NAME.xml and, beside it, the weights as NAME.bin."""
    shape = [-1 if place in graph.free else side for place, side in enumerate(graph.example.shape)]
    source = (openvino.PartialShape(shape), openvino.Type.u8)
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it traces, which torch calls outdated
        model = openvino.convert_model(graph, example_input=graph.example, input=[source])
    model.inputs[0].set_names({graph.source})
    for output, name in zip(model.outputs, graph.outputs, strict=True):
        output.set_names({name})
    try:
        openvino.save_model(model, path, compress_to_fp16=False)
    except RuntimeError as error:
        if "basic_ios" not in str(error):  # of C++'s streams, which tell no more
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path)) from error


def read(path: Path, device: torch.device, precise: bool = False) -> Runner:
    """Run the file with as many threads as torch has; `precise`: in fp32."""
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": torch.get_num_threads(),
        **({"INFERENCE_PRECISION_HINT": "f32"} if precise else {}),
    }
    compiled = _core().compile_model(path, "CPU", settings)
    request = compiled.create_infer_request()
    lock = Lock()  # a request answers one thread at a time, and refuses others

    def run(batch: UInt8[Tensor, "batch ..."]) -> tuple[Tensor, ...]:
        with lock:
            request.infer([batch.numpy()], share_inputs=True)
            found = [request.get_output_tensor(i).data for i in range(len(compiled.outputs))]
            return tuple(torch.tensor(array) for array in found)  # the next run overwrites them

    return run


@cache
def _core() -> openvino.Core:
    """The one Core of the process, kept to its end.

    Each sets a stack of its own for signal handlers, and takes it along when it goes: after two
    of them the next Ctrl-C would be a segmentation fault.
    """
    return openvino.Core()
