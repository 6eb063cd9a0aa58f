"""Contexts and functions together: evaluate, or show as far as known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from grind.workflows.expressions import (
    UNKNOWN,
    ExpressionError,
    Object,
    UnknownValueError,
    evaluate_template,
    parse_template,
    partial,
    to_text,
)

_STAND_INS = {"run_id": "1", "run_number": "1"}


class Scope:
    """What is known at one place of a workflow."""

    def __init__(
        self,
        contexts: Mapping[str, Any],
        functions: Mapping[str, Callable[..., Any]] | None = None,
    ) -> None:
        self.contexts = dict(contexts)
        self.functions = dict(functions or {})

    def having(self, **contexts: Any) -> Scope:
        """Return a scope with these contexts laid over."""
        return Scope({**self.contexts, **contexts}, self.functions)

    def having_env(self, own: Mapping[str, str]) -> Scope:
        """Return a scope whose `env` has a step's own `env:` laid over; a sibling's value is not
        seen. What is not known yet stays unknown. Raises ExpressionError.
        """
        outer = self.contexts.get("env")
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
        return self.having(github={**github, **_STAND_INS})

    def value(self, raw: str) -> Any:
        """Evaluate a template: a single hole gives its typed value, anything else text.

        Raises ExpressionError; UnknownValueError when it depends on what is not known yet.
        """
        return evaluate_template(parse_template(raw), self.contexts, self.functions)

    def text(self, raw: str) -> str:
        """Evaluate a template to text. Raises as `value`."""
        return to_text(self.value(raw))

    def show(self, raw: str) -> str:
        """Return the template with what is known filled in; what is not stays as written.

        Broken expressions are shown as written: whoever runs them refuses them.
        """
        try:
            shown = partial(parse_template(raw), self.contexts, self.functions)
        except ExpressionError:
            return raw
        return "".join(
            part if isinstance(part, str) else f"${{{{ {part.source} }}}}" for part in shown.parts
        )


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
        return rest[0] not in ("workspace", "event_path", "token")
    return head == "vars"


def secrets_in(raws: Iterable[str]) -> tuple[str, ...]:
    """Return the names of secrets that templates refer to, `github.token` among them."""
    found: dict[str, None] = {}
    for raw in raws:
        if "${{" not in raw:
            continue
        try:
            references = parse_template(raw).references()
        except ExpressionError:
            continue
        for path in references:
            head = str(path[0]).lower()
            second = path[1] if len(path) > 1 else None
            if head == "secrets":
                found[str(second) if second else "*"] = None
            elif head == "github" and second is not None and str(second).lower() == "token":
                found["GITHUB_TOKEN"] = None
    return tuple(found)
