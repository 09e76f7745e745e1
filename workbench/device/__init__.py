"""What executes a built kernel: the functional model of the core, or the NPU."""
