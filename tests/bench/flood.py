"""Prints COUNT lines, RATE of them a second (0: as fast as they go), like a talkative compiler."""

from __future__ import annotations

import sys
import time


def main(count: int, rate: int) -> None:
    """Print in batches of 50 ms."""
    batch = rate // 20 or count
    started = time.monotonic()
    for first in range(0, count, batch):
        if rate:
            time.sleep(max(0.0, started + first / rate - time.monotonic()))
        lines = (
            f"\x1b[1mkernels/attention.c:{n % 200}:{n % 80}:\x1b[0m remark: loop {n} not unrolled"
            for n in range(first, min(first + batch, count))
        )
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
