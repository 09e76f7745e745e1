"""The command lines of Peano, llvm-ar and aiecc, each generation's its own.

Sources: mlir-aie's programming_examples/makefile-common (Peano's flags) and aiecc's option tables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from workbench.build.aie.find import Toolchain
from workbench.build.clang import INCLUDE, LANGUAGES
from workbench.errors import BuildError
from workbench.settings import Target

_C = ("-O2", "-Wall", "-DNDEBUG")
_CXX = (
    *("-O2", "-DNDEBUG", "-Wno-parentheses", "-Wno-attributes", "-Wno-macro-redefined"),
    *("-Wno-empty-body", "-Wno-missing-template-arg-list-after-template-kw"),
    "-D__AIE_API_AIE_ADF_HPP__",  # keeps <adf.h> out, which is not here
)

XCLBIN = "final.xclbin"
INSTRUCTIONS = "insts.bin"


def compile_flags(
    toolchain: Toolchain, source: str, target: Target, extra: tuple[str, ...]
) -> tuple[str, ...]:
    """The compiler and everything it is told but the files; BuildError for an unknown suffix."""
    standard = LANGUAGES.get(Path(source).suffix)
    if standard is None:
        raise BuildError(
            f"don't know how to compile {Path(source).suffix or 'this'} files",
            where=source,
            hint=f"kernels end in {', '.join(LANGUAGES)}",
        )
    cxx = standard.startswith("c++")
    includes = (INCLUDE, *([toolchain.include] if toolchain.include else []))
    return (
        str(toolchain.peano / "bin" / ("clang++" if cxx else "clang")),
        f"--target={target}-none-unknown-elf",
        f"-std={standard}",
        *(_CXX if cxx else _C),
        "-fstack-size-section",
        "-fdiagnostics-color=always",
        *(f"-I{include}" for include in includes),
        *extra,
    )


def compile_command(flags: tuple[str, ...], source: str, output: Path) -> tuple[str, ...]:
    """The command from a source to an object, with what it read in a file beside it (.d)."""
    dependencies = str(output.with_suffix(".d"))
    return (*flags, "-MD", "-MF", dependencies, "-c", source, "-o", str(output))


def archive_command(
    toolchain: Toolchain, archive: Path, objects: Iterable[Path], extra: tuple[str, ...]
) -> tuple[str, ...]:
    """The command from objects to an archive, which must not be there yet."""
    names = (str(name) for name in objects)
    return (str(toolchain.peano / "bin" / "llvm-ar"), *extra, "rcs", str(archive), *names)


@dataclass(frozen=True, slots=True)
class AieccCall:
    """How aiecc is called in a build's folder, and what it is to leave there.

    `xclbin` and `instructions` are patterns of names relative to the folder; `effects` is each of
    our flags that shows in verbose output, with the pattern by which it does. Intermediate files
    go to `<design>.prj` there, in every generation.
    """

    command: tuple[str, ...]
    env: Mapping[str, str]
    xclbin: str
    instructions: str
    effects: Mapping[str, str]


def aiecc_call(
    toolchain: Toolchain, design: str, scheme: str | None, extra: tuple[str, ...]
) -> AieccCall:
    """The call for this generation. `design` is the file's name in the folder it is called in.

    Without a `scheme` aiecc places buffers as it likes: by bank, else in sequence.
    """
    peano = str(toolchain.peano)
    flags = [f"--peano={peano}", "--verbose"]
    flags += [f"--alloc-scheme={scheme}"] if scheme else []
    xclbin, instructions = XCLBIN, INSTRUCTIONS
    if toolchain.generation == "C":
        # Its options for names have moved; the names it takes by itself are documented.
        xclbin, instructions = "aie.xclbin", "insts_*.bin"
        outputs = ["--get-xclbin", "--get-npu-insts", "--no-progress"]
        if toolchain.xclbinutil:
            outputs.append(f"--xclbinutil-path={toolchain.xclbinutil}")
    else:
        outputs = ["--aie-generate-xclbin", f"--xclbin-name={XCLBIN}"]
        outputs += ["--aie-generate-npu-insts", f"--npu-insts-name={INSTRUCTIONS}"]
        outputs += ["--no-xchesscc", "--no-xbridge", "--no-compile-host"]
    folders = [str(toolchain.aiecc.parent)]
    folders += [str(toolchain.xclbinutil.parent)] if toolchain.xclbinutil else []
    return AieccCall(
        (str(toolchain.aiecc), *outputs, *flags, *extra, design),
        {
            "PATH": os.pathsep.join([*folders, os.environ.get("PATH", os.defpath)]),
            "PEANO_INSTALL_DIR": peano,
        },
        xclbin,
        instructions,
        _effects(peano, scheme) if toolchain.generation == "B" else {},
    )


def _effects(peano: str, scheme: str | None) -> Mapping[str, str]:
    """What generation B prints if it heeds a flag; one it doesn't know it ignores in silence."""
    tools = re.escape(peano)
    effects = {
        "--verbose": r"^Successfully parsed input file: ",
        "--peano": rf"{tools}/bin/(?:opt|llc)\b",
        "--no-xchesscc": r"/llc\b.*--filetype=obj",
        "--no-xbridge": r"/clang\b.*-Wl,-T",
    }
    if scheme:
        effects["--alloc-scheme"] = rf"\(alloc-scheme={re.escape(scheme)}\)"
    return effects


def ignored_flags(call: AieccCall, lines: Iterable[str]) -> tuple[str, ...]:
    """Our flags whose effect is missing from what aiecc printed."""
    text = list(lines)
    return tuple(
        flag
        for flag, pattern in call.effects.items()
        if not any(re.search(pattern, line) for line in text)
    )


def unlisted_flags(toolchain: Toolchain, extra: Iterable[str]) -> tuple[str, ...]:
    """Flags of the user's that an aiecc of generation B doesn't list, and so may ignore."""
    if toolchain.generation != "B" or not toolchain.options:
        return ()
    names = {flag: flag.lstrip("-").partition("=")[0] for flag in extra if flag.startswith("-")}
    return tuple(flag for flag, name in names.items() if name not in toolchain.options)
