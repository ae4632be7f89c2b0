"""The shape of the house (style.md): small files, no index address and no machine's path in the repo."""

import re
import statistics
import subprocess
import sys
from pathlib import Path

MEDIAN_LIMIT, FILE_LIMIT = 120, 500
_FORBIDDEN = re.compile(
    rb"https?://[a-z0-9.-]*(?:pypi|pythonhosted|npmjs|debian)\.(?:org|com)[^\s]*/simple|--index-url|/opt/pypi", re.I
)


def main() -> int:
    names = subprocess.run(["git", "ls-files", "-z"], capture_output=True, check=True).stdout.decode().split("\0")
    files = [Path(name) for name in names if name and Path(name).is_file()]
    code = [path for path in files if path.suffix == ".py" and "migrations" not in path.parts]
    lengths = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in code}
    product = [length for path, length in lengths.items() if length and path.parts[0] != "tests"]
    problems = [f"{path}: {length} lines" for path, length in lengths.items() if length > FILE_LIMIT]
    median = statistics.median(product)
    if median > MEDIAN_LIMIT:
        problems.append(f"the median file has {median} lines, more than {MEDIAN_LIMIT}")
    problems += [
        f"{path}: names a package index"
        for path in files
        if path != Path(__file__).relative_to(Path.cwd()) and _FORBIDDEN.search(path.read_bytes())
    ]
    print(f"{len(product)} files, median {median:.0f} lines, longest {max(product)}")
    for problem in problems:
        print(problem, file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
