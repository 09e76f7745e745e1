from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from workbench.build.aie.messages import Message, catalogue, explain, first_error

MESSAGES = catalogue()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.id)
def test_every_message_knows_its_own_line(message: Message) -> None:
    """And no other takes it for its own, before it or after."""
    assert [m.id for m in MESSAGES if m.pattern.search(message.example)] == [message.id]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.id)
def test_every_message_is_whole(message: Message) -> None:
    assert message.meaning
    assert not message.meaning.endswith(".")
    assert message.mend
    assert message.kind in ("benign", "fatal")
    assert message.source[0].isdigit()
    assert "\n" not in message.example


def test_nothing_is_there_twice() -> None:
    text = files("workbench.build.aie").joinpath("messages.toml").read_text()
    entries = tomllib.loads(text)["message"]
    for key in ("id", "pattern", "example"):
        values = [entry[key] for entry in entries]
        assert len(values) == len(set(values))


def test_colours_do_not_hide_a_message() -> None:
    message = explain("\x1b[0;1;31mld.lld: error: \x1b[0mundefined symbol: sqrtf")
    assert message is not None
    assert message.id == "lld-libm"


@pytest.mark.parametrize(
    "line",
    [
        "Compilation completed successfully",
        "  Device 'main' with 1 core(s)",
        "Running routing pipeline in-memory",
        "kernels/attention.c:3:1: warning: unused variable 'x' [-Wunused-variable]",
        "Generated ELF: attention.mlir.prj/main_core_0_2.elf",
        "",
    ],
)
def test_ordinary_lines_mean_nothing(line: str) -> None:
    assert explain(line) is None


def test_the_first_real_error_wins() -> None:
    error = first_error(
        [
            "Running routing pipeline in-memory",
            "attention.mlir:18:13: warning: link_with on aie.core is deprecated; attach link_with",
            "Error: Command failed with exit code 1",
            "ld.lld: error: undefined symbol: sqrtf",
            ">>> referenced by attention.c",
            "Error linking ELF file",
            "Compilation failed",
        ]
    )
    assert error is not None
    assert (error.tool, error.line) == ("ld.lld", "ld.lld: error: undefined symbol: sqrtf")
    assert error.message is not None
    assert error.message.id == "lld-libm"


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("attention.mlir:4:5: error: expected operation name", "aie-opt"),
        ("kernels/attention.c:3:1: error: expected '}'", "clang"),
        ("kernels/attention.c:1:10: fatal error: 'x.h' file not found", "clang"),
        ("opt: error: unknown pass", "opt"),
        ("TypeError: unsupported operand", "python"),
        ("ERROR: Section 'X' is missing", "xclbinutil"),
        ("Error: No input file specified", "aiecc"),
        ("llvm-ar: error: x.o: no such file or directory", "llvm-ar"),
    ],
)
def test_unknown_errors_have_their_tool(line: str, tool: str) -> None:
    error = first_error(["talk", line, "Compilation failed"])
    assert error is not None
    assert (error.tool, error.line, error.message) == (tool, line, None)


def test_a_summary_is_better_than_nothing() -> None:
    error = first_error(["talk", "Error linking ELF file", "Compilation failed"])
    assert error is not None
    assert error.line == "Error linking ELF file"
    assert first_error(["talk"]) is None
