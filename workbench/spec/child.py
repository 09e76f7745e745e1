"""The process in which a spec's own Python runs: `python -m workbench.spec.child`.

Reads one JSON request on stdin; answers with JSON lines on stdout: {"promise", "files"}, then
{"case": true}, or {"error"} at any point. Whatever the spec itself prints goes to stderr, and
everything it raises becomes one sentence with the spec's own file:line.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from workbench import manifest
from workbench.errors import SpecError
from workbench.spec.cases import (
    LoadedSpec,
    Request,
    case_manifest,
    promise_manifest,
    set_name_of,
)
from workbench.spec.dtypes import AnyArray, storage_dtype, to_storage
from workbench.spec.model import Spec, Tensor


def main() -> int:
    """Answer one request; the exit code is 0 even for a broken spec, whose error is the answer."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    wanted = json.load(sys.stdin)
    request = Request(
        Path(wanted["spec"]), Path(wanted["cache"]), wanted["set"], int(wanted["seed"])
    )
    try:
        spec, loaded = load(request)
        described = {"promise": loaded.promise.to_json(), "files": loaded.files}
        manifest.write(promise_manifest(request), files=loaded.files, data=described)
        print(json.dumps(described), file=answers)
        compute(request, spec, loaded)
        print(json.dumps({"case": True}), file=answers)
    except SpecError as error:
        broken = {"message": error.message, "where": error.where, "hint": error.hint}
        print(json.dumps({"error": broken}), file=answers)
    return 0


def load(request: Request) -> tuple[Spec, LoadedSpec]:
    """Execute the spec file; raises SpecError for whatever goes wrong in it."""
    path = request.spec
    before = set(sys.modules)
    sys.path.insert(0, str(path.parent))
    # The spec is found under its own name by specs that build on it.
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules[path.stem] = module
    try:
        code = compile(path.read_bytes(), str(path), "exec", dont_inherit=True)
        exec(code, module.__dict__)
        spec = getattr(module, "SPEC", None)
        if not isinstance(spec, Spec):
            raise SpecError(
                "the spec defines no SPEC", where=str(path), hint="assign SPEC = Spec(...)"
            )
        promise = spec.promise(str(path.parent))
    except SyntaxError as error:
        raise SpecError(
            f"syntax error: {error.msg}", where=f"{error.filename}:{error.lineno or 1}"
        ) from error
    except OSError as error:
        raise SpecError(f"can't read the spec: {error.strerror}", where=str(path)) from error
    except BaseException as error:
        raise _located(error, path) from error
    names = [path.as_posix(), *_own_files(before)]
    files = {name: digest for name, digest in manifest.file_hashes(names).items() if digest}
    return spec, LoadedSpec(path, promise, files)


def compute(request: Request, spec: Spec, loaded: LoadedSpec) -> None:
    """Generate the inputs, compute the reference, and cache both."""
    before = set(sys.modules)
    target = case_manifest(request, loaded)
    name = set_name_of(request, loaded.promise)
    wanted = [t for b in loaded.promise.buffers if b.direction != "out" for t in b.tensors]
    scalars = {scalar.name: scalar.value for scalar in loaded.promise.scalars}
    try:
        drawn = spec.inputs[name](wanted, np.random.RandomState(request.seed))
        inputs = {t.name: _checked(drawn.get(t.name), t, f"input set {name!r}") for t in wanted}
        answer = spec.reference({key: array.copy() for key, array in inputs.items()}, scalars)
        outputs = loaded.promise.outputs
        if not isinstance(answer, Mapping):
            answer = {outputs[0].name: answer} if len(outputs) == 1 else {}
        reference = {t.name: _checked(answer.get(t.name), t, "reference") for t in outputs}
    except BaseException as error:
        raise _located(error, request.spec) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f"{target.stem}.{os.getpid()}.tmp.npz")
    arrays: dict[str, Any] = {f"in:{key}": array for key, array in inputs.items()}
    arrays |= {f"ref:{key}": array for key, array in reference.items()}
    np.savez(draft, **arrays)
    os.replace(draft, target.with_suffix(".npz"))
    late = manifest.file_hashes(_own_files(before))
    manifest.write(target, files={**loaded.files, **late}, data={"set": name, "seed": request.seed})


def _checked(value: Any, tensor: Tensor, source: str) -> AnyArray:
    """`value` as stored elements of `tensor`; SpecError when it isn't that tensor."""
    if value is None:
        raise SpecError(f"{source} gives no tensor {tensor.name!r}")
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if tensor.dtype == "bfloat16":
            value = value.float()
        value = value.numpy()
    array = np.asarray(value)
    held_as_numbers = tensor.dtype == "bfloat16" and array.dtype == np.float32
    if array.shape != tensor.shape or (
        array.dtype != storage_dtype(tensor.dtype) and not held_as_numbers
    ):
        raise SpecError(
            f"{source} gives {tensor.name} as {array.dtype} {array.shape}, "
            f"the spec declares {tensor.dtype} {tensor.shape}"
        )
    return to_storage(array, tensor.dtype) if held_as_numbers else np.ascontiguousarray(array)


def _located(error: BaseException, spec: Path) -> SpecError:
    """`error` as a sentence that points into the author's files, not into ours."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if _is_own(f.filename)]
    where = f"{own[-1].filename}:{own[-1].lineno}" if own else str(spec)
    if isinstance(error, SpecError):
        return SpecError(error.message, where=error.where or where, hint=error.hint)
    if isinstance(error, SyntaxError):
        return SpecError(
            f"syntax error: {error.msg}", where=f"{error.filename}:{error.lineno or 1}"
        )
    what = str(error) or "no message"
    return SpecError(f"{type(error).__name__}: {what.splitlines()[0]}", where=where)


def _own_files(before: set[str]) -> Sequence[str]:
    """The author's files among the modules imported since `before`."""
    new = (sys.modules[name] for name in set(sys.modules) - before if name in sys.modules)
    paths = (getattr(module, "__file__", None) for module in new)
    # torch puts objects into sys.modules that name files which don't exist.
    return [path for path in paths if path and os.path.isabs(path) and _is_own(path)]


def _is_own(filename: str) -> bool:
    """Whether a file is the author's: neither Python's, nor a package's, nor ours."""
    path = os.path.abspath(filename)
    ours = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    foreign = (ours + os.sep, sys.prefix + os.sep, sys.base_prefix + os.sep)
    return not path.startswith(foreign) and not filename.startswith("<")


if __name__ == "__main__":
    sys.exit(main())
