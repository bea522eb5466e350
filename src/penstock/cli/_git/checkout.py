"""The files of a git revision, in a temporary folder."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, TYPE_CHECKING, NamedTuple

from penstock._project.imports import TargetError
from penstock._project.shown import note
from penstock.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

# Set while a hook runs. They name the repository of the commit that is being made,
# which is not that of a submodule.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
_PREFIX = "penstock-diff-"
_LINK, _SUBMODULE = "120000", "160000"  # modes of entries of a tree
_RELATIVE = re.compile(r"[~^]|@\{")


class Checkout(NamedTuple):
    """Where the files of a revision are.

    Attributes:
        top: Root of the user's working tree.
        tree: The folder that stands for it.
        answer: A file next to it that does not exist yet.
    """

    top: Path
    tree: Path
    answer: Path


@contextmanager
def checked_out(revision: str) -> Generator[Checkout]:
    """Write the files of *revision* into a temporary folder.

    They are read as git stores them: no hook and no filter runs, no attribute counts,
    and nothing in the repository changes.

    Raises:
        TargetError: There is no git, no repository or no such revision.
    """
    here = Path.cwd()
    top = Path(_git(here, "rev-parse", "--show-toplevel")).resolve()
    commit = _commit(here, revision)
    with (
        _cleaned_up_when_ended(),
        TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
    ):
        root = Path(folder).resolve()
        checkout = Checkout(top, root / "tree", root / "answer")
        _fill(top, commit, checkout.tree)
        yield checkout


def tracked(top: Path, pattern: str) -> list[str]:
    """Return the files below *top* that git knows and that match *pattern*."""
    return [*filter(None, _git(top, "ls-files", "-z", pattern).split("\0"))]


@contextmanager
def _cleaned_up_when_ended() -> Generator[None]:
    """Make SIGTERM clean up first, as Ctrl-C does."""

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _commit(here: Path, revision: str) -> str:
    try:
        return _git(here, "rev-parse", "--verify", f"{revision}^{{commit}}")
    except _GitError:
        raise TargetError(*_missing(here, revision).splitlines()) from None


def _missing(here: Path, revision: str) -> str:
    if not revision:
        return (
            "the revision is empty. The command that should print it has failed; git "
            "merge-base, for instance, needs the whole history: git fetch --unshallow"
        )
    if ".." in revision:
        return (
            f"{revision!r} is a range. Name one revision, such as the one that git "
            "merge-base prints; the other side is the working tree."
        )
    if _git(here, "rev-parse", "--is-shallow-repository") == "true":
        if _RELATIVE.search(revision):
            return (
                f"this shallow clone has no revision {revision!r}. Fetch the rest of "
                "the history: git fetch --unshallow"
            )
        name = revision.removeprefix("origin/")
        return (
            f"this shallow clone has no revision {revision!r}. Fetch it: "
            f"git fetch --depth=1 origin {name}\nand compare with FETCH_HEAD; or fetch "
            "the whole history: git fetch --unshallow"
        )
    names = _git(here, "for-each-ref", "--format=%(refname:short)").split()
    near = did_you_mean(revision, ["HEAD", *names])
    return (
        f"there is no revision {revision!r} in this repository.{near} If it is new "
        "elsewhere, fetch it first: git fetch"
    )


def _fill(top: Path, commit: str, tree: Path) -> None:
    """Write the files of *commit*, and those of its submodules, into *tree*."""
    tree.mkdir(parents=True, exist_ok=True)
    blobs: list[tuple[str, Path, bool]] = []
    for entry in filter(None, _git(top, "ls-tree", "-r", "-z", commit).split("\0")):
        about, _, path = entry.partition("\t")
        mode, _, name = about.split()
        if mode == _SUBMODULE:
            _fill_submodule(top / path, name, tree / path)
        else:
            blobs.append((name, tree / path, mode == _LINK))
    _write(top, blobs)


def _write(top: Path, blobs: Sequence[tuple[str, Path, bool]]) -> None:
    """Write each blob of the repository at *top* to its path, some as links."""
    names = "".join(f"{name}\n" for name, _, _ in blobs)
    with TemporaryFile() as contents:
        _git(top, "cat-file", "--batch", stdin=names, stdout=contents)
        contents.seek(0)
        for name, path, is_link in blobs:
            about = contents.readline().split()
            if about[1:2] != [b"blob"]:
                msg = f"git does not have {path.name!r}, object {name}: git fetch"
                raise TargetError(msg)
            content = contents.read(int(about[2]) + 1)[:-1]
            path.parent.mkdir(parents=True, exist_ok=True)
            if is_link:
                path.symlink_to(os.fsdecode(content))
            else:
                path.write_bytes(content)


def _fill_submodule(top: Path, commit: str, tree: Path) -> None:
    try:
        _git(Path.cwd(), "-C", str(top), "cat-file", "-e", f"{commit}^{{commit}}")
    except _GitError:
        note(
            f"Warning: the submodule {top.name!r} has no commit {commit[:12]} here, so "
            "it is left out. Fetch it: git submodule update --init"
        )
    else:
        _fill(top, commit, tree)


class _GitError(TargetError):
    """Git failed."""


def _git(
    folder: Path, *arguments: str, stdin: str = "", stdout: IO[bytes] | int = PIPE
) -> str:
    """Return what git prints, unless it goes to *stdout*.

    Raises:
        TargetError: It is not installed, or it fails.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in _OF_HOOKS}
    try:
        done = subprocess.run(  # noqa: S603  # no shell; a revision is one argument
            ["git", *arguments],  # noqa: S607  # the user's own, found on PATH
            cwd=folder,
            env={**inherited, "GIT_OPTIONAL_LOCKS": "0"},
            input=stdin.encode(),
            stdout=stdout,
            stderr=PIPE,
            check=False,
        )
    except FileNotFoundError as exc:
        msg = "git is not installed. Without it, compare two manifests."
        raise TargetError(msg) from exc
    if done.returncode:
        told = os.fsdecode(done.stderr).strip()
        raise _GitError(*f"git {arguments[0]}: {told}".splitlines())
    return os.fsdecode(done.stdout or b"").rstrip("\n")
