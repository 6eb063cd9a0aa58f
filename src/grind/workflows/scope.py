"""Contexts and functions together: evaluate, or show as far as known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    Object,
    Template,
    UnknownValueError,
    evaluate_template,
    from_python,
    parse_template,
    partial,
    to_text,
)
from grind.workflows.memo import Memo

_STAND_INS = {"run_id": "1", "run_number": "1"}


class Scope:
    """What is known at one place of a workflow."""

    def __init__(
        self,
        contexts: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]] | None = None,
        memo: Memo | None = None,
    ) -> None:
        """`memo` remembers templates that were parsed and contexts that were converted before: a
        context is not changed once it is in a scope.
        """
        self.contexts = dict(contexts)
        self.functions = dict(functions or {})
        self.memo = memo or Memo()
        self._values = _Converted(self.contexts, self.memo)

    @property
    def values(self) -> Mapping[str, Any]:
        """The contexts for evaluating: converted when asked for, once for all scopes that share a
        context."""
        return self._values

    def having(self, **contexts: Any) -> Scope:
        """Return a scope with these contexts laid over."""
        return Scope({**self.contexts, **contexts}, self.functions, self.memo)

    def without(self, *names: str) -> Scope:
        """Return a scope that lacks these contexts: naming one is an error there."""
        rest = {name: value for name, value in self.contexts.items() if name not in names}
        return Scope(rest, self.functions, self.memo)

    def having_env(self, own: Mapping[str, str]) -> Scope:
        """Return a scope whose `env` has a step's own `env:` laid over; a sibling's value is not
        seen. What is not known yet stays unknown. Raises ExpressionError.
        """
        outer = self.contexts.get("env")
        if not own and isinstance(outer, Object):
            return self
        known = dict(outer.items()) if isinstance(outer, Object) else {}
        complete = isinstance(outer, Object) and outer.complete
        for name, template in own.items():
            try:
                known[name] = self.text(template)
            except UnknownValueError:
                known[name] = UNKNOWN
        return self.having(env=env_object(known, complete=complete))

    def with_stand_ins(self) -> Scope:
        """Return a scope in which the run has a number, as its environment variables have. For
        texts only: nothing is decided by a number that CI has not given yet."""
        github = self.contexts.get("github")
        if not isinstance(github, Mapping):
            return self
        return self.having(github=self.memo.of_object(_numbered, github))

    def value(self, raw: str) -> Any:
        """Evaluate a template: a single hole gives its typed value, anything else text.

        Raises ExpressionError; UnknownValueError when it depends on what is not known yet.
        """
        if "${{" not in raw:
            return raw
        return evaluate_template(self._parsed(raw), self.values, self.functions)

    def text(self, raw: str) -> str:
        """Evaluate a template to text. Raises as `value`."""
        return to_text(self.value(raw))

    def show(self, raw: str) -> str:
        """Return the template with what is known filled in; what is not stays as written.

        Broken expressions are shown as written: whoever runs them refuses them.
        """
        if "${{" not in raw:
            return raw
        try:
            shown = partial(self._parsed(raw), self.values, self.functions)
        except ExpressionError:
            return raw
        return "".join(
            part if isinstance(part, str) else f"${{{{ {part.source} }}}}" for part in shown.parts
        )

    def _parsed(self, raw: str) -> Template:
        return self.memo(parse_template, raw)


class _Converted(Mapping[str, Any]):
    def __init__(self, contexts: Mapping[str, Any], memo: Memo) -> None:
        self._contexts = contexts
        self._memo = memo

    def __getitem__(self, name: str) -> Any:
        return self._memo.of_object(from_python, self._contexts[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self._contexts)

    def __len__(self) -> int:
        return len(self._contexts)


def _numbered(github: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**github, **_STAND_INS}


def hashed_later(*_: Any) -> Any:
    """`hashFiles` while planning: what it says of the job's workspace is known when it runs."""
    raise UnknownValueError(("hashFiles()",))


def env_object(known: Mapping[str, Any], *, complete: bool) -> Object:
    """Return an `env` context: its names have case, as on a Linux runner. Without `complete`, a
    name that is not in it is unknown and not null."""
    return Object(known.items(), case_sensitive=True, complete=complete)


def never_known(error: UnknownValueError) -> bool:
    """Whether what an expression lacks will not be known when the job runs either."""
    head, *rest = (str(part).lower() for part in error.path[:2]) if error.path else ("",)
    if head == "github" and rest:
        return rest[0] not in ("workspace", "event_path", "token", "action_path")
    return head == "vars"


def secrets_in(raws: Iterable[str]) -> tuple[str, ...]:
    """Return the names of secrets that templates refer to, `github.token` among them."""
    found: dict[str, None] = {}
    for raw in raws:
        for path in _references(raw):
            head = str(path[0]).lower()
            second = path[1] if len(path) > 1 else None
            if head == "secrets":
                found[str(second) if second else "*"] = None
            elif head == "github" and second is not None and str(second).lower() == "token":
                found["GITHUB_TOKEN"] = None
    return tuple(found)


def inputs_in(raws: Iterable[str], names: frozenset[str]) -> tuple[str, ...]:
    """Return which of the inputs called `names` (lower case) templates refer to, as `inputs.x`."""
    if not names:
        return ()
    found: dict[str, None] = {}
    for raw in raws:
        for path in _references(raw):
            if str(path[0]).lower() != "inputs":
                continue
            second = str(path[1]).lower() if len(path) > 1 and path[1] is not None else ""
            if second in names or not second:
                found[f"inputs.{second or '*'}"] = None
    return tuple(found)


def heads_in(raws: Iterable[str]) -> frozenset[str]:
    """Return the contexts that templates refer to, in lower case."""
    return frozenset(str(path[0]).lower() for raw in raws for path in _references(raw))


def _references(raw: str) -> tuple[tuple[Any, ...], ...]:
    """The paths that a template refers to; none of one that is broken."""
    if "${{" not in raw:
        return ()
    try:
        return tuple(parse_template(raw).references())
    except ExpressionError:
        return ()
