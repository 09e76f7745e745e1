"""stdout is data and stderr is talk, whatever a kernel prints and whoever reads."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.headless.command import COMMAND, SECONDS, check, run
from tests.projects import Project

KERNEL = "kernels/scale.c"

PRINTS = r"""
    puts("out");
    fputs("err\n", stderr);
    fwrite("\x1b[31mred\x1b[0m\0\xff\xfe\n", 1, 16, stdout);
    printf("no newline");
"""


def test_what_a_kernel_prints_is_talk(project: Project) -> None:
    project.with_body(PRINTS)
    done = check(KERNEL)
    assert (done.code, done.record["status"]) == (0, "pass")
    said = done.err.splitlines()
    assert said[:3] == ["out", "err", "red\ufffd\ufffd"]
    assert said[3].startswith("no newline")
    assert "\x1b" not in done.err


def test_what_a_kernel_prints_before_it_crashes_is_told(project: Project) -> None:
    project.with_body('puts("as far as here"); *(volatile int *)0 = 1;')
    done = check(KERNEL)
    assert done.code == 4
    assert done.err.splitlines()[0] == "as far as here"
    assert done.sentence.startswith("kernels/scale.c:11: scale uses a null pointer")


def test_a_flood(project: Project) -> None:
    project.with_body(r'for (int i = 0; i < 20000; i++) printf("%d of a flood\n", i);')
    done = check(KERNEL)
    assert (done.code, done.record["status"]) == (0, "pass")
    assert done.err.splitlines()[:20_000] == [f"{i} of a flood" for i in range(20_000)]


def test_a_line_without_end(project: Project) -> None:
    project.with_body(r'printf("%0400000d", 7);')
    done = check(KERNEL)
    assert done.code == 0
    assert "line cut: " in done.err
    assert len(done.err) < 300_000


def test_warnings_are_told_and_recorded_each_time(project: Project) -> None:
    project.with_body("int unused;")
    for status in ("ok", "cached"):
        done = check(KERNEL)
        assert done.code == 0
        assert done.record["steps"][0]["status"] == status
        (warning,) = done.record["diagnostics"]
        assert warning["message"].startswith("unused variable 'unused'")
        assert "kernels/scale.c:11:9: warning: unused variable 'unused'" in done.err


@pytest.mark.parametrize(
    ("body", "code", "as_json"), [("", 0, []), ("out[7]++;", 1, ["--json"])], ids=["text", "json"]
)
def test_a_reader_that_leaves(project: Project, body: str, code: int, as_json: list[str]) -> None:
    project.with_body(body)
    with subprocess.Popen(
        [COMMAND, "check", KERNEL, *as_json], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, err = process.communicate(timeout=SECONDS)
    assert (process.returncode, err) == (code, b"")


def test_a_reader_of_stderr_that_leaves(project: Project) -> None:
    project.with_body(r'for (int i = 0; i < 20000; i++) printf("%d of a flood\n", i); out[7]++;')
    with subprocess.Popen(
        [COMMAND, "check", KERNEL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        out = process.stdout.read()
    assert process.returncode == 1
    assert out.startswith("FAIL kernels/scale.c ")


def test_a_full_disk(project: Project) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND, "check", KERNEL], stdout=full, stderr=subprocess.PIPE, timeout=SECONDS
        )
    wanted = b"npu-workbench: can't write to stdout: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, wanted)


def test_a_full_disk_for_what_is_said(project: Project) -> None:
    project.kernel.write_text("int 7;\n")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [COMMAND, "check", KERNEL], stdout=subprocess.PIPE, stderr=full, timeout=SECONDS
        )
    assert (done.returncode, done.stdout) == (3, b"")


@pytest.mark.parametrize(
    ("closed", "out", "err"),
    [
        (">&-", "", "kernels/nope.c: no such kernel"),
        ("2>&-", "", ""),
        ("<&-", "", "kernels/nope.c: no such kernel"),
    ],
)
def test_a_stream_that_is_closed(project: Project, closed: str, out: str, err: str) -> None:
    done = subprocess.run(
        ["sh", "-c", f'"$0" check kernels/nope.c {closed}', COMMAND],
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert (done.returncode, done.stdout) == (2, out)
    assert err in done.stderr
    assert "Traceback" not in done.stderr


def test_a_terminal_that_knows_no_unicode(project: Project) -> None:
    done = run("check", KERNEL, PYTHONIOENCODING="ascii")
    assert done.code == 0
    assert r"within \xb15" in done.out


@pytest.mark.parametrize("kernel", ["a kernel.c", "kérnel ü.c", "-k.c", "a:b.c", "k'\".c"])
def test_a_name_of_a_kernel(project: Project, kernel: str) -> None:
    source = project.kernel.read_text().replace("factor.h", "kernels/factor.h")
    Path(kernel).write_text(source)
    done = check("--spec", "kernels/scale.py", "--", kernel)
    assert (done.code, done.err) == (0, "")
    assert done.record["kernel"] == (f"./{kernel}" if kernel.startswith("-") else kernel)


@pytest.mark.parametrize("kernel", ["-k.c", "a:b.c", "two\nlines.c"])
def test_a_name_of_a_broken_kernel(project: Project, kernel: str) -> None:
    Path(kernel).write_text("int 7;")
    done = check("--spec", "kernels/scale.py", "--", kernel)
    assert done.code == 3
    assert done.sentence.endswith(": expected identifier or '('")
