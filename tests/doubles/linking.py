"""What the three generations of aiecc have in common: designs checked, objects linked, files made.

`NPU_DOUBLE` (see `failing`) chooses failures.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.relocation import RelocationSection
from elftools.elf.sections import SymbolTableSection

from tests.doubles import designs
from tests.doubles.elf import AIE2, AIE2P, Code, write_image
from tests.doubles.failing import fails, pause, told
from tests.doubles.peano import read_archive

SHA = "19cce64c0f0b9a3d5e6f7a8b9c0d1e2f3a4b5c6d"
PROGRAM, DATA = 16 * 1024, 64 * 1024
LIBRARY = {"__udivsi3", "__divsi3", "__umodsi3", "__modsi3", "__udivdi3", "__divdi3", "memcpy"}
LIBM = {"sqrtf", "expf", "sqrt", "exp", "logf"}


class Failure(Exception):
    """A build that fails: what the tools said, and the exit code of the one that did."""

    def __init__(self, *lines: str, code: int = 1, command: str = "") -> None:
        super().__init__(*lines)
        self.lines = lines
        self.code = code
        self.command = command


@dataclass
class Options:
    """What was asked for, whatever the generation calls it."""

    design: str = ""
    xclbin: bool = False
    xclbin_name: str = ""
    instructions: bool = False
    instructions_name: str = ""
    tmpdir: str = ""
    peano: str = ""
    scheme: str | None = None
    verbose: bool = False
    chess: bool = True
    bridge: bool = True
    dynamic: bool = False
    xclbinutil: str = ""
    unknown: list[str] = field(default_factory=list)


def parse(words: list[str], known: set[str]) -> Options:
    """Both `--flag=value` and `--flag value`; what isn't known is collected, not refused."""
    forgotten = told().get("forgets", "")
    known = {name for name in known if name.rstrip("=") != forgotten}
    options, left = Options(), list(words)
    while left:
        word = left.pop(0)
        name, equals, value = word.partition("=")
        if not word.startswith("-"):
            options.design = word
        elif f"{name}=" in known:
            _set(options, name, value if equals else left.pop(0))
        elif name in known and not equals:
            _set(options, name, "")
        else:
            options.unknown.append(word)
    options.tmpdir = options.tmpdir or f"{Path(options.design).name}.prj"
    return options


def _set(options: Options, name: str, value: str) -> None:
    if name in ("--aie-generate-xclbin", "--get-xclbin"):
        options.xclbin = True
    elif name in ("--aie-generate-npu-insts", "--get-npu-insts"):
        options.instructions = True
    elif name == "--xclbin-name":
        options.xclbin_name = value
    elif name == "--npu-insts-name":
        options.instructions_name = value
    elif name in ("-v", "--verbose"):
        options.verbose = True
    elif name == "--no-xchesscc":
        options.chess = False
    elif name == "--no-xbridge":
        options.bridge = False
    elif name == "--dynamic-objFifos":
        options.dynamic = True
    elif name == "--alloc-scheme":
        options.scheme = value
    elif name in ("--tmpdir", "--peano"):
        setattr(options, name[2:], value)
    elif name == "--xclbinutil-path":
        options.xclbinutil = value


@dataclass
class Linkable:
    """What the linker takes from one object."""

    functions: list[Code]
    undefined: set[str]
    data: int
    source: dict[str, str]
    digest: str
    sized: bool


def load(path: Path) -> list[Linkable]:
    """The object at `path`, or the members of the archive there."""
    data = path.read_bytes()
    members = read_archive(data).values() if data.startswith(b"!<arch>") else [data]
    return [_load(member) for member in members]


