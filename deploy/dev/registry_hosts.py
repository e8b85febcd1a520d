"""No address of a package registry stands in the repository: that is each machine's own setting."""

import subprocess
from pathlib import Path

# In pieces, so that this file does not hold what it looks for.
REGISTRY_HOSTS = tuple(
    b".".join(pieces)
    for pieces in (
        (b"pypi", b"org"),
        (b"pythonhosted", b"org"),
        (b"npmjs", b"org"),
        (b"npmjs", b"com"),
        (b"yarnpkg", b"com"),
        (b"crates", b"io"),
        (b"proxy", b"golang", b"org"),
        (b"deb", b"debian", b"org"),
        (b"archive", b"ubuntu", b"com"),
        (b"anaconda", b"org"),
        (b"repo", b"maven", b"apache", b"org"),
    )
)


def registry_hosts_in(root: Path) -> list[str]:
    """`path:line: host` for each registry named in a file git has or would add; a lock may hold no URL."""
    return [found for path in _files(root) for found in _in_file(root, path)]


def _files(root: Path) -> list[str]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 (git is wherever it is)
        cwd=root,
        capture_output=True,
        check=True,
    ).stdout
    return sorted({path for path in listing.decode().split("\0") if (root / path).is_file()})


def _in_file(root: Path, path: str) -> list[str]:
    needles = (*REGISTRY_HOSTS, b"://") if path.endswith(".lock") else REGISTRY_HOSTS
    return [
        f"{path}:{number}: {needle.decode()}"
        for number, line in enumerate((root / path).read_bytes().splitlines(), start=1)
        for needle in needles
        if needle in line.lower()
    ]
