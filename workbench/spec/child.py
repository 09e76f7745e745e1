"""The process in which a spec's own Python runs: `python -m workbench.spec.child`.

Reads one JSON request on stdin and answers with one JSON line on stdout: {"promise", "files",
"case"}, or {"error", "files"}. Whatever the spec itself prints goes to stderr, and everything it
raises becomes one sentence with the spec's own file:line.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from workbench import manifest
from workbench.errors import SpecError
from workbench.paths import shown
from workbench.process import die_with_parent
from workbench.spec.cases import (
    KEPT_AHEAD,
    Case,
    LoadedSpec,
    Request,
    case_manifest,
    promise_manifest,
    set_name_of,
    write_case,
)
from workbench.spec.check import checked, checked_scalars, definition, rounded
from workbench.spec.dtypes import AnyArray
from workbench.spec.functions import domain
from workbench.spec.golden import evaluate
from workbench.spec.model import Arrays, Promise, Spec
from workbench.spec.readings import Operands, try_readings
from workbench.spec.sources import Sources, is_own

Answer = Callable[[dict[str, Any]], None]
Numbers = npt.NDArray[np.float64]


def main() -> int:
    """Answer one request; the exit code is 0 even for a broken spec, whose error is the answer."""
    die_with_parent()
    # The stream of answers is taken away before the spec can print to it.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    wanted = json.load(sys.stdin)
    request = Request(
        Path(wanted["spec"]), Path(wanted["cache"]), wanted["set"], int(wanted["seed"])
    )
    sources = Sources(request.spec)

    def answer(content: dict[str, Any]) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(json.dumps({**content, "files": sources.files}), file=answers, flush=True)

    _limit(wanted["limit_s"], request.spec, answer)
    sources.start()
    try:
        spec, loaded = load(request, sources)
        if wanted["domains"]:
            answer({"domains": tabulate(request, spec, Path(wanted["domains"]))})
            return 0
        if wanted["stages"]:
            answer({"stages": golden_stages(request, spec, wanted["stages"])})
            return 0
        if wanted["what_if"]:
            answer({"what_if": guess(request, spec, loaded.promise, Path(wanted["what_if"]))})
            return 0
        for name, seed in wanted["also"]:
            signal.setitimer(signal.ITIMER_REAL, wanted["limit_s"])
            one = replace(request, set_name=name, seed=seed)
            with contextlib.suppress(SpecError):  # said by whoever asks for this very case
                compute(one, spec, loaded, sources, kept=KEPT_AHEAD)
            answer({"ready": [name, seed]})
        if wanted["also"]:
            return 0
        case = compute(request, spec, loaded, sources)
    except SpecError as error:
        answer(_described(error))
    else:
        answer({"promise": loaded.promise.to_json(), "case": str(case)})
    return 0


def load(request: Request, sources: Sources) -> tuple[Spec, LoadedSpec]:
    """Execute the spec file and cache its promise; SpecError for whatever goes wrong in it."""
    path = request.spec
    try:
        text = path.read_bytes()
    except OSError as error:
        raise SpecError(f"can't read the spec: {error.strerror}", where=shown(path)) from error
    sys.path.insert(0, str(path.parent))
    # The spec is found under its own name by specs that build on it, and by its dataclasses.
    module = ModuleType(path.stem)
    module.__file__ = str(path)
    sys.modules.setdefault(path.stem, module)
    try:
        exec(compile(text, str(path), "exec", dont_inherit=True), module.__dict__)
        spec = getattr(module, "SPEC", None)
        if not isinstance(spec, Spec):
            raise SpecError(
                "the spec defines no SPEC", where=f"{shown(path)}:1", hint="assign SPEC = Spec(...)"
            )
        promise = spec.promise(str(path.parent))
    except BaseException as error:
        raise _located(error, path) from error
    sources.add_modules()
    loaded = LoadedSpec(path, promise, dict(sources.files))
    with _writing(request.cache):
        manifest.write(
            promise_manifest(request),
            files=loaded.files,
            data={"promise": promise.to_json(), "files": loaded.files},
        )
    return spec, loaded


def compute(
    request: Request, spec: Spec, loaded: LoadedSpec, sources: Sources, kept: int = manifest.KEPT
) -> Path:
    """Generate the inputs, compute the reference, and cache both: returns the manifest's path.

    `kept` files of cases are left in the cache, the newest.
    """
    try:
        case = _case(request, spec, loaded.promise)
    except BaseException as error:
        raise _located(error, request.spec) from error
    sources.add_modules()
    target = case_manifest(request, loaded)
    with _writing(request.cache):
        write_case(target, case)
        manifest.write(target, files=sources.files | _versions(), data={"files": sources.files})
        manifest.prune(promise_manifest(request).parent)
        manifest.prune(target.parent, kept)
    return target


def _case(request: Request, spec: Spec, promise: Promise) -> Case:
    name = set_name_of(request, promise)
    wanted = [t for b in promise.buffers if b.direction != "out" for t in b.tensors]
    generate = spec.inputs[name]
    drawn = generate(wanted, np.random.RandomState(request.seed))
    source = f"input set {name!r}"
    inputs = checked(drawn, wanted, source, definition(generate))
    passed = checked_scalars(drawn, promise.scalars, source, definition(generate))
    scalars = {scalar.name: scalar.value for scalar in promise.scalars} | passed

    golden, ideal = _reference(spec, promise, inputs, scalars)
    regime = None if spec.regime is None else spec.regime(_copies(inputs), scalars)
    if not isinstance(regime, str | None):
        raise SpecError(
            f"regime gives {type(regime).__name__}, not a sentence", where=definition(spec.regime)
        )
    return Case(name, request.seed, inputs, golden, passed, regime, ideal)


def _reference(
    spec: Spec, promise: Promise, tensors: Arrays, scalars: Mapping[str, float]
) -> tuple[dict[str, AnyArray], dict[str, Numbers]]:
    """The reference's outputs in storage dtype, and unrounded those that it gives in floats."""
    result, outputs = spec.reference(_copies(tensors), scalars), promise.outputs
    if len(outputs) == 1 and not isinstance(result, Mapping):
        result = {outputs[0].name: result}
    source, where = "the reference", definition(spec.reference)
    result, ideal = rounded(result, outputs, source, where)
    return checked(result, outputs, source, where), ideal


