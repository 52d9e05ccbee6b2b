"""ONNX, run by ONNX Runtime on the CPU, in fp32."""

import warnings
from pathlib import Path

import onnxruntime
import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends.graphs import Graph, Runner

OPSET = 17  # the newest that TensorRT 8 and ONNX Runtime 1.14 read


def write(graph: Graph, path: Path) -> None:
    """Write the graph with its weights, its free dimensions named."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter that writes old opsets is called outdated
        torch.onnx.export(
            graph,
            (graph.example,),
            str(path),
            input_names=[graph.source],
            output_names=list(graph.outputs),
            dynamic_axes={
                graph.source: graph.free,
                **{name: graph.freed for name in graph.outputs},
            },
            opset_version=OPSET,
            dynamo=False,
        )


def read(path: Path, device: torch.device, precise: bool = False) -> Runner:
    """Run the file with as many threads as torch has."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0].name

    def run(batch: UInt8[Tensor, "batch ..."]) -> tuple[Tensor, ...]:
        found = session.run(None, {source: batch.numpy()})
        return tuple(torch.from_numpy(array) for array in found)

    return run
