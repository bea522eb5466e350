"""A clean checkout of a git revision, in a folder that is gone afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from penstock._project.imports import TargetError
from penstock._project.shown import note
from penstock.errors import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Generator

__all__ = ["Checkout", "checked_out"]

# A hook runs with these set. They name the repository and the index of the commit that
# is being made; ours are other ones.
_OF_HOOKS = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")
# What might write into the repository, or leave files out of the checkout.
_QUIET = (
    "core.splitIndex=false",
    "core.fsmonitor=false",
    "core.sparseCheckout=false",
    f"core.hooksPath={os.devnull}",
)
_PREFIX = "penstock-diff-"
_SUBMODULE = "160000"
_RELATIVE = re.compile(r"[~^]|@\{")


class Checkout(NamedTuple):
    """Where a revision was checked out.

    Attributes:
        top: Root of the user's working tree.
        tree: The same of the checkout.
        scratch: An empty folder beside it.
    """

    top: Path
    tree: Path
    scratch: Path


@contextmanager
def checked_out(revision: str) -> Generator[Checkout]:
    """Check *revision* of the repository that the current folder is in out.

    Objects are read from the repository and nothing in it is written: neither files,
    nor its index, nor a ref, nor a list of worktrees.

    Raises:
        TargetError: There is no git, no repository or no such revision.
    """
    here = Path.cwd()
    top = Path(_git(here, "rev-parse", "--show-toplevel")).resolve()
    commit = _commit(here, revision)
    with (
        _ended_in_order(),
        TemporaryDirectory(prefix=_PREFIX, ignore_cleanup_errors=True) as folder,
    ):
        root = Path(folder).resolve()
        checkout = Checkout(top, root / "tree", root / "scratch")
        checkout.scratch.mkdir()
        _fill(top, commit, checkout.tree, root / "index")
        yield checkout


@contextmanager
def _ended_in_order() -> Generator[None]:
    """Let a request to end the process clean up first, as Ctrl-C does."""

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
        raise TargetError(_missing(here, revision)) from None


def _missing(here: Path, revision: str) -> str:
    if ".." in revision:
        return (
            f"{revision!r} is a range. Name one revision, such as what git merge-base "
            "prints; the other side is the working tree."
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
        f"there is no revision {revision!r} in this repository.{near} What is new "
        "elsewhere has to be fetched first: git fetch"
    )


def _fill(top: Path, commit: str, tree: Path, index: Path) -> None:
    """Write the files of *commit*, and those of its submodules, into *tree*.

    Neither ``git archive``, which leaves out what is marked export-ignore, nor ``git
    worktree``, which writes into the repository.
    """
    tree.mkdir(parents=True, exist_ok=True)
    places = {
        "GIT_DIR": _git(top, "rev-parse", "--absolute-git-dir"),
        "GIT_WORK_TREE": str(tree),
        "GIT_INDEX_FILE": str(index),
        "GIT_LFS_SKIP_SMUDGE": "1",  # pictures and data; it would go to the network
    }
    settings = [word for setting in _QUIET for word in ("-c", setting)]
    _git(tree, *settings, "read-tree", commit, **places)
    _git(tree, *settings, "checkout-index", "--all", "--force", "--quiet", **places)
    for entry in _git(top, "ls-tree", "-r", "-z", commit).split("\0"):
        about, _, path = entry.partition("\t")
        if about.startswith(_SUBMODULE):
            _fill_submodule(top / path, about.split()[2], tree / path, index)


def _fill_submodule(top: Path, commit: str, tree: Path, index: Path) -> None:
    name = top.name
    if not (top / ".git").exists():
        note(f"Warning: the submodule {name!r} is not here, so it is left out.")
        return
    try:
        _git(top, "cat-file", "-e", f"{commit}^{{commit}}")
    except _GitError:
        note(
            f"Warning: the submodule {name!r} has no commit {commit[:12]}, so it is "
            f"left out. Fetch it: git -C {name} fetch"
        )
        return
    _fill(top, commit, tree, index.with_name(f"{index.name}-{commit}"))


class _GitError(TargetError):
    """Git failed."""


def _git(folder: Path, *arguments: str, **environment: str) -> str:
    """Return what git prints.

    Raises:
        TargetError: It is not installed, or it fails.
    """
    inherited = {k: v for k, v in os.environ.items() if k not in _OF_HOOKS}
    try:
        done = subprocess.run(  # noqa: S603  # no shell; a revision is one argument
            ["git", *arguments],  # noqa: S607  # the user's own, found on PATH
            cwd=folder,
            env={**inherited, "GIT_OPTIONAL_LOCKS": "0", **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
    except FileNotFoundError as exc:
        msg = "git is not installed. Without it, compare two manifests."
        raise TargetError(msg) from exc
    if done.returncode:
        msg = f"git {arguments[0]}: {os.fsdecode(done.stderr).strip()}"
        raise _GitError(msg)
    return os.fsdecode(done.stdout).rstrip("\n")
