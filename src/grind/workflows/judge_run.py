"""The verdict on a step that has a `run:`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from grind.core.plan import StepClass, StepSource, Verdict
from grind.core.remedy import verdict_rule
from grind.workflows.classify import Class_, classify_run
from grind.workflows.expressions import ExpressionError, UnknownValueError
from grind.workflows.facts import Facts
from grind.workflows.finding import Finding
from grind.workflows.gating import Gating, can_fail
from grind.workflows.provisions import judge_provision
from grind.workflows.scope import Scope, never_known, secrets_in
from grind.workflows.shells import resolve_shell


def text_gating(source: StepSource, facts: Facts) -> Gating:
    """Return whether the step's own text can fail under its shell."""
    return facts.memo(can_fail, source.run or "", source.shell)


def judge_run(
    source: StepSource,
    name: str,
    scope: Scope,
    facts: Facts,
    *,
    secret_env: frozenset[str],
    where: Mapping[str, str | int],
    provided: bool,
) -> Finding:
    """Return what becomes of a `run:` step called `name`.

    `scope` has the step's own `env:`; `secret_env` are the variables of its job that hold secrets;
    `where` are the fields of a `[[verdict]]` that selects it; `provided` says that an earlier step
    gives the job programs of its own.
    """
    found = facts.memo(classify_run, name, scope.show(source.run or ""), source.shell)
    gating = text_gating(source, facts)
    finding = Finding(
        Verdict.EXECUTED, found.klass, gating=gating.gating, gating_reason=gating.reason
    )
    if found.klass is StepClass.DEPLOY:
        return finding._replace(verdict=Verdict.SKIPPED, reason=found.reason)
    if found.klass is StepClass.NOTIFY:
        reason = f"only tells somebody ({found.reason}): never executed"
        return finding._replace(verdict=Verdict.SKIPPED, reason=reason)
    if found.klass is StepClass.PROVISION:
        return _provision(finding, found, facts, where)
    secrets = _secrets(source, secret_env)
    if secrets:
        return finding._replace(
            verdict=Verdict.SKIPPED,
            reason=f"uses the secret {', '.join(secrets)}: never run here",
            remedy=verdict_rule("overridden", where, run="a command without the secret"),
        )
    problem = _shell_problem(source, facts, provided=provided)
    if problem:
        return finding._replace(verdict=Verdict.REFUSED, reason=problem[0], remedy=problem[1])
    broken = _broken(source, scope)
    return finding._replace(verdict=Verdict.REFUSED, reason=broken) if broken else finding


def _provision(
    finding: Finding, found: Class_, facts: Facts, where: Mapping[str, str | int]
) -> Finding:
    """The host may have what the step would install; else grind.toml can say how it shows it."""
    judged = judge_provision(found, facts)
    if judged.verdict is not Verdict.REFUSED or judged.pending:
        return finding._replace(verdict=judged.verdict, reason=judged.reason, recipe=judged.recipe)
    return finding._replace(
        verdict=Verdict.REFUSED,
        reason=f"changes the machine: {judged.reason}",
        remedy=verdict_rule(
            "satisfied-by-host", where, check="a command that passes where the host has it"
        ),
    )


def _shell_problem(source: StepSource, facts: Facts, *, provided: bool) -> tuple[str, str] | None:
    """Why the shell is not there, with the remedy. A step before may bring a Python of its own."""
    shell = resolve_shell(source.shell)
    if shell.problem:
        return shell.problem, ""
    if shell.check is None or (source.shell == "python" and provided):
        return None
    answer = facts.ask(shell.check)
    if answer is not None and answer.exit_code == 0:
        return None
    return f"shell {source.shell} is not on this host", f"put `{shell.argv[0]}` on the host's PATH"


def _broken(source: StepSource, scope: Scope) -> str:
    """Why the step's expressions cannot be evaluated whatever is learned later, or nothing."""
    scope = scope.with_stand_ins()
    fields = {"run": source.run or "", "working-directory": source.working_directory}
    fields |= {f"env: {name}": value for name, value in source.env.items()}
    for key, text in fields.items():
        try:
            scope.text(text)
        except UnknownValueError as error:
            if never_known(error):
                return f"{key}: {error}"
        except ExpressionError as error:
            return f"{key}: {error}"
    return ""


def _secrets(source: StepSource, secret_env: frozenset[str]) -> tuple[str, ...]:
    """Return what secrets the step itself uses, directly or by a variable of its job."""
    texts = (source.run or "", source.working_directory, *source.env.values())
    named = tuple(
        f"in ${name}"
        for name in sorted(secret_env)
        if any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for text in texts)
    )
    return secrets_in(texts) + named
