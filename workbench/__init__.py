"""npu-workbench: a live workbench for kernels of AMD's NPU."""

__version__ = "0.1.0"
