"""GitHub as a forge: which question is which request."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import quote

from grind.adapters.github import wire
from grind.adapters.github.address import Address
from grind.adapters.github.client import Client, Reply
from grind.adapters.github.tokens import Token
from grind.core.ci import CiJob, CiRun
from grind.core.errors import GrindError, RefusedError
from grind.ports import Answer, Cost, PullSeen, PushSeen

_PAGE = 100
_PAGES = 20
_RECENT = 50
_OID = re.compile(r"^(?:[0-9a-f]{40}|[0-9a-f]{64})$")
_ZEROS = re.compile(r"^0*$")
_ACTIONS = "github-actions"
_OFF = ("disabled_manually", "disabled_inactivity", "disabled_fork", "deleted")

Page = TypeVar("Page")
Item = TypeVar("Item")


class GitHubForge:
    """One repository at GitHub (`grind.ports.Forge`)."""

    def __init__(self, address: Address, token: Token | None) -> None:
        self._address = address
        self._client = Client(address.api, token)
        self._root = f"/repos/{quote(address.owner, safe='')}/{quote(address.name, safe='')}"
        self._repository = f"{address.owner}/{address.name}"
        self.authorised = token is not None

    @property
    def name(self) -> str:
        """Where it is: `github.com/owner/name`."""
        return self._address.shown

    @property
    def cost(self) -> Cost:
        """What asking has cost."""
        return self._client.cost

    async def close(self) -> None:
        """Let go of connections."""
        await self._client.close()

    # --- runs and jobs ---------------------------------------------------------------------------

    async def runs_of_commit(self, sha: str) -> Answer[tuple[CiRun, ...]]:
        """List the runs of a commit; an id that is not whole is never sent."""
        return await self._runs({"head_sha": _whole(sha)})

    async def recent_runs(self, branch: str) -> Answer[tuple[CiRun, ...]]:
        """List the newest runs of a branch, one page; without a filter when it is empty."""
        query = {"branch": branch} if branch else {}
        return await self._runs(query, pages=1, size=_RECENT)

    async def runs_of_suite(self, suite: int) -> Answer[tuple[CiRun, ...]]:
        """List the runs of a check suite."""
        return await self._runs({"check_suite_id": str(suite)})

    async def suites(self, sha: str) -> Answer[tuple[int, ...]]:
        """List the check suites that GitHub Actions made; 422 says that there is no such commit.

        A token that may read Actions need not be one that may read checks: then there are none.
        """
        path = f"{self._root}/commits/{_whole(sha)}/check-suites"
        found, fresh = await self._pages(
            path,
            {},
            wire.Suites,
            lambda page: (page.check_suites, page.total_count),
            expect=(401, 403, 404, 422),
        )
        own = (one.id for one in found if one.app is not None and one.app.slug == _ACTIONS)
        return Answer(tuple(own), fresh)

    async def run(self, run: int) -> Answer[CiRun | None]:
        """Return a run as it is now."""
        reply = await self._client.get(f"{self._root}/actions/runs/{run}", expect=(404,))
        if reply.status == 404:
            return Answer(None, True)
        return Answer(wire.run_of(wire.read(reply.data, wire.Run), self._repository), reply.fresh)

    async def jobs(self, run: int) -> Answer[tuple[CiJob, ...]]:
        """Return the jobs of a run's newest attempt."""
        return await self._jobs(f"{self._root}/actions/runs/{run}/jobs", {"filter": "latest"})

    async def jobs_of_attempt(self, run: int, attempt: int) -> Answer[tuple[CiJob, ...]]:
        """Return the jobs of one attempt."""
        return await self._jobs(f"{self._root}/actions/runs/{run}/attempts/{attempt}/jobs", {})

    async def log(self, job: int) -> bytes | None:
        """Return a job's log; None when there is none, or none for this user."""
        return await self._client.log(f"{self._root}/actions/jobs/{job}/logs")

    # --- what is asked once ----------------------------------------------------------------------

    async def has_commit(self, sha: str) -> bool:
        """Whether the repository has the commit."""
        reply = await self._client.get(
            f"{self._root}/git/commits/{_whole(sha)}", expect=(404, 409, 422)
        )
        return reply.status == 200

    async def required_jobs(self, branch: str) -> frozenset[str]:
        """Return the required checks of the branch, by its rules and its older protection."""
        name = quote(branch, safe="")
        found: set[str] = set()
        rules = await self._or_nothing(f"{self._root}/rules/branches/{name}")
        for rule in wire.read(rules.data, list[wire.Rule]) if rules is not None else ():
            if rule.type == "required_status_checks" and rule.parameters is not None:
                found |= {check.context for check in rule.parameters.required_status_checks}
        shown = await self._or_nothing(f"{self._root}/branches/{name}")
        protection = wire.read(shown.data, wire.Branch).protection if shown is not None else None
        if protection is not None and protection.required_status_checks is not None:
            found |= set(protection.required_status_checks.contexts)
        return frozenset(found)

    async def disabled_workflows(self) -> dict[str, str]:
        """Return the workflows that are switched off."""
        found, _ = await self._pages(
            f"{self._root}/actions/workflows",
            {},
            wire.Workflows,
            lambda page: (page.workflows, page.total_count),
        )
        return {
            wire.path_of(one.path, self._repository): one.state.replace("_", " ")
            for one in found
            if one.state in _OFF
        }

    async def push_of(self, branch: str, sha: str) -> PushSeen | None:
        """Return the newest push of `sha` to the branch, from the repository's activity."""
        query: dict[str, str | int] = {"ref": f"refs/heads/{branch}", "per_page": _PAGE}
        reply = await self._or_nothing(f"{self._root}/activity", query)
        for one in wire.read(reply.data, list[wire.Activity]) if reply is not None else ():
            if one.after == sha:
                before = None if _ZEROS.match(one.before) else one.before
                return PushSeen(before, one.timestamp.timestamp())
        return None

    # --- what is changed there ---------------------------------------------------------------------

    async def set_status(self, sha: str, state: str, context: str, told: str) -> None:
        """Set a commit status: `success`, `failure`, `pending` or `error`."""
        body = {"state": state, "context": context, "description": told[:140]}
        await self._client.send("POST", f"{self._root}/statuses/{_whole(sha)}", body)

    async def pull(self, branch: str, base: str, title: str, body: str) -> PullSeen:
        """Open the pull request of a branch, or bring the open one's words up to date."""
        query = {"head": f"{self._address.owner}:{branch}", "base": base, "state": "open"}
        reply = await self._client.get(f"{self._root}/pulls", query)
        open_ = wire.read(reply.data, list[wire.Pull])
        words = {"title": title, "body": body}
        if open_:
            number = open_[0].number
            reply = await self._client.send("PATCH", f"{self._root}/pulls/{number}", words)
        else:
            asked = {**words, "head": branch, "base": base}
            reply = await self._client.send("POST", f"{self._root}/pulls", asked)
        found = wire.read(reply.data, wire.Pull)
        return PullSeen(found.number, found.html_url, opened=not open_)

    # --- how lists are read ----------------------------------------------------------------------

    async def _runs(
        self, query: dict[str, str], *, pages: int = _PAGES, size: int = _PAGE
    ) -> Answer[tuple[CiRun, ...]]:
        found, fresh = await self._pages(
            f"{self._root}/actions/runs",
            query,
            wire.Runs,
            lambda page: (page.workflow_runs, page.total_count),
            pages=pages,
            size=size,
        )
        return Answer(tuple(wire.run_of(run, self._repository) for run in found), fresh)

    async def _jobs(self, path: str, query: dict[str, str]) -> Answer[tuple[CiJob, ...]]:
        found, fresh = await self._pages(
            path, query, wire.Jobs, lambda page: (page.jobs, page.total_count), expect=(404,)
        )
        return Answer(tuple(wire.job_of(job) for job in found), fresh)

    async def _pages(
        self,
        path: str,
        query: dict[str, str],
        kind: type[Page],
        items: Callable[[Page], tuple[Sequence[Item], int]],
        *,
        pages: int = _PAGES,
        size: int = _PAGE,
        expect: tuple[int, ...] = (),
    ) -> tuple[list[Item], bool]:
        """Return the items of all pages, and whether one of them is new.

        Pages go by number, so that no address out of an answer is ever followed.
        """
        found: list[Item] = []
        fresh = False
        for number in range(1, pages + 1):
            asked: dict[str, str | int] = {**query, "per_page": size, "page": number}
            reply = await self._client.get(path, asked, expect=expect)
            if reply.status != 200:
                return [], True
            here, total = items(wire.read(reply.data, kind))
            found += here
            fresh = fresh or reply.fresh
            if not here or len(here) < size or len(found) >= total:
                break
        return found, fresh

    async def _or_nothing(
        self, path: str, query: dict[str, str | int] | None = None
    ) -> Reply | None:
        """Ask for what is good to know: None when this user may not see it."""
        try:
            reply = await self._client.get(path, query, expect=(404, 422))
        except RefusedError:
            return None
        return reply if reply.status == 200 else None


def _whole(sha: str) -> str:
    """Return an object id. GitHub takes an empty one for no filter at all, and a short one for a
    commit without runs."""
    if not _OID.match(sha):
        raise GrindError(f"{sha!r} is not the whole id of a commit")
    return sha
