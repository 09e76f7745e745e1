"""One save is one change, whichever editor makes it, and a save without change is none."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path

import pytest

from tests.watch.conftest import NEW, OLD, Watched, watching
from tests.watch.saves import ALL, Save
from workbench import manifest
from workbench.loop.watch import LOOK_S

each_editor = pytest.mark.parametrize("save", ALL, ids=lambda save: save.__name__)


@each_editor
async def test_a_save_is_one_change(save: Save, kernel: Path, watched: Watched) -> None:
    save(kernel, NEW)
    assert await watched.change() == (str(kernel),)
    assert await watched.all() == [(str(kernel),)]
    assert watched.watcher.state()[str(kernel)] == manifest.sha256_bytes(NEW)
    assert watched.watcher.polling_because is None


@each_editor
async def test_a_save_without_change_is_none(save: Save, kernel: Path, watched: Watched) -> None:
    save(kernel, OLD)
    assert await watched.all() == []
    assert watched.watcher.polling_because is None


@each_editor
async def test_saves_one_after_the_other(save: Save, kernel: Path, watched: Watched) -> None:
    for number in range(3):
        save(kernel, b"int a = %d;\n" % (number + 2))
        assert await watched.change() == (str(kernel),)
        for litter in set(kernel.parent.iterdir()) - {kernel, watched.marker}:
            litter.unlink()
    assert await watched.all() == [(str(kernel),)] * 3


@each_editor
async def test_a_linked_kernel(save: Save, tmp_path: Path) -> None:
    real = tmp_path / "elsewhere" / "real.c"
    real.parent.mkdir()
    real.write_bytes(OLD)
    kernel = tmp_path / "kernel.c"
    kernel.symlink_to("elsewhere/real.c")
    async with watching(tmp_path, kernel) as watched:
        started = time.monotonic()
        save(real, NEW)
        assert await watched.change() == (str(kernel),)
        assert time.monotonic() - started < LOOK_S / 2
        assert await watched.all() == [(str(kernel),)]
        assert watched.watcher.polling_because is None


async def command(*argv: str | Path) -> None:
    """Run a program to its end."""
    nothing = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*argv, stdin=nothing, stdout=nothing)
    assert await process.wait() == 0


def holds(path: Path, text: bytes) -> bool:
    """Whether a file holds this text."""
    return path.read_bytes() == text


needs = {
    name: pytest.mark.skipif(shutil.which(name) is None, reason=f"{name} is not installed")
    for name in ("vim", "emacs", "git", "sed")
}


@pytest.mark.parametrize("way", ["backupcopy=no writebackup", "backupcopy=yes", "nowritebackup"])
@needs["vim"]
async def test_real_vim(way: str, kernel: Path, watched: Watched) -> None:
    vim = ["vim", "-u", "NONE", "-N", "-e", "-s", "-c", f"set swapfile {way}"]
    await command(*vim, "-c", "%s/1/2/", "-c", "wq", kernel)
    assert await watched.change() == (str(kernel),)
    await command(*vim, "-c", "w", "-c", "q", kernel)
    assert holds(kernel, NEW)
    assert await watched.all() == [(str(kernel),)]


@needs["emacs"]
async def test_real_emacs(kernel: Path, watched: Watched) -> None:
    script = """(progn (setq backup-enable-predicate (lambda (_) t) create-lockfiles t)
        (find-file (pop command-line-args-left)) (insert "x") (delete-char -1) {edit}
        (do-auto-save) (set-buffer-modified-p t) (save-buffer))"""
    emacs = ["emacs", "-Q", "--batch", "--eval"]
    await command(*emacs, script.format(edit='(replace-string "1" "2")'), kernel)
    assert await watched.change() == (str(kernel),)
    await command(*emacs, script.format(edit=""), kernel)
    assert holds(kernel, NEW)
    assert holds(kernel.with_name("kernel.c~"), NEW)
    assert await watched.all() == [(str(kernel),)]


@needs["sed"]
async def test_real_sed(kernel: Path, watched: Watched) -> None:
    await command("sed", "-i", "s/1/2/", kernel)
    assert await watched.change() == (str(kernel),)
    await command("sed", "-i", "s/1/2/", kernel)
    assert await watched.all() == [(str(kernel),)]


@needs["git"]
async def test_real_git_checkout(tmp_path: Path) -> None:
    kernel, other = tmp_path / "kernels" / "kernel.c", tmp_path / "kernels" / "other.c"
    kernel.parent.mkdir()
    kernel.write_bytes(OLD)
    other.write_bytes(OLD)
    identity = ["-c", "user.name=Author", "-c", "user.email=author@example.org"]
    git = ["git", "-C", str(tmp_path), *identity]
    await command(*git, "init", "-q", "-b", "old")
    await command(*git, "add", "kernels")
    await command(*git, "commit", "-q", "-m", "old")
    await command(*git, "checkout", "-q", "-b", "new")
    kernel.write_bytes(NEW)
    await command(*git, "commit", "-q", "-am", "new")
    await command(*git, "checkout", "-q", "-b", "without")
    await command(*git, "rm", "-q", "-r", "kernels")
    await command(*git, "commit", "-q", "-m", "without")
    await command(*git, "checkout", "-q", "old")
    async with watching(tmp_path, kernel, other) as watched:
        await command(*git, "checkout", "-q", "new")
        assert await watched.change() == (str(kernel),)
        await command(*git, "checkout", "-q", "without")
        assert await watched.change() == (str(kernel), str(other))
        assert watched.watcher.state()[str(kernel)] is None
        await command(*git, "checkout", "-q", "old")
        assert await watched.change() == (str(kernel), str(other))
        await command(*git, "checkout", "-q", "new")
        assert await watched.change() == (str(kernel),)
        assert len(await watched.all()) == 4
        assert watched.watcher.polling_because is None
