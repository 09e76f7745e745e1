"""XRT's xclbinutil and xrt-smi, as far as a workbench can see them."""

from __future__ import annotations

import re
import shutil
import sys
from itertools import pairwise

from tests.doubles.failing import fails, pause, told


def xclbinutil(argv: list[str]) -> int:
    if "--version" in argv[1:]:
        print("XRT Build Version: 2.18.0 (2.18)\n       Build Date: 2025-11-01 12:00:00")
        return 0
    words = argv[1:]
    pairs = dict(pairwise(words))
    section = re.fullmatch(r"PDI:RAW:(.+)", pairs.get("--add-replace-section", ""))
    if section is None or "--output" not in pairs or "--add-kernel" not in pairs:
        print("ERROR: Missing arguments", file=sys.stderr)
        return 1
    if fails("xclbinutil"):
        print("ERROR: Unable to open the JSON file: main_kernels.json", file=sys.stderr)
        return 1
    shutil.copyfile(section[1], pairs["--output"])
    return 0


SMI = """\
System Configuration
  OS Name              : Linux
  Processor            : AMD Ryzen 7 7840U

XRT
  Version              : 2.18.0
  Branch               : HEAD
  amdxdna Version      : 2.18.0_20251101, 9a1b2c3d
  NPU Firmware Version : 1.5.2.380

Device(s) Present
|BDF             |Name          |
|----------------|--------------|
|[0000:c5:00.1]  |NPU {name}   |
"""


def xrt_smi(argv: list[str]) -> int:
    if "examine" not in argv[1:]:
        print("ERROR: No subcommand", file=sys.stderr)
        return 1
    if fails("smi"):
        print("No such device with index '0'", file=sys.stderr)
        return 1
    pause()
    print(SMI.replace("{name}", told().get("npu", "Phoenix")))
    return 0
