"""A design file in, a `Design` out. The parser is imported when the first one is read."""

from __future__ import annotations

import hashlib
from pathlib import Path

from workbench.design.model import Design
from workbench.errors import DesignError


def read_design(
    path: Path | str, *, device: str | None = None, sequence: str | None = None
) -> Design:
    """Read one device of an MLIR file and one of its runtime sequences.

    Without a name the first device and the first sequence are taken, and `notes` says which were
    not. Raises DesignError, with file:line, for whatever can't be read, is not supported by the
    model device, or breaks a rule of the toolchain that needs no run to see.
    """
    try:
        content = Path(path).read_bytes()
    except FileNotFoundError:
        raise DesignError("there is no such design", where=str(path)) from None
    except OSError as error:
        reason = error.strerror or error
        raise DesignError(f"the design can't be read: {reason}", where=str(path)) from None
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DesignError("the design is not UTF-8 text", where=f"{path}:{line}") from None
    return parse_design(text, path, device=device, sequence=sequence)


def parse_design(
    text: str, path: Path | str, *, device: str | None = None, sequence: str | None = None
) -> Design:
    """`read_design` of a text; `path` is what messages name. Raises DesignError as it does."""
    from workbench.design.module import read_module

    digest = hashlib.sha256(text.encode()).hexdigest()
    return read_module(text, str(path), digest, device=device, sequence=sequence)
