"""TensorRT, on a GPU: an engine built for the very GPU that it runs on, in fp32 with TF32."""

from pathlib import Path

import tensorrt
import torch
from jaxtyping import UInt8
from torch import Tensor

from detector.backends import onnx
from detector.backends.graphs import Graph, Runner
from detector.layouts import MOST_BOXES
from fmnist.errors import InputError

LOGGER = tensorrt.Logger(tensorrt.Logger.ERROR)
# What an engine has to be ready for.
SMALLEST = {"batch": 1, "height": 32, "width": 32}
LARGEST = {"batch": MOST_BOXES, "height": 1280, "width": 1280}


def write(graph: Graph, path: Path) -> None:
    """Build the engine; minutes. Raises RuntimeError where TensorRT cannot read the graph."""
    model = path.with_suffix(".onnx")
    onnx.write(graph, model)
    builder = tensorrt.Builder(LOGGER)
    network = builder.create_network(0)
    parser = tensorrt.OnnxParser(network, LOGGER)
    if not parser.parse_from_file(str(model)):
        raise RuntimeError(str(parser.get_error(0)))
    model.unlink()
    config = builder.create_builder_config()
    profile = builder.create_optimization_profile()
    usual = tuple(graph.example.shape)
    smallest, largest = (
        [sizes[graph.free[i]] if i in graph.free else side for i, side in enumerate(usual)]
        for sizes in (SMALLEST, LARGEST)
    )
    profile.set_shape(graph.source, smallest, usual, largest)
    config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise RuntimeError("TensorRT built no engine")
    path.write_bytes(plan)


def read(path: Path, device: torch.device, precise: bool = False) -> Runner:
    """Run the engine on torch's own memory and stream."""
    with torch.cuda.device(device):  # TensorRT takes whichever is the current one
        engine = tensorrt.Runtime(LOGGER).deserialize_cuda_engine(path.read_bytes())
        if engine is None:
            raise RuntimeError(f"TensorRT cannot read {path}: it is of another GPU or version")
        context = engine.create_execution_context()
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    source, *outputs = names

    def run(batch: UInt8[Tensor, "batch ..."]) -> tuple[Tensor, ...]:
        given = batch.to(device).contiguous()
        if not context.set_input_shape(source, tuple(given.shape)):
            raise InputError(
                f"{list(given.shape)} does not fit this engine. Choose --backend torch."
            )
        context.set_tensor_address(source, given.data_ptr())
        found = []
        for name in outputs:
            shape = tuple(context.get_tensor_shape(name))
            found.append(torch.empty(shape, dtype=torch.float32, device=device))
            context.set_tensor_address(name, found[-1].data_ptr())
        stream = torch.cuda.current_stream(device)
        with torch.cuda.device(device):
            if not context.execute_async_v3(stream.cuda_stream):
                raise RuntimeError("TensorRT did not run its engine")
        stream.synchronize()  # `given` may go now
        return tuple(found)

    return run
