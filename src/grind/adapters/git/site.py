"""One repository, and the ways to run git in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping

from grind.adapters.git import layout, private
from grind.adapters.git.process import Answer, Git, scrubbed
from grind.adapters.git.spawn import Running
from grind.core.errors import GrindError


class Site:
    """A found repository: its paths and its gits. Nothing is created before it is needed."""

    __slots__ = ("_ahead", "_private", "environ", "git", "layout", "outside")

    def __init__(self, cwd: str, environ: Mapping[str, str], begun: Running | None = None) -> None:
        self.environ = environ
        self.layout = layout.find(cwd, environ, begun)
        self.outside = scrubbed(environ)
        """The environment without a repository in it."""
        env = {**self.outside, "GIT_DIR": self.layout.git_dir}
        if self.layout.top is not None:
            env["GIT_WORK_TREE"] = self.layout.top
        self.git = Git(self.layout.top or self.layout.git_dir, env)
        """The user's repository, for questions."""
        self._private: str | None = None
        self._ahead: dict[tuple[str, ...], Running] = {}

    @contextlib.contextmanager
    def asking_ahead(self, *questions: tuple[str, ...]) -> Iterator[None]:
        """Start gits whose answers `ask` will want within the block: each is given once."""
        self._ahead = {question: self.git.start(question) for question in questions}
        try:
            yield
        finally:
            left, self._ahead = self._ahead, {}
            for process in left.values():
                process.finish()

    def ask(self, question: tuple[str, ...]) -> Answer:
        """Ask git in the user's repository, or take the answer to what was asked ahead."""
        process = self._ahead.pop(question, None)
        return process.finish() if process is not None else self.git.ask(question)

    @property
    def top(self) -> str:
        """The top of the working copy; raises GrindError in a bare repository."""
        if self.layout.top is None:
            raise GrindError(
                "this git repository has no working copy", remedy="name a revision with --rev"
            )
        return self.layout.top

    @property
    def private_path(self) -> str:
        """The private repository, created on first use."""
        if self._private is None:
            self._private = private.ensure(self.layout, self.git)
        return self._private

    @property
    def adding(self) -> Git:
        """The user's repository, except that new objects go to the private one (whose alternates
        make the user's objects visible)."""
        return self.git.with_env(GIT_OBJECT_DIRECTORY=os.path.join(self.private_path, "objects"))

    @property
    def natural(self) -> Git:
        """The user's repository as their own git would find it, in their own language's character
        set: for commands that run the user's hooks."""
        env = {k: v for k, v in self.outside.items() if k not in ("LC_ALL", "GIT_OPTIONAL_LOCKS")}
        env |= {"LANGUAGE": "en"}
        if "LC_ALL" in self.environ:
            env["LC_ALL"] = self.environ["LC_ALL"]
        if not os.path.lexists(os.path.join(self.git.cwd, ".git")):
            env |= {k: v for k, v in self.git.env.items() if k in ("GIT_DIR", "GIT_WORK_TREE")}
        return Git(self.git.cwd, env)

    @property
    def private(self) -> Git:
        """The private repository; it sees all objects and none of the user's refs."""
        place = self.private_path
        return Git(place, {**self.outside, "GIT_DIR": place})
