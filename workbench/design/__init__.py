"""Reads MLIR designs into a plain `Design`: what runs where, and how objects travel.

The model's classes need no parser, so that a pickled `Design` can be loaded without one.
"""

from workbench.design.model import Design
from workbench.design.read import parse_design, read_design

__all__ = ["Design", "parse_design", "read_design"]
