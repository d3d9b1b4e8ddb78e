"""A container engine: the machine's own, or one made of Debian packages where root may make namespaces."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from castor_devstack.supervision.os_user import SYSTEM_FOLDER
from castor_devstack.supervision.processes import tied_to_parent

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = Path(__file__).with_name("engine.sh")
FOLDER = SYSTEM_FOLDER / "engine"
"""The root of an engine that is made here, with its images and caches; removing it costs time only."""
PACKAGES = (
    "docker.io,docker-cli,docker-buildx,docker-compose,docker-registry,"
    "iptables,iproute2,mount,slirp4netns,ca-certificates"
)
REGISTRY = "version: 0.1\nstorage: {filesystem: {rootdirectory: /var/lib/registry}}\nhttp: {addr: '127.0.0.1:5000'}\n"
MAKES_NAMESPACES = ("unshare", "--mount", "--net", "--pid", "--fork", "true")


@dataclass(frozen=True)
class Engine:
    """``inside`` precedes a command that sees the engine's files and network, ``near`` one that sees its network."""

    scratch: Path
    """An empty folder that the engine sees too."""
    root: Path = Path("/")
    """Where the engine's root lies here."""
    inside: tuple[str, ...] = ()
    near: tuple[str, ...] = ()

    @property
    def is_made(self) -> bool:
        """Whether it was made here, where no hub of images can be reached."""
        return bool(self.inside)

    def path(self, file: Path) -> str:
        """Return the engine's path of a file in ``scratch`` or in the checkout."""
        return f"/{file.relative_to(self.root)}" if file.is_relative_to(self.root) else str(file)

    def docker(self, *arguments: str, check: bool = True, seconds: float = 1800) -> subprocess.CompletedProcess[str]:
        """Run docker in the checkout; a failure is an ``AssertionError`` with the end of what it said."""
        done = subprocess.run(
            [*self.inside, "docker", *arguments],
            cwd=ROOT, capture_output=True, text=True, check=False, timeout=seconds, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert not check or done.returncode == 0, f"docker {' '.join(arguments)}\n{(done.stdout + done.stderr)[-6000:]}"
        return done


@contextmanager
def engine() -> Iterator[Engine]:
    """Yield the machine's engine or a new one; skips, saying what is missing, where neither can be had."""
    if shutil.which("docker") and _succeeds("docker", "info") and _succeeds("docker", "compose", "version"):
        with TemporaryDirectory() as scratch:
            yield Engine(Path(scratch))
        return
    if missing := _missing():
        pytest.skip(f"no container engine answers `docker info`, and none can be made: {missing}")
    with _only_one():
        _make()
        with _serving() as pid, TemporaryDirectory(dir=FOLDER / "srv") as scratch:
            namespaces = ("nsenter", "--target", str(pid), "--mount", "--net", "--pid", f"--wdns={ROOT}")
            clean = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root")
            network = ("nsenter", "--target", str(pid), "--net")
            made = Engine(Path(scratch), FOLDER, (*namespaces, *clean), network)
            yield made
            # What this run's images replaced would add up from run to run.
            made.docker("image", "prune", "--force", check=False)
            made.docker("builder", "prune", "--force", "--keep-storage", "8GB", check=False)


def _missing() -> str | None:
    if os.geteuid() != 0:
        return "that needs root"
    if not shutil.which("mmdebstrap"):
        return "that needs Debian's mmdebstrap (apt-get install mmdebstrap)"
    if not Path("/dev/net/tun").exists():
        return "/dev/net/tun is missing"
    if not _succeeds(*MAKES_NAMESPACES):
        return "root may not make namespaces here"
    return None


def _succeeds(*command: str) -> bool:
    try:
        return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def _only_one() -> Iterator[None]:
    SYSTEM_FOLDER.mkdir(mode=0o755, parents=True, exist_ok=True)
    with (SYSTEM_FOLDER / "engine.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make() -> None:
    if not FOLDER.exists():
        partial = FOLDER.with_name("engine.partial")
        shutil.rmtree(partial, ignore_errors=True)
        debian("trixie", partial, PACKAGES)
        (partial / "etc" / "castor-registry.yml").write_text(REGISTRY)
        partial.rename(FOLDER)


def debian(release: str, target: Path, packages: str, *options: str) -> None:
    """Write a root of Debian to a folder or a tar file; skips when its packages cannot be fetched."""
    target.parent.mkdir(parents=True, exist_ok=True)
    command = ["mmdebstrap", "--variant=minbase", f"--include={packages}", *options, release, str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"no container engine can be made: Debian's packages cannot be fetched: {done.stderr[-500:]}")


@contextmanager
def _serving() -> Iterator[int]:
    command = ["unshare", "--mount", "--propagation", "private", "sh", str(SCRIPT), "serve", str(FOLDER), str(ROOT)]
    (FOLDER / "engine.pid").unlink(missing_ok=True)
    with (FOLDER / "engine.log").open("wb") as log:
        server = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=tied_to_parent(signal.SIGTERM)
        )
    try:
        yield _wait_until_it_answers(server)
    finally:
        server.terminate()
        server.wait(60)


def _wait_until_it_answers(server: subprocess.Popen[bytes]) -> int:
    file, deadline = FOLDER / "engine.pid", time.monotonic() + 120
    while True:
        number = file.read_text().strip() if file.exists() else ""
        if number and _succeeds("nsenter", "--target", number, "--mount", "--net", "--pid", "docker", "info"):
            return int(number)
        if server.poll() is not None or time.monotonic() > deadline:
            logs: Sequence[Path] = (FOLDER / "engine.log", FOLDER / "var" / "log" / "dockerd.log")
            said = "\n".join(log.read_text()[-3000:] for log in logs if log.exists())
            pytest.skip(f"no container engine can be made: dockerd did not start here:\n{said}")
        time.sleep(0.2)
