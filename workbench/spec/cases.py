"""Cases: the inputs and the reference of one input set and seed, cached by what they depend on.

The spec's own Python runs in a child process (`workbench.spec.child`), never here: it may import
torch, loop or exit. This module finds what the child wrote, and says what to ask it.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import manifest
from workbench.errors import SpecError
from workbench.spec.model import Promise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LAYOUT = 1
"""Raised when the cached files change their meaning."""


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A promise, and every file it was made from with its hash (the spec and what it imports)."""

    path: Path
    promise: Promise
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs and reference by tensor name, in storage dtype and declared shape."""

    set_name: str
    seed: int
    inputs: dict[str, npt.NDArray[np.generic]]
    reference: dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a spec: its promise, and the case of one input set and seed.

    `set_name` None asks for the spec's first set; `cache` is the project's cache folder.
    """

    spec: Path
    cache: Path
    set_name: str | None
    seed: int


def child_command() -> list[str]:
    """The command of the child; it reads `child_input` and answers in JSON lines on stdout."""
    return [sys.executable, "-P", "-m", "workbench.spec.child"]


def child_input(request: Request) -> bytes:
    """What the child reads on its standard input."""
    return json.dumps(
        {
            "spec": str(request.spec),
            "cache": str(request.cache),
            "set": request.set_name,
            "seed": request.seed,
        }
    ).encode()


def promise_manifest(request: Request) -> Path:
    """Where the promise of this very spec text is cached."""
    key = manifest.key_of(LAYOUT, str(request.spec), manifest.sha256_file(request.spec))
    return request.cache / "promises" / f"{key}.json"


def case_manifest(request: Request, loaded: LoadedSpec) -> Path:
    """Where the case is cached; its arrays lie beside it as .npz."""
    name = set_name_of(request, loaded.promise)
    packages = [_version("numpy"), _version("torch")]
    key = manifest.key_of(LAYOUT, packages, loaded.files, name, request.seed)
    return request.cache / "cases" / f"{key}.json"


def cached_spec(request: Request) -> LoadedSpec | None:
    """The spec from the cache, when neither it nor what it imports has changed."""
    data = manifest.read(promise_manifest(request))
    return None if data is None else loaded_from(request, data)


def loaded_from(request: Request, data: dict[str, Any]) -> LoadedSpec:
    """The spec that the child described."""
    return LoadedSpec(request.spec, Promise.from_json(data["promise"]), data["files"])


def cached_case(request: Request, loaded: LoadedSpec) -> Case | None:
    """The case from the cache, or None when it must be computed."""
    import numpy as np

    path = case_manifest(request, loaded)
    if manifest.read(path) is None:
        return None
    inputs: dict[str, npt.NDArray[np.generic]] = {}
    reference: dict[str, npt.NDArray[np.generic]] = {}
    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as arrays:
            for key in arrays.files:
                kind, _, name = key.partition(":")
                (inputs if kind == "in" else reference)[name] = arrays[key]
    except (OSError, ValueError, KeyError):
        return None
    return Case(set_name_of(request, loaded.promise), request.seed, inputs, reference)


def set_name_of(request: Request, promise: Promise) -> str:
    """The input set that is meant; SpecError when the spec doesn't have it."""
    name = request.set_name or promise.input_sets[0]
    if name not in promise.input_sets:
        raise SpecError(
            f"no input set {name!r}",
            where=str(request.spec),
            hint=f"the spec has {', '.join(promise.input_sets)}",
        )
    return name


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"
