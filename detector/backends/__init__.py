"""What runs the detector's networks: torch, or a library that compiles them for this machine.

None of them tells anybody: OpenVINO would report every import to Google, and ONNX Runtime its use
to Microsoft. This is settled here, before the module of either is imported.
"""

import os
import sys

sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # "not installed"
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
