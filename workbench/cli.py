"""The command line. Front ends are imported only when they are asked for."""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import shlex
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

import workbench
from workbench.errors import ExitCode, UsageError, WorkbenchError
from workbench.loop.target import Options

if TYPE_CHECKING:
    from workbench.loop.kernels import Kernels

COMMANDS = ("check", "watch")
SCREENS = (None, "serve")
"""Those that open the screen, where a kernel can be picked."""

_ABOUT = """\
Watch a kernel, and show live how far the NPU is from PyTorch.

commands, each with a --help of its own:
  npu-workbench [KERNEL]        the terminal UI
  npu-workbench check KERNEL    one run: prints the verdict and exits
  npu-workbench watch KERNEL    the loop without a terminal UI, a line an event
  npu-workbench new NAME        writes a kernel, spec and design to start from
  npu-workbench serve [KERNEL]  the terminal UI in a browser
  npu-workbench doctor          what is here, what is missing, what mends it
"""

_EPILOG = """\
exit codes of check: 0 all criteria met, 1 judged and not met, 2 usage, spec or design wrong,
3 build failed, 4 device missing or kernel crashed, 5 hang or deadlock, 130 interrupted
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    try:
        other = {"doctor": _doctor, "new": _new, "serve": _serve}.get(given[0]) if given else None
        return other(given[1:]) if other is not None else _run(given)
    except WorkbenchError as error:
        print(f"npu-workbench: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("npu-workbench: interrupted", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except Exception as error:
        from workbench.defect import defect
        from workbench.loop.target import project_of

        project = project_of(Path.cwd() / "kernel.c")
        print(f"npu-workbench: {defect('the command', error, project)}", file=sys.stderr)
        return ExitCode.USAGE  # 1 would read as judged, and not met


def _run(given: list[str]) -> int:
    command = given.pop(0) if given and given[0] in COMMANDS else None
    parser = _parser(command)
    arguments = parser.parse_args(given)
    if command == "check" and arguments.ablate and _asks_for_many(arguments):
        parser.error("--ablate is for one input set and one seed")
    kernels = None
    if command is None:
        _need_terminal(arguments.kernel or "KERNEL")
        if arguments.kernel is None:
            found = _kernels_here()
            arguments.kernel = found.files[0].path
            kernels = found if len(found.files) > 1 else None
    options = Options(
        kernel=arguments.kernel,
        spec=arguments.spec,
        design=arguments.design,
        device=arguments.device,
        set_name=arguments.inputs,
        seed=arguments.seed,
        time_limit_s=arguments.time_limit,
    )
    if command is None:
        from workbench.tui.app import run_app

        return run_app(options, arguments.theme, kernels)
    from workbench import headless

    if command == "check" and arguments.functions:
        return headless.functions(options, as_json=arguments.json)
    if command == "check" and arguments.ablate:
        return headless.ablate(options, jobs=arguments.jobs, as_json=arguments.json)
    if command == "check" and _asks_for_many(arguments):
        return headless.sweep(
            replace(options, set_name=None),
            arguments.inputs,
            arguments.seeds or 1,
            jobs=arguments.jobs,
            scheduler=arguments.scheduler,
            as_json=arguments.json,
        )
    run = headless.check if command == "check" else headless.watch
    return run(options, as_json=arguments.json)


def _doctor(given: list[str]) -> int:
    parser = _Parser(
        prog="npu-workbench doctor",
        description="What this machine has for the model and for the NPU, and what mends the rest.",
        epilog="exit codes: 0 the device is usable, 2 the settings are wrong, 4 it is not usable",
        allow_abbrev=False,
    )
    parser.add_argument("--device", choices=("auto", "model", "npu"), default="auto")
    parser.add_argument("--json", action="store_true", help="JSON on stdout")
    arguments = parser.parse_args(given)
    from workbench.doctor import doctor

    return doctor(device=arguments.device, as_json=arguments.json)


def _new(given: list[str]) -> int:
    parser = _Parser(
        prog="npu-workbench new",
        description="Write a kernel with its spec and design: kernels/NAME.c, kernels/NAME.py and "
        "mlir/NAME.mlir in the current folder. They pass as they are, and are there to be changed.",
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="letters, digits and _; the files' name")
    arguments = parser.parse_args(given)
    from workbench.scaffold import new

    return new(arguments.name)


def _serve(given: list[str]) -> int:
    where = _serve_options()
    _parser("serve", where).parse_args(given)
    arguments, others = where.parse_known_args(given)
    try:
        from workbench.serve import serve
    except ImportError:
        raise UsageError(
            "serve needs textual-serve, which is not installed",
            hint='pip install "npu-workbench[serve]"',
        ) from None
    return serve(
        others, host=arguments.host, port=arguments.port, allow_remote=arguments.allow_remote
    )


def _serve_options() -> _Parser:
    parser = _Parser(add_help=False, allow_abbrev=False)
    port_help = "default: 8000; 0 takes any that is free"
    parser.add_argument("--host", metavar="HOST", default="127.0.0.1", help="default: 127.0.0.1")
    parser.add_argument("--port", metavar="PORT", type=_port, default=8000, help=port_help)
    parser.add_argument(
        "--allow-remote", action="store_true", help="let other machines in, whoever is there"
    )
    return parser


def _kernels_here() -> Kernels:
    """The kernels of the project that we are in; UsageError where there are none."""
    from workbench.loop.kernels import find_kernels
    from workbench.loop.target import project_of

    kernels = find_kernels(project_of(Path.cwd() / "any"))
    if not kernels.files:
        raise UsageError(
            "there is no C or C++ file here to open",
            where=kernels.folder,
            hint="npu-workbench new NAME writes a kernel, spec and design that pass, to start from",
        )
    return kernels


def _need_terminal(kernel: str) -> None:
    """UsageError where nobody would see the screen or could press a key."""
    if "TEXTUAL_DRIVER" in os.environ:  # a page of `serve`: of no use without it
        from workbench.process import die_with_parent

        die_with_parent(by=signal.SIGTERM)
        return
    streams = {"stdin": sys.stdin, "stdout": sys.stdout, "stderr": sys.stderr}
    problems = [f"{name} isn't one" for name, stream in streams.items() if not _is_terminal(stream)]
    if os.environ.get("TERM") == "dumb":
        problems.append("TERM=dumb can't show it")
    if problems:
        kernel = shlex.quote(kernel)
        raise UsageError(
            f"the workbench needs a terminal, and {problems[0]}",
            hint=f"npu-workbench check {kernel} runs once and exits, "
            f"npu-workbench watch {kernel} prints a line per event",
        )


def _is_terminal(stream: TextIO | None) -> bool:
    return stream is not None and stream.isatty()


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence, as everything else here does."""

    def error(self, message: str) -> NoReturn:
        self.exit(ExitCode.USAGE, f"npu-workbench: {message} (see {self.prog} --help)\n")


