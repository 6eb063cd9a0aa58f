"""Contexts and functions together: evaluate, or show as far as known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from grind.workflows.expressions import (
    ExpressionError,
    evaluate_template,
    parse_template,
    partial,
    to_text,
)


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
