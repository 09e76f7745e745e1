"""aiecc of three generations: their options, what they print, how they fail.

What A keeps to itself, B and C let their children print to the terminal; here all of it goes
where a terminal would show it.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable

from tests.doubles import designs
from tests.doubles.failing import fails
from tests.doubles.linking import Build, Failure, load, parse

SHA = "19cce64c0f0b9a3d5e6f7a8b9c0d1e2f3a4b5c6d"

# Names that take a value are given with "=".
_OF_A = {
    "--aie-generate-xclbin", "--aie-generate-npu-insts", "--xclbin-name=", "--npu-insts-name=",
    "--no-xchesscc", "--xchesscc", "--no-xbridge", "--xbridge", "--peano=", "--compile-host",
    "--no-compile-host", "--compile", "--no-compile", "--link", "--no-link", "--alloc-scheme=",
    "--tmpdir=", "-v", "--verbose", "-j=", "--nthreads=", "--unified", "--no-unified", "-O=",
    "--opt-level=", "--dynamic-objFifos", "--packet-sw-objFifos", "--generate-ctrl-pkt-overlay",
    "--progress", "--profile", "-n", "--device-name=", "--sequence-name=", "--xclbin-kernel-name=",
    "--xclbin-instance-name=", "--xclbin-kernel-id=", "--aie-generate-pdi", "--aie-generate-cdo",
    "--aie-generate-txn", "--aie-generate-elf",
}  # fmt: skip
_OF_B = _OF_A | {"--dump-intermediates", "--aietools=", "--expand-load-pdis", "--aie-version"}
_OF_C = {
    "--get-xclbin", "--get-npu-insts", "--get-core-elfs", "--get-pdi", "--get-cdo", "--output-dir=",
    "--peano=", "--alloc-scheme=", "--tmpdir=", "--verbose", "-j=", "-O=", "--dynamic-objFifos",
    "--no-progress", "--profile", "--no-measure-stack-size", "--default-stack-size=",
    "--xclbinutil-path=",
}  # fmt: skip


def aiecc_a(argv: list[str]) -> int:
    if argv[1:] == ["--version"]:
        print(f"aiecc.py {SHA}")
        return 0
    if fails("no-aie"):
        print(
            'Traceback (most recent call last):\n  File "/usr/bin/aiecc.py", line 9, in <module>\n'
            "    from aie.compiler.aiecc.main import main\n"
            "ModuleNotFoundError: No module named 'aie'",
            file=sys.stderr,
        )
        return 1
    options = parse(argv[1:], _OF_A)
    if argv[1:] == ["--help"]:
        print("usage: aiecc.py [-h] [--version] [--aie-generate-xclbin] …")
        return 0
    if options.unknown:
        print("usage: aiecc.py [-h] …", file=sys.stderr)
        print(
            f"aiecc.py: error: unrecognized arguments: {' '.join(options.unknown)}", file=sys.stderr
        )
        return 2
    build = Build("A", options)
    try:
        _build_a(build)
    except Failure as failure:
        print(*failure.lines, sep="\n", file=sys.stderr)
        if failure.command:
            print(f"Error encountered while running: {failure.command}", file=sys.stderr)
        return failure.code
    return 0


def _command(build: Build, command: str) -> None:
    """A prints a command before it starts, and again when it is done."""
    build.say(command)
    build.say(f"Done in 0.012 sec: {command}")


def _build_a(build: Build) -> None:
    options, name = build.options, build.options.design
    build.say(f"Compiling {name}")
    build.open_design()
    build.say(f"created temporary directory {options.tmpdir}")
    build.say("Running: builtin.module(lower-affine,aie.device(aie-assign-buffer-addresses))")
    build.allocate()
    tmp = build.tmp
    _command(build, f"aie-opt --aie-create-pathfinder-flows {tmp}/input_with_addresses.mlir")
    _command(build, f"aie-opt --pass-pipeline=builtin.module(aie-localize-locks) {tmp}/x.mlir")
    _command(build, f"aie-translate --mlir-to-llvmir {tmp}/main_input_opt_with_addresses.mlir")
    if options.chess:
        raise Failure("FileNotFoundError: [Errno 2] No such file or directory: 'chess-llvm-link'")
    if fails("peanohack"):
        raise Failure(f"opt: {tmp}/main_input.llpeanohack.ll:14:22: error: expected type")
    _command(build, f"{build.tool('opt')} --passes=default<O2> -inline-threshold=10 -S -o x.ll")
    _command(build, f"{build.tool('llc')} x.ll -O2 --march=aie2 --filetype=obj -o x.o")
    for core in build.read.cores:
        stem = f"{tmp}/{build.device}_core_{core.column}_{core.row}"
        _command(
            build, f"aie-translate {tmp}/input_physical.mlir --aie-generate-ldscript -o {stem}"
        )
        command = (
            f"{build.tool('clang')} -O2 -Wl,--gc-sections -Wl,-T,{stem}.ld.script -o {stem}.elf"
        )
        try:
            build.link(core)
        except Failure as failure:
            failure.command = command
            raise
        _command(build, command)
    build.say("Running: builtin.module(aie.device(aie-dma-to-npu))")
    if options.instructions:
        build.instructions(
            options.instructions_name or f"{build.device}_{build.read.sequences[0]}.bin"
        )
    _command(build, f"bootgen -arch versal -image {tmp}/main_design.bif -o {tmp}/main.pdi -w")
    build.pdi()
    if options.xclbin:
        packer = shutil.which("xclbinutil")
        if packer is None:
            raise Failure("FileNotFoundError: [Errno 2] No such file or directory: 'xclbinutil'")
        build.xclbin(packer, options.xclbin_name or f"{build.device}.xclbin")


def aiecc_b(argv: list[str]) -> int:
    if "--aie-version" in argv[1:]:
        print(f"aiecc (C++ version) {SHA}")
        return 0
    if "--version" in argv[1:]:
        print("LLVM (http://llvm.org/):\n  LLVM version 20.0.0git\n  Optimized build.")
        return 0
    if "--help" in argv[1:]:
        print("OVERVIEW: AIE Compiler Driver\n\nUSAGE: aiecc [options] <input>\n\nOPTIONS:")
        for name in sorted(_OF_B):
            print(f"  {name.rstrip('=')}{'=<value>' if name.endswith('=') else ''} - …")
        return 0
    build = Build("B", parse(argv[1:], _OF_B))  # what is unknown is ignored: cl::Sink
    try:
        _build_b(build)
    except Failure as failure:
        print(*failure.lines, sep="\n", file=sys.stderr)
        print("Compilation failed", file=sys.stderr)
        return 1
    print("Compilation completed successfully")
    return 0


def _build_b(build: Build) -> None:
    options = build.options
    build.say(f"Discovered Peano installation: {options.peano}")
    build.open_design()
    name = options.design
    build.say(f"Successfully parsed input file: {name}")
    build.say(f"Using temporary directory: {options.tmpdir}")
    build.say(f"Starting AIE compilation in directory: {os.getcwd()}")
    build.say(f"  Device '{build.device}' with {len(build.read.cores)} core(s)")
    build.say("Found 1 AIE device(s)")
    scheme = options.scheme or "bank-aware"
    build.say(f"Running resource allocation pipeline in-memory (alloc-scheme={scheme})")
    build.warn_link()
    _piped(build, build.allocate, "Resource allocation")
    build.say("Resource allocation pipeline completed successfully")
    build.say(f"Wrote module with addresses to: {build.tmp}/input_with_addresses.mlir")
    build.say("Running routing pipeline in-memory")
    build.say("Routing pipeline completed successfully")
    build.say(f"\nProcessing device: {build.device}")
    build.say(f"Compiling {len(build.read.cores)} core(s) sequentially")
    for core in build.read.cores:
        _core_b(build, core)
    build.say(f"Updating module with ELF paths for device: {build.device}")
    build.say(f"Generating NPU instructions for device: {build.device}")
    build.say("Running NPU lowering pipeline in-memory")
    if options.instructions:
        path = options.instructions_name or f"{build.device}_{build.read.sequences[0]}.bin"
        build.instructions(path)
        build.say(f"Wrote 75 instructions to: {path}")
    build.say(f"Generating CDO artifacts for device: {build.device}")
    build.pdi()
    build.say(f"Generated PDI via library: {build.tmp}/{build.device}.pdi")
    if options.xclbin:
        packer = shutil.which("xclbinutil")
        if packer is None:
            build.say("Warning: xclbinutil not found, skipping xclbin generation")
            return
        build.say(f"Generating xclbin for device: {build.device}")
        build.xclbin(packer, options.xclbin_name or f"{build.device}.xclbin")
        build.say(f"Generated xclbin: {options.xclbin_name}")


def _piped(build: Build, do: Callable[[], None], name: str) -> None:
    try:
        do()
    except Failure as failure:
        raise Failure(
            *failure.lines,
            f"Error: {name} pipeline failed",
            "AIECC COMPILATION FAILED",
            f"Intermediate MLIR saved to: {build.tmp}/aiecc_failure_1_2.mlir",
            f"Repeater script generated: {build.tmp}/aiecc_repeater_1.sh",
        ) from None


def _core_b(build: Build, core: designs.Core) -> None:
    options = build.options
    place, stem = f"({core.column}, {core.row})", f"main_core_{core.column}_{core.row}"
    build.say(f"Compiling core {place}")
    build.say(f"Running LLVM lowering pipeline in-memory for core {place}")
    build.say(f"Generated LLVM IR: {build.tmp}/{stem}.ll")
    if options.chess:
        raise Failure("Error: Could not find aietools (xchesscc not in PATH)")
    if not os.path.isfile(build.tool("clang")):
        raise Failure(
            "Error: Could not find Peano compiler tools (opt/llc)",
            "Set PEANO_INSTALL_DIR or use --peano option",
        )
    if fails("peanohack"):
        raise Failure(
            f"opt: {build.tmp}/{stem}.ll:14:22: error: expected type", "Error running Peano opt"
        )
    build.say(f"{build.tool('opt')} --passes=default<O2>,strip {build.tmp}/{stem}.ll -o x.ll")
    build.say(f"{build.tool('llc')} x.ll -O2 --march=aie2 --filetype=obj -o {stem}.o")
    if options.bridge:
        raise Failure("Error: Could not find xchesscc_wrapper in PATH")
    for name in core.links:
        source = build.find(name)
        target = build.tmp / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        build.say(f"Copied external object: {source} -> {target}")
    build.say(f"{build.tool('clang')} -O2 -Wl,--gc-sections -Wl,-T,{stem}.ld.script -o {stem}.elf")
    try:
        path = build.link(core)
    except Failure as failure:
        raise Failure(
            *failure.lines,
            "clang: error: ld.lld command failed with exit code 1 (use -v to see invocation)",
            "Error: Command failed with exit code 1",
            "Error linking ELF file",
        ) from None
    build.say(f"Generated ELF: {path}")


def aiecc_c(argv: list[str]) -> int:
    if "--version" in argv[1:]:
        print(f"aiecc (mlir-aie declarative driver)\ngit SHA: {SHA}")
        return 0
    build = Build("C", parse(argv[1:], _OF_C))
    options = build.options
    for word in options.unknown:
        if word.startswith("--get-"):
            names = sorted(n for n in _OF_C if n.startswith("--get-"))
            print(
                f"aiecc: unknown output selector '{word}'; available selectors are:",
                *names,
                sep="\n  ",
                file=sys.stderr,
            )
        else:
            print(
                f"aiecc: Unknown command line argument '{word}'. Try: 'aiecc --help'",
                file=sys.stderr,
            )
        return 1
    try:
        _build_c(build)
    except Failure as failure:
        print(*failure.lines, sep="\n", file=sys.stderr)
        print("aiecc: edge 'core-elf' (key 'core_0_2') failed", file=sys.stderr)
        return 1
    return 0


EDGES_C = (
    "parse-input", "assign-buffer-addresses", "route-flows", "lower-core-llvm", "peano-opt",
    "peano-llc", "link-core", "measure-stack", "npu-insts", "cdo", "xclbin",
)  # fmt: skip


def _build_c(build: Build) -> None:
    began = time.monotonic()

    def edge(name: str) -> None:
        build.say("")
        took = (time.monotonic() - began) * 1000
        if build.options.verbose:
            count = EDGES_C.index(name) + 1
            print(
                f"aiecc: ({count}/{len(EDGES_C)}) {name} (1 inputs) took {took:.0f} ms",
                file=sys.stderr,
                flush=True,
            )

    build.open_design()
    edge("parse-input")
    build.warn_link()
    build.allocate()
    for name in ("assign-buffer-addresses", "route-flows", "lower-core-llvm"):
        edge(name)
    if fails("peanohack"):
        raise Failure(f"opt: {build.tmp}/main_core_0_2.ll:14:22: error: expected type")
    edge("peano-opt")
    edge("peano-llc")
    for core in build.read.cores:
        build.link(core)
        edge("link-core")
        _measure(build, core)
    edge("measure-stack")
    if build.options.instructions:
        build.instructions(f"insts_{build.read.sequences[0]}.bin")
    edge("npu-insts")
    build.pdi()
    edge("cdo")
    if build.options.xclbin:
        packer = build.options.xclbinutil or shutil.which("xclbinutil")
        if not packer or not os.path.isfile(packer):
            raise Failure("aiecc: error: xclbinutil not found; set AIE_XCLBINUTIL")
        build.xclbin(packer, "aie.xclbin")
    edge("xclbin")


def _measure(build: Build, core: designs.Core) -> None:
    """The stack check that generations A and B don't have."""
    parts = [part for name in core.links for part in load(build.find(name))]
    codes = {code.name: code for part in parts for code in part.functions}

    def need(name: str) -> int:
        code = codes.get(name)
        if code is None:
            return 0
        return (code.frame or 0) + max((need(callee) for _, callee in code.calls), default=0)

    bytes_ = 64 + max((need(name) for name in core.calls), default=0)
    place = f"{build.options.design}:{core.line}:13: "
    if unsized := sorted(c.name for c in codes.values() if c.frame is None):
        print(
            f"{place}warning: no stack size information for {len(unsized)} function(s) this core "
            f"reaches: {', '.join(unsized)}; compile the affected source with -fstack-size-section",
            file=sys.stderr,
        )
    if bytes_ > core.stack and core.stack_given:
        raise Failure(
            f"{place}error: stack_size = {core.stack} is insufficient: this core needs {bytes_} "
            "bytes"
        )
    if bytes_ > core.stack:
        raise Failure(
            f"{place}error: stack_size is absent, so this core uses the device default of 1024 "
            f"bytes, but it needs {bytes_} bytes; set stack_size = {bytes_} (Worker(stack_size=...)"
            " in IRON), or pass --no-measure-stack-size"
        )