def _load(data: bytes) -> Linkable:
    elf = ELFFile(io.BytesIO(data))
    sections = list(elf.iter_sections())
    symbols = [x for s in sections if isinstance(s, SymbolTableSection) for x in s.iter_symbols()]
    texts = {n: s for n, s in enumerate(sections) if s.name.startswith(".text.")}
    names = {s.entry.st_shndx: s.name for s in symbols if s.entry.st_info.type == "STT_FUNC"}
    exported = {s.name for s in symbols if s.entry.st_info.bind == "STB_GLOBAL"}
    calls: dict[int, list[tuple[int, str]]] = {}
    frames: dict[int, int] = {}
    for section in sections:
        if isinstance(section, RelocationSection) and section.header.sh_info in texts:
            for one in section.iter_relocations():
                symbol = symbols[one.entry.r_info_sym]
                target = symbol.name or names[symbol.entry.st_shndx]
                calls.setdefault(section.header.sh_info, []).append((one.entry.r_offset, target))
        elif section.name == ".stack_sizes":
            value = shift = 0
            for byte in section.data()[4:]:
                value |= (byte & 0x7F) << shift
                shift += 7
            frames[section.header.sh_link] = value
    functions = [
        Code(names[n], s.data(), frames.get(n), calls.get(n, ()), names[n] in exported)
        for n, s in texts.items()
    ]
    note = elf.get_section_by_name(".note.source")
    size = sum(s.data_size for s in sections if s.name in (".data", ".rodata", ".bss"))
    undefined = {s.name for s in symbols if s.name and s.entry.st_shndx == "SHN_UNDEF"}
    return Linkable(
        functions,
        undefined,
        size,
        json.loads(note.data()) if note is not None else {},
        hashlib.sha256(data).hexdigest(),
        bool(frames),
    )


