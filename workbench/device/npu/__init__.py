"""The NPU: a design's xclbin run through pyxrt, in a process of its own."""
