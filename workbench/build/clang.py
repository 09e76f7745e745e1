"""The clang that compiles kernels for the model device.

The machine's own if it has one, else the one inside the `ziglang` wheel, so that pip alone is
enough. Linking always uses the wheel's lld: a machine with clang need not have a linker.
"""

from __future__ import annotations

import re
import shutil
import sysconfig
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import workbench
from workbench.errors import BuildError

INCLUDE = Path(workbench.__file__).parent / "include"

LANGUAGES = {".c": "c11", ".cc": "c++20", ".cpp": "c++20", ".cxx": "c++20"}
"""Kernel suffixes and the standard they are compiled to: Peano's usual ones."""

# Peano's defaults that show in results or in timing of the build: -O2, no auto-vectorisers.
# Source: clang/lib/Driver/ToolChains/AIE.cpp of Xilinx/llvm-aie.
_CODE = ("-O2", "-fPIC", "-fno-vectorize", "-fno-slp-vectorize", "-Wall")

LINE_TABLES = ("-gdwarf-5", "-gline-tables-only")
"""Options by which a library knows the places that its code comes from.

In this order: the first means all that -g does, unless the second takes most of it back.
"""

# Arrays of a size known only at run time have no place on a core's stack.
_IR = ("-S", "-emit-llvm", "-fno-discard-value-names", "-Werror=vla", *LINE_TABLES)


@dataclass(frozen=True, slots=True)
class Clang:
    """A compiler and a linker; `identity` changes whenever either of them does."""

    name: str
    identity: str
    compiler: tuple[str, ...]
    headers: tuple[str, ...]
    """Options that say where the C library's headers are, when the compiler doesn't know."""
    linker: tuple[str, ...]
    libraries: tuple[str, ...]

    def compile_command(
        self,
        source: str,
        output: Path,
        dependencies: Path,
        defines: tuple[str, ...] = (),
        options: tuple[str, ...] = (),
    ) -> tuple[str, ...]:
        """The command from `source` to LLVM IR, with its headers listed in `dependencies`.

        `options` are further ones, the last to be said.
        """
        standard = LANGUAGES.get(Path(source).suffix)
        if standard is None:
            raise BuildError(
                f"don't know how to compile {Path(source).suffix or 'this'} files",
                where=source,
                hint=f"kernels end in {', '.join(LANGUAGES)}",
            )
        return (
            *self.compiler,
            *self.headers,
            *_CODE,
            *_IR,
            f"-std={standard}",
            "-fdiagnostics-color=always",
            f"-I{INCLUDE}",
            *(f"-D{define}" for define in defines),
            *options,
            *("-MMD", "-MF", str(dependencies)),
            *(source, "-o", str(output)),
        )

    def optimise_command(self, text: Path, output: Path) -> tuple[str, ...]:
        """The command from LLVM IR that isn't optimised to optimised LLVM IR."""
        return (*self.compiler, *_CODE, "-S", "-emit-llvm", str(text), "-o", str(output))

    def object_command(self, text: Path, output: Path) -> tuple[str, ...]:
        """The command from optimised LLVM IR to an object; it isn't optimised again."""
        passes = ("-Xclang", "-disable-llvm-passes")
        return (*self.compiler, "-O2", "-fPIC", *passes, "-c", str(text), "-o", str(output))

    def link_command(self, objects: tuple[Path, ...], output: Path) -> tuple[str, ...]:
        """The command from objects to a shared library; an undefined symbol is an error."""
        names = (str(name) for name in objects)
        return (*self.linker, "-shared", "-z", "defs", "-o", str(output), *names, *self.libraries)


@cache
def find_clang() -> Clang:
    """The clang of this machine, else of the ziglang wheel; BuildError when there is neither."""
    try:
        import ziglang
    except ImportError:
        raise BuildError(
            "the ziglang package, which holds the linker, is not installed",
            hint="pip install ziglang",
        ) from None
    wheel = Path(ziglang.__file__).parent
    zig = str(wheel / "zig")
    release = version("ziglang")
    linker = (zig, "ld.lld")
    own = shutil.which("clang")
    if own is not None:
        stat = Path(own).resolve().stat()
        identity = f"{own} {stat.st_size} {stat.st_mtime_ns} lld {release}"
        return Clang(f"clang ({own})", identity, (own,), (), linker, _c_libraries())
    headers = wheel / "lib"
    machine = re.sub(r"^amd64$", "x86_64", sysconfig.get_platform().rpartition("-")[2].lower())
    includes = (
        "-nostdlibinc",
        *("-isystem", str(headers / "include")),
        # The wheel's own C headers, arch before generic: enough for <string.h> and <math.h>.
        *("-idirafter", str(headers / "libc" / "include" / f"{machine}-linux-musl")),
        *("-idirafter", str(headers / "libc" / "include" / "generic-musl")),
    )
    name = f"clang (ziglang {release})"
    return Clang(name, f"zig {release}", (zig, "clang"), includes, linker, _c_libraries())


def _c_libraries() -> tuple[str, ...]:
    """The C library and libm that this very process runs on, for the linker to resolve against."""
    pattern = re.compile(r"/(?:libc|libm|ld-musl-[^/]*)[.-][^/]*$")
    maps = Path("/proc/self/maps").read_text().splitlines()
    paths = {line.split(maxsplit=5)[-1] for line in maps}
    return tuple(sorted(path for path in paths if pattern.search(path)))
