"""What twarc does with a file of pages: flatten each, leave out ids seen before. Run where twarc is installed.

``python twarc_process.py FILE [OUT]`` prints seconds, CPU seconds, tweets read and tweets kept. With OUT it writes what
is kept as ``twarc2 flatten`` does.
"""

import json
import sys
import time

from twarc.expansions import ensure_flattened  # type: ignore[import-not-found]  # not part of the environment


def main(source: str, target: str | None) -> None:
    """Flatten ``source``."""
    started, cpu = time.perf_counter(), time.process_time()
    seen: set[str] = set()
    read = 0
    out = open(target, "w") if target else None  # noqa: SIM115 (closed by the end of the process)
    with open(source) as lines:
        for line in lines:
            for tweet in ensure_flattened(json.loads(line)):
                read += 1
                if tweet["id"] not in seen:
                    seen.add(tweet["id"])
                    if out:
                        out.write(json.dumps(tweet) + "\n")
    print(time.perf_counter() - started, time.process_time() - cpu, read, len(seen))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None)
