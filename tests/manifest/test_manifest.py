"""What a cached thing was made from, and whether that is still there."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench import manifest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "source"
    path.write_bytes(b"one")
    return path


def written(tmp_path: Path, *files: Path) -> Path:
    path = tmp_path / "cache" / "thing.json"
    hashes = manifest.file_hashes(str(f) for f in files)
    manifest.write(path, files=hashes, data={"answer": [42, None, "ö"]})
    return path


def test_data_comes_back(file: Path, tmp_path: Path) -> None:
    assert manifest.read(written(tmp_path, file)) == {"answer": [42, None, "ö"]}
    assert [p.name for p in (tmp_path / "cache").iterdir()] == ["thing.json"]


def test_content_decides_and_time_does_not(file: Path, tmp_path: Path) -> None:
    path = written(tmp_path, file)
    os.utime(file, (1, 1))
    assert manifest.read(path) is not None
    times = file.stat().st_mtime_ns
    file.write_bytes(b"two")
    os.utime(file, ns=(times, times))
    assert manifest.read(path) is None
    file.write_bytes(b"one")
    assert manifest.read(path) is not None
    file.unlink()
    assert manifest.read(path) is None


def test_a_file_that_was_missing_vouches_for_nothing(tmp_path: Path) -> None:
    assert manifest.read(written(tmp_path, tmp_path / "gone")) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{}", '{"files": [], "data": 1}', "\x00"])
def test_a_broken_manifest_is_none(text: str, tmp_path: Path) -> None:
    path = tmp_path / "thing.json"
    path.write_text(text)
    assert manifest.read(path) is None


def test_a_missing_manifest_is_none(tmp_path: Path) -> None:
    assert manifest.read(tmp_path / "gone.json") is None
    (tmp_path / "bad.json").write_bytes(b"\xff\xfe")
    assert manifest.read(tmp_path / "bad.json") is None


@given(st.binary())
def test_hashes(data: bytes) -> None:
    assert manifest.sha256_bytes(data) == hashlib.sha256(data).hexdigest()


def test_files_that_have_no_content(file: Path, tmp_path: Path) -> None:
    assert manifest.sha256_file(file) == hashlib.sha256(b"one").hexdigest()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (fifo, tmp_path, tmp_path / "gone", "/dev/zero", "bad\0name"):
        assert manifest.sha256_file(path) is None


def test_keys_tell_things_apart() -> None:
    keys = {manifest.key_of(*parts) for parts in (("a", "b"), ("ab",), (["a", "b"],), ("b", "a"))}
    assert len(keys) == 4
    assert manifest.key_of({"x": 1, "y": 2}) == manifest.key_of({"y": 2, "x": 1})


def test_changed_since(file: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.touch()
    moment = manifest.change_time(mark)
    assert not manifest.changed_since([str(file), str(tmp_path / "gone")], moment)
    while manifest.change_time(file) <= moment:
        file.write_bytes(b"two")
        os.utime(file, (1, 1))
    assert manifest.changed_since([str(file)], moment)


def test_the_oldest_entries_are_deleted(tmp_path: Path) -> None:
    for number in range(4):
        (tmp_path / f"file{number}").touch()
        (tmp_path / f"folder{number}").mkdir()
        (tmp_path / f"folder{number}" / "inside").touch()
        for kind in ("file", "folder"):
            os.utime(tmp_path / f"{kind}{number}", (number, number))
    manifest.prune(tmp_path, keep=3)
    assert sorted(p.name for p in tmp_path.iterdir()) in (
        ["file3", "folder2", "folder3"],
        ["file2", "file3", "folder3"],
    )
    manifest.prune(tmp_path, keep=3)
    assert len(list(tmp_path.iterdir())) == 3
    manifest.prune(tmp_path / "gone")
