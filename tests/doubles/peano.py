"""Peano's clang, clang++ and llvm-ar, as far as a workbench can see them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.doubles import source as c
from tests.doubles.elf import AIE2, AIE2P, Code, write_object
from tests.doubles.failing import fails, pause, told

VERSION = (
    "clang version 19.0.0 (https://github.com/Xilinx/llvm-aie 3a6f2d1c9b0e4f57a8d2c6e1b4f09d83)"
)
TARGETS = {"aie2-none-unknown-elf": AIE2, "aie2p-none-unknown-elf": AIE2P}
KNOWN = {"-c", "-MD", "-fstack-size-section", "-g"}
STANDARDS = {"c11", "c17", "c++20"}
RED, BOLD, RESET = "\x1b[0;1;31m", "\x1b[1m", "\x1b[0m"


def clang(argv: list[str]) -> int:
    plus = Path(argv[0]).name.endswith("++")
    if argv[1:] == ["--version"]:
        print(VERSION, "Target: x86_64-unknown-linux-gnu", "Thread model: posix", sep="\n")
        return 0
    try:
        asked = _Arguments(argv[1:], plus)
    except ValueError as error:
        print(f"{Path(argv[0]).name}: error: {error}", file=sys.stderr)
        return 1
    pause()
    return asked.compile()


class _Arguments:
    """A compilation's command line; ValueError in clang's words for what it would refuse."""

    def __init__(self, words: list[str], plus: bool) -> None:
        self.plus = plus
        self.output = self.dependencies = self.target = ""
        self.standard = "gnu++17" if plus else "gnu17"
        self.inputs: list[str] = []
        self.includes: list[str] = []
        self.flags: set[str] = set()
        left = iter(words)
        for word in left:
            self._take(word, left)
        if not self.inputs:
            raise ValueError("no input files")
        if "-c" not in self.flags:
            raise ValueError("linker command failed with exit code 1 (use -v to see invocation)")
        if self.target not in TARGETS:
            raise ValueError(f"unknown target triple '{self.target or 'unknown'}'")

    def _take(self, word: str, left: Iterator[str]) -> None:
        if word in ("-o", "-MF", "-I", "-D"):
            value = next(left, None)
            if value is None:
                raise ValueError(f"argument to '{word}' is missing (expected 1 value)")
            if word == "-o":
                self.output = value
            elif word == "-MF":
                self.dependencies = value
            elif word == "-I":
                self.includes.append(value)
        elif word.startswith("--target="):
            self.target = word.partition("=")[2]
        elif word.startswith("-std="):
            self.standard = word.partition("=")[2]
            if self.standard not in STANDARDS:
                raise ValueError(f"invalid value '{self.standard}' in '-std={self.standard}'")
        elif word.startswith("-I"):
            self.includes.append(word[2:])
        elif word in KNOWN or word.startswith(("-O", "-W", "-D", "-fdiagnostics-color=")):
            self.flags.add(word)
        elif word.startswith("-"):
            raise ValueError(f"unknown argument: '{word}'")
        else:
            self.inputs.append(word)

    def compile(self) -> int:
        name = self.inputs[0]
        try:
            text = Path(name).read_text()
        except OSError:
            print(f"clang: error: no such file or directory: '{name}'", file=sys.stderr)
            return 1
        cxx = self.plus or not name.endswith(".c")
        if self.plus and name.endswith(".c"):
            self._say(0, "warning", "treating 'c' input as 'c++' when in C++ mode", "clang++")
        if cxx and self.standard.startswith("c1"):
            self._say(0, "error", f"invalid argument '-std={self.standard}' not allowed with 'C++'")
            return 1
        headers = self._headers(Path(name), text, name)
        if headers is None or self._errors(name, text):
            return 1
        if fails("backend"):
            self._say(
                0,
                "fatal error",
                "error in backend: unable to legalize instruction: %12:_(s64) = G_FCMP "
                "floatpred(olt), %3:_(s64), %5:_ (in function: softmax)",
                "",
            )
            return 1
        if fails("warning"):
            self._say(1, "warning", "unused variable 'x' [-Wunused-variable]", name)
        if fails("no-object"):
            return 0
        Path(self.output).write_bytes(self._object(name, text, headers, cxx))
        if "-MD" in self.flags:
            escaped = " \\\n  ".join(n.replace(" ", "\\ ") for n in (name, *headers))
            Path(self.dependencies).write_text(f"{self.output}: {escaped}\n")
        return 0

    def _errors(self, name: str, text: str) -> bool:
        bare = c.plain(text)
        if bare.count("{") > bare.count("}"):
            self._say(text.count("\n") + 1, "error", "expected '}'", name)
            print("1 error generated.", file=sys.stderr)
            return True
        for number, line in enumerate(text.splitlines(), 1):
            if line.startswith("#error"):
                self._say(number, "error", line[1:].replace("error ", '"', 1) + '"', name)
                print("1 error generated.", file=sys.stderr)
                return True
        return False

    def _headers(self, at: Path, text: str, name: str) -> list[str] | None:
        found: list[str] = []
        for header, quoted in c.includes(text):
            folders = [*([str(at.parent)] if quoted else []), *self.includes]
            paths = (os.path.join(folder, header) for folder in folders)
            path = next((p for p in paths if os.path.isfile(p)), None)
            if path is not None:
                found += [path, *(self._headers(Path(path), Path(path).read_text(), path) or [])]
            elif quoted:
                self._say(1, "fatal error", f"'{header}' file not found", name)
                return None
        return found

    def _object(self, name: str, text: str, headers: list[str], cxx: bool) -> bytes:
        texts = "".join(Path(h).read_text() for h in headers if not h.endswith("npu_workbench.h"))
        frames = "-fstack-size-section" in self.flags
        local = [function.name for function in c.functions(text)]
        bare = 'extern "C"' in text or not cxx
        salt = bytes(sum(texts.encode()) % 256 for _ in range(1)) * 16 if texts else b""

        def called(f: str) -> str:
            return f if bare or f.startswith("__") else f"_Z{len(f)}{f}v"

        declared = texts + text
        wide = int(told().get("frame", 0))
        codes = []
        for function in c.functions(text):
            calls = [n for n in function.calls if n in local or _external(n, declared)]
            code = function.code + salt
            code += bytes(16 * len(calls)) + bytes(int(told().get("code", 0)))
            places = [(len(function.code + salt) + 16 * n, called(f)) for n, f in enumerate(calls)]
            frame = (wide or function.frame) if frames else None
            codes.append(Code(called(function.name), code, frame, places, not function.static))
        notes = {".note.source": json.dumps({"path": os.path.abspath(name), "text": text}).encode()}
        data = bytes(int(told().get("data", 0)))
        return write_object(
            codes, flags=TARGETS[self.target], data=data, source=name, notes=notes, by_section=True
        )

    def _say(self, line: int, severity: str, message: str, where: str = "clang") -> None:
        place = f"{where}:{line}:1: " if line else f"{where}: " if where else ""
        colour = "-fdiagnostics-color=always" in self.flags
        text = (
            f"{BOLD}{place}{RED}{severity}: {RESET}{message}"
            if colour
            else (f"{place}{severity}: {message}")
        )
        print(text, file=sys.stderr)


def _external(name: str, declared: str) -> bool:
    """Whether a call of a function that the file doesn't define is one, not a macro."""
    return name.startswith("__ud") or f"#define {name}" not in declared