def _copies(tensors: Arrays) -> Arrays:
    return {key: array.copy() for key, array in tensors.items()}


def guess(request: Request, spec: Spec, promise: Promise, file: Path) -> list[str]:
    """What `try_readings` gives for the request's case."""
    try:
        case = _case(request, spec, promise)
    except BaseException as error:
        raise _located(error, request.spec) from error
    scalars = {scalar.name: scalar.value for scalar in promise.scalars} | case.scalars

    def reference(operands: Operands) -> Arrays:
        return _reference(spec, promise, operands.tensors, operands.scalars)[0]

    return try_readings(promise, Operands(case.inputs, scalars), reference, file)


def golden_stages(request: Request, spec: Spec, wanted: Mapping[str, Any]) -> list[str]:
    """What `evaluate` gives, its errors as sentences."""
    try:
        return evaluate(spec, wanted)
    except BaseException as error:
        raise _located(error, request.spec) from error


def tabulate(request: Request, spec: Spec, file: Path) -> list[dict[str, Any]]:
    """The exact values of the spec's functions over their domains, written to `file`."""
    described: list[dict[str, Any]] = []
    arrays: dict[str, Any] = {}
    for function in spec.functions:
        x = domain(function)
        where = definition(function.exact)
        try:
            exact = np.asarray(function.exact(x.astype(np.float64)), np.float64)
        except BaseException as error:
            raise _located(error, request.spec) from error
        if exact.shape != x.shape or not x.size:
            raise SpecError(
                f"exact of function {function.name} gives {exact.shape} for {x.shape} values",
                where=where or shown(request.spec),
                hint="it gets an array of values and returns as many",
            )
        arrays |= {f"x:{len(described)}": x, f"exact:{len(described)}": exact}
        described.append(
            {
                "name": function.name,
                "expression": function.expression,
                "argument": function.argument,
                "result": function.result,
                "within": function.within,
            }
        )
    np.savez(file, **arrays)
    return described


def _limit(seconds: float, spec: Path, answer: Answer) -> None:
    """After `seconds`, answer with the line that the spec is at, and end this process."""

    def end(_signal: int, frame: FrameType | None) -> None:
        stack = reversed(traceback.extract_stack(frame))
        where = next(
            (_place(f.filename, f.lineno) for f in stack if is_own(f.filename)), shown(spec)
        )
        answer(_described(SpecError(f"the spec took longer than {seconds:g} s", where=where)))
        os._exit(0)

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _described(error: SpecError) -> dict[str, Any]:
    return {"error": {"message": error.message, "where": error.where, "hint": error.hint}}


def _located(error: BaseException, spec: Path) -> SpecError:
    """`error` as a sentence that points into the author's files, not into ours."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if is_own(frame.filename)]
    where = _place(own[-1].filename, own[-1].lineno) if own else f"{shown(spec)}:1"
    if isinstance(error, SpecError):
        return SpecError(error.message, where=error.where or where, hint=error.hint)
    if isinstance(error, SyntaxError) and error.filename and is_own(error.filename):
        where = _place(error.filename, error.lineno)
        return SpecError(f"syntax error: {error.msg}", where=where)
    if isinstance(error, OSError) and isinstance(error.filename, str) and error.strerror:
        return SpecError(f"can't use {shown(error.filename)}: {error.strerror}", where=where)
    if isinstance(error, SystemExit):
        return SpecError(f"the spec ends its process (exit {error.code})", where=where)
    return SpecError(traceback.format_exception_only(error)[0].splitlines()[0], where=where)


def _place(filename: str, line: int | None) -> str:
    return f"{shown(filename)}:{line or 1}"


def _versions() -> dict[str, str | None]:
    """What tells one release from another of the packages that numbers come from."""
    packages = (sys.modules[name].__file__ for name in ("numpy", "torch") if name in sys.modules)
    return manifest.file_hashes(
        str(Path(path).with_name("version.py")) for path in packages if path
    )


@contextlib.contextmanager
def _writing(cache: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise SpecError(
            f"can't write to the cache: {error.strerror}", where=shown(cache)
        ) from error


if __name__ == "__main__":
    main()
    os._exit(0)  # the answer is out: what the spec left behind (threads, atexit) is not waited for