def _parser(command: str | None, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
    about = {
        None: _ABOUT,
        "check": "One run of a kernel: prints the verdict and exits.",
        "watch": "The loop without a terminal UI: a line per event.",
        "serve": "The workbench in a browser, on this machine unless told otherwise.",
    }[command]
    source = "the C or C++ file of the kernel"
    parser = _Parser(
        prog="npu-workbench" if command is None else f"npu-workbench {command}",
        description=about,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
        parents=parents,
    )
    if command in SCREENS:
        source += " (default: a list to choose from)"
        parser.add_argument("kernel", metavar="KERNEL", nargs="?", help=source)
    else:
        parser.add_argument("kernel", metavar="KERNEL", help=source)
    parser.add_argument("--spec", metavar="FILE", help="the spec (default: NAME.py beside NAME.c)")
    parser.add_argument("--design", metavar="FILE", help="the MLIR design (default: the spec's)")
    parser.add_argument("--device", choices=("auto", "model", "npu"), default="auto")
    sets = "input set (default: the spec's first)"
    if command == "check":
        sets += "; several with commas between, or all: each is run, the worst told first"
    parser.add_argument("--inputs", metavar="SET", help=sets)
    parser.add_argument("--seed", type=_seed, default=42, help="seed of the inputs (default: 42)")
    parser.add_argument(
        "--time-limit",
        type=_seconds,
        metavar="SECONDS",
        help="longest run of the kernel (default: the settings', else 10)",
    )
    if command in SCREENS:
        parser.add_argument(
            "--theme",
            metavar="NAME",
            help="dark, light, high-contrast, colour-blind, colour-blind-light, terminal, one of "
            "Textual's, or a TOML file (default: the settings', else dark)",
        )
        parser.add_argument("--version", action="version", version=workbench.__version__)
    else:
        parser.add_argument("--json", action="store_true", help="JSON on stdout")
    if command == "check":
        parser.add_argument(
            "--seeds", type=_count, metavar="N", help="run each input set with N seeds, from --seed"
        )
        parser.add_argument(
            "--ablate",
            action="store_true",
            help="try the design's constants and stack and the spec's switches in all combinations",
        )
        parser.add_argument(
            "--jobs", type=_count, metavar="N", help="runs at a time, of many (default: all cores)"
        )
        parser.add_argument(
            "--scheduler", metavar="ADDRESS", help="run them on the Dask cluster at ADDRESS"
        )
        parser.add_argument(
            "--functions",
            action="store_true",
            help="sweep the kernel's helper functions that the spec names, instead of a run",
        )
    return parser


def _asks_for_many(arguments: argparse.Namespace) -> bool:
    from workbench.spec.model import EVERY_SET

    several = arguments.inputs is not None and (
        "," in arguments.inputs or arguments.inputs == EVERY_SET
    )
    return several or arguments.seeds is not None or arguments.scheduler is not None


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= 2**32):
        raise argparse.ArgumentTypeError("must be a whole number from 1 on")
    return int(text)


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**32):
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 2**32 - 1")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**16):
        raise argparse.ArgumentTypeError("must be a whole number from 0 to 65535")
    return int(text)


def _seconds(text: str) -> float:
    with contextlib.suppress(ValueError):
        value = float(text)
        if 0 < value < math.inf:
            return value
    raise argparse.ArgumentTypeError("must be a positive number of seconds")


if __name__ == "__main__":
    sys.exit(main())