def llvm_ar(argv: list[str]) -> int:
    """`llvm-ar rcs ARCHIVE OBJECT…`: adds to an archive or replaces members of the same name."""
    if argv[1:] == ["--version"]:
        print("LLVM (http://llvm.org/):\n  LLVM version 19.0.0git")
        return 0
    if len(argv) < 4 or argv[1] != "rcs":
        print("llvm-ar: error: unknown operation", file=sys.stderr)
        return 1
    pause()
    archive = Path(argv[2])
    members = read_archive(archive.read_bytes()) if archive.exists() else {}
    for name in argv[3:]:
        try:
            members[Path(name).name] = Path(name).read_bytes()
        except OSError:
            print(f"llvm-ar: error: {name}: no such file or directory", file=sys.stderr)
            return 1
    body = b"".join(_member(name, data) for name, data in members.items())
    archive.write_bytes(b"!<arch>\n" + body)
    return 0


def _member(name: str, data: bytes) -> bytes:
    head = f"{name + '/':<16}{0:<12}{0:<6}{0:<6}{'644':<8}{len(data):<10}`\n".encode()
    return head + data + b"\n" * (len(data) % 2)


def read_archive(data: bytes) -> dict[str, bytes]:
    members, at = {}, 8
    while at < len(data):
        name, size = data[at : at + 16].decode().rstrip(" /"), int(data[at + 48 : at + 58])
        members[name] = data[at + 60 : at + 60 + size]
        at += 60 + size + size % 2
    return members