@dataclass
class Build:
    """One run of an aiecc, in the current folder."""

    generation: str
    options: Options
    text: str = ""
    read: designs.Read = field(
        default_factory=lambda: designs.Read("", "", (), 0, (), False, False)
    )
    tmp: Path = field(default_factory=Path)
    images: dict[str, str] = field(default_factory=dict)
    sources: dict[str, dict[str, str]] = field(default_factory=dict)
    objects: dict[str, str] = field(default_factory=dict)

    def say(self, line: str) -> None:
        """A line that only verbose output has; a pause, if the double is slow, comes after it."""
        if self.options.verbose:
            print(line, flush=True)
        pause()

    @property
    def device(self) -> str:
        return self.read.device

    def tool(self, name: str) -> str:
        return os.path.join(self.options.peano, "bin", name)

    def open_design(self) -> None:
        name = self.options.design
        if not name:
            raise Failure("Error: No input file specified")
        try:
            self.text = Path(name).read_text()
        except OSError:
            raise Failure(f"Error: could not open {name}") from None
        if "aie.device" not in self.text:
            raise Failure("error: input MLIR must contain at least one aie.device")
        if fails("parse"):
            raise Failure(
                f"{name}:49:5: error: custom op 'aiex.runtime_sequence' is unknown (tried "
                "'builtin.aiex.runtime_sequence' as well)",
                "    aiex.runtime_sequence(%qkv : memref<12288xi8>) {",
                "    ^",
            )
        self.read = designs.read(self.text)
        self.tmp = Path(self.options.tmpdir)
        self.tmp.mkdir(exist_ok=True)

    def warn_link(self) -> None:
        if self.read.core_links and self.generation != "A":
            print(
                f"{self.options.design}:{self.read.cores[0].line}:13: warning: link_with on "
                "aie.core is deprecated; attach link_with to the func.func declaration instead",
                file=sys.stderr,
            )

    def allocate(self) -> None:
        for core in self.read.cores:
            if core.stack + self.read.buffers > DATA:
                raise Failure(
                    f"{self.options.design}:{core.line}:14: error: 'aie.tile' op allocated buffers "
                    "exceeded available memory",
                    f"{self.options.design}:{core.line}:14: note: MemoryMap:",
                    f"\t(stack)   : 0x0-{core.stack - 1:#x}   ({core.stack} bytes)",
                )
        if fails("channels"):
            raise Failure(
                f"{self.options.design}:12:5: error: 'aie.tile' op number of input DMA channel "
                "exceeded!"
            )
        (self.tmp / "input_with_addresses.mlir").write_text(self.text)

    def find(self, name: str) -> Path:
        """Where each generation looks for a linked object."""
        if path := told().get("old-object"):
            return Path(path)
        places = [Path(name)]
        if self.generation != "A":
            places += [self.tmp / name, Path(self.options.design).parent / name]
        for place in places:
            if place.is_file():
                return place
        if self.generation == "A":
            raise Failure(
                f"ld.lld: error: {self.tmp}/main_core_0_2.ld.script:42: unable to find {name}"
            )
        target = self.tmp / name
        raise Failure(f"Error: could not copy {name} to {target}: No such file or directory")

    def link(self, core: designs.Core) -> Path:
        """The core's image; Failure in lld's words."""
        parts = [part for name in core.links for part in self._parts(name)]
        functions = [code for part in parts for code in part.functions]
        defined = {code.name for code in functions if code.exported}
        wanted = set(core.calls) | {name for part in parts for name in part.undefined}
        library = LIBRARY if fails("no-libm") else LIBRARY | LIBM
        if missing := sorted(wanted - defined - library):
            raise Failure(
                f"ld.lld: error: undefined symbol: {missing[0]}",
                f">>> referenced by {self.tmp}/{self.device}_core_{core.column}_{core.row}.o:"
                "(.text.core)",
            )
        if fails("orphan"):
            raise Failure("ld.lld: error: attention.o:(.comment) is being placed in '.comment'")
        room = DATA - core.stack - self.read.buffers
        if (data := sum(part.data for part in parts)) > room:
            raise Failure(
                "ld.lld: error: section '.data' will not fit in region 'data': overflowed by "
                f"{data - room} bytes"
            )
        entry = f"core_{core.column}_{core.row}"
        start = [Code("__start", bytes(16)), Code("_main_init", bytes(32), None)]
        main = Code(entry, hashlib.sha256(self.text.encode()).digest() * 4)
        image = [*start, main, *functions]
        size = sum(len(code.code) for code in image)
        if self.generation == "C" and size > PROGRAM:
            raise Failure(
                "ld.lld: error: section '.text' will not fit in region 'program': overflowed by "
                f"{size - PROGRAM} bytes"
            )
        flags = AIE2P if self.read.target.startswith("npu2") else AIE2
        path = self.tmp / f"{self.device}_{entry}.elf"
        path.write_bytes(write_image(image, flags=flags))
        self.images[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        if size > PROGRAM:
            self.too_large = size
        return path

    too_large: int = 0
    instructions_sha256: str = ""

    def _parts(self, name: str) -> list[Linkable]:
        path = self.find(name)
        parts = load(path)
        self.objects[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        for part in parts:
            self.sources[name] = part.source
        return parts

    def instructions(self, name: str) -> None:
        body = self.text.partition("runtime_sequence")[2]
        words = hashlib.sha256(body.encode()).digest() * 9 + bytes(12)
        Path(name).write_bytes(words)
        self.instructions_sha256 = hashlib.sha256(words).hexdigest()
        if fails("several-sequences"):
            Path(name.replace("sequence", "other") + ".bin").write_bytes(words)

    def pdi(self) -> None:
        if fails("bif"):
            raise Failure("[ERROR]  : BIF file is empty")
        if self.too_large or fails("cdo"):
            raise Failure(
                "[AIE ERROR] _XAie_LoadProgMemSection():231: Overflow of program memory",
                "XAie_LoadElf failed with XAIE_INVALID_ELF",
                *(["Error generating CDO files"] if self.generation == "B" else []),
            )
        content = {
            "magic": "xclbin-double",
            "generation": self.generation,
            "design": self.text,
            "design_path": os.path.abspath(self.options.design),
            "sources": {name: self._source(name) for name in self.sources},
            "allocation": self.options.scheme or "bank-aware",
            "instructions_sha256": self.instructions_sha256,
            "objects": self.objects,
            "images": self.images,
        }
        (self.tmp / f"{self.device}.pdi").write_text(json.dumps(content))
        (self.tmp / f"{self.device}_kernels.json").write_text("{}")

    def _source(self, name: str) -> str:
        """The source that an object was compiled from: its file, or a copy if that has changed."""
        path, text = Path(self.sources[name]["path"]), self.sources[name]["text"]
        if path.is_file() and path.read_text() == text:
            return str(path)
        copy = self.tmp / f"{name}{path.suffix}"
        copy.write_text(text)
        return os.path.abspath(copy)

    def xclbin(self, packer: str, name: str) -> None:
        if old := told().get("old-xclbin"):
            shutil.copy2(old, name)
            return
        if fails("no-xclbin"):
            return
        command = [packer, "--add-kernel", str(self.tmp / f"{self.device}_kernels.json")]
        command += ["--add-replace-section", f"PDI:RAW:{self.tmp / (self.device + '.pdi')}"]
        command += ["--force", "--output", name]
        self.say(" ".join(command))
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failure(
                *done.stderr.splitlines(), code=done.returncode, command=" ".join(command)
            )
