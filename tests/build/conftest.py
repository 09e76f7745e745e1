"""A kernel folder, and the compile step on it with the real compiler."""

from __future__ import annotations

from pathlib import Path

import pytest

from workbench.build import Built, build_kernel, find_clang

KERNEL = """\
#include <stdint.h>
void kernel(const int8_t *in, int8_t *out) {
  for (int i = 0; i < 64; i++) out[i] = in[i] + 1;
}
"""


class Workshop:
    """Builds in a folder; `log` is what the last build printed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "work"
        self.folder.mkdir()
        self.cache = folder / "cache"
        self.log: list[str] = []

    def write(self, name: str, text: str) -> Path:
        """Save a file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    async def build(self, source: Path | str, limit_s: float = 60.0) -> Built:
        """The compile step."""
        self.log.clear()
        return await build_kernel(str(source), find_clang(), self.cache, self.log.extend, limit_s)

    def leftovers(self) -> list[Path]:
        """Folders of builds that came to nothing."""
        return [f for f in self.cache.glob("objects/*") if not (f / "manifest.json").exists()]


@pytest.fixture
def workshop(tmp_path: Path) -> Workshop:
    return Workshop(tmp_path)
