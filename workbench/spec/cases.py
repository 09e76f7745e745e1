"""Cases: the inputs and the reference of one input set and seed, cached by what they depend on.

The spec's own Python runs in a child process (`workbench.spec.child`), never here: it may import
torch, loop or exit. This module finds what the child wrote, and says what to ask it.
"""

from __future__ import annotations

import json
import os
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench import manifest
from workbench.errors import SpecError
from workbench.paths import shown
from workbench.spec.model import Promise

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

LAYOUT = 5
"""Raised when the cached files change their meaning."""

KEPT_AHEAD = 2_000
"""Files of cases that are kept while many are computed ahead; two a case."""


@dataclass(frozen=True, slots=True)
class LoadedSpec:
    """A promise, and every file it was made from with the hash of what was read.

    That is the spec, what it imports and what it opens. As `load_case` returns it, `files` also
    holds what only the input set and the reference read.
    """

    path: Path
    promise: Promise
    files: dict[str, str]


class BrokenSpec(SpecError):
    """A spec that raised or was refused; `files` are what it had read until then, with hashes."""

    files: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Case:
    """Inputs and reference by tensor name, in storage dtype and declared shape."""

    set_name: str
    seed: int
    inputs: dict[str, npt.NDArray[np.generic]]
    reference: dict[str, npt.NDArray[np.generic]]
    scalars: dict[str, int | float] = field(default_factory=dict)
    """What the kernel is passed with these inputs in place of the design's constants."""
    regime: str | None = None
    """What the spec says of these inputs."""
    ideal: dict[str, npt.NDArray[np.float64]] = field(default_factory=dict)
    """The references that the spec gives in floats, before they were rounded to the outputs."""


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


def child_input(
    request: Request,
    limit_s: float,
    domains: Path | None = None,
    also: Sequence[tuple[str, int]] = (),
    stages: Mapping[str, Any] | None = None,
    what_if: Path | None = None,
) -> bytes:
    """What the child reads on its standard input.

    With `domains`, a file to write, it answers with the domains of the spec's functions. `also`
    are further cases, by set and seed, that it is to compute and answer one by one. `stages` is
    what `spec.golden.evaluate` needs. `what_if` is a file to write what the reference gives for
    other operands to.
    """
    return json.dumps(
        {
            "spec": str(request.spec),
            "cache": str(request.cache),
            "set": request.set_name,
            "seed": request.seed,
            "limit_s": limit_s,
            "domains": domains and str(domains),
            "also": also,
            "stages": stages,
            "what_if": what_if and str(what_if),
        }
    ).encode()


def promise_manifest(request: Request) -> Path:
    """Where the promise of this very spec text is cached."""
    key = manifest.key_of(LAYOUT, str(request.spec), manifest.sha256_file(request.spec))
    return request.cache / "promises" / f"{key}.json"


def case_manifest(request: Request, loaded: LoadedSpec) -> Path:
    """Where the case is cached; its arrays lie beside it as .npz."""
    name = set_name_of(request, loaded.promise)
    key = manifest.key_of(LAYOUT, loaded.files, name, request.seed)
    return request.cache / "cases" / f"{key}.json"


def cached_spec(request: Request) -> LoadedSpec | None:
    """The spec from the cache, when neither it nor what it imports has changed."""
    data = manifest.read(promise_manifest(request))
    return None if data is None else loaded_from(request, data)


def loaded_from(request: Request, data: Mapping[str, Any]) -> LoadedSpec:
    """The spec that the child described."""
    return LoadedSpec(request.spec, Promise.from_json(data["promise"]), data["files"])


def cached_case(request: Request, loaded: LoadedSpec) -> tuple[LoadedSpec, Case] | None:
    """The case from the cache, and the spec with the case's files; None when it must be computed.

    `loaded` is the spec as `cached_spec` returns it.
    """
    path = case_manifest(request, loaded)
    data = manifest.read(path)
    case = None if data is None else read_case(path, request, loaded.promise)
    return None if data is None or case is None else (replace(loaded, files=data["files"]), case)


def read_case(path: Path, request: Request, promise: Promise) -> Case | None:
    """The case beside the manifest `path`, whatever has changed since; None when it is broken."""
    import numpy as np

    wanted = {f"in:{t.name}" for b in promise.buffers if b.direction != "out" for t in b.tensors}
    wanted |= {f"ref:{t.name}" for t in promise.outputs}
    try:
        with np.load(path.with_suffix(".npz"), allow_pickle=False) as stored:
            arrays = {key: stored[key] for key in wanted}
            ideal = {key[6:]: stored[key] for key in stored.files if key.startswith("ideal:")}
            about = json.loads(str(stored["about"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    inputs, reference = (
        {key.removeprefix(kind): array for key, array in arrays.items() if key.startswith(kind)}
        for kind in ("in:", "ref:")
    )
    return Case(
        set_name_of(request, promise), request.seed, inputs, reference, ideal=ideal, **about
    )


def write_case(path: Path, case: Case) -> None:
    """Write what `read_case` reads; the manifest `path` itself is for the caller to write."""
    import numpy as np

    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(f".{os.getpid()}.tmp.npz")
    arrays: dict[str, Any] = {f"in:{name}": array for name, array in case.inputs.items()}
    arrays |= {f"ref:{name}": array for name, array in case.reference.items()}
    arrays |= {f"ideal:{name}": array for name, array in case.ideal.items()}
    arrays["about"] = np.array(json.dumps({"scalars": case.scalars, "regime": case.regime}))
    np.savez(draft, **arrays)
    os.replace(draft, path.with_suffix(".npz"))


def set_name_of(request: Request, promise: Promise) -> str:
    """The input set that is meant; SpecError when the spec doesn't have it."""
    name = request.set_name or promise.input_sets[0]
    if name not in promise.input_sets:
        raise SpecError(
            f"no input set {name!r}",
            where=shown(request.spec),
            hint=f"the spec has {', '.join(promise.input_sets)}",
        )
    return name
