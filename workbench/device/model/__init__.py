"""The functional model of the NPU: runs a design and a kernel as they are, in a process of its own.

It is a model of C semantics and of memory, not of time.
"""
