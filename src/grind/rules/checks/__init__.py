"""All rules. One module per rule (or per family that shares a question), one table of cases in tests."""

from __future__ import annotations

from grind.rules.checks import (
    bare_python,
    broad_test_filter,
    flake_untracked_input,
    floating_ref_deploy,
    health,
    heredoc_local_expansion,
    masked_exit_status,
    missing_pipefail_risk,
    notify_executes_command,
    path_filter_empty,
    script_without_checkout,
    secrets_in_argv,
    sleep_as_wait,
    ssh_multiline,
    ssh_quoting,
    stale_path,
    stdout_noise_in_capture,
    workflow_injection,
)
from grind.rules.findings import Rule

RULES: tuple[Rule, ...] = (
    bare_python.RULE,
    ssh_multiline.RULE,
    ssh_quoting.RULE,
    heredoc_local_expansion.RULE,
    notify_executes_command.RULE,
    masked_exit_status.RULE,
    stdout_noise_in_capture.RULE,
    broad_test_filter.RULE,
    script_without_checkout.RULE,
    path_filter_empty.RULE,
    stale_path.RULE,
    stale_path.WRONG_CWD,
    flake_untracked_input.RULE,
    floating_ref_deploy.RULE,
    missing_pipefail_risk.RULE,
    health.SINGLE_SHOT,
    health.NO_VALUE,
    health.VACUOUS,
    sleep_as_wait.RULE,
    secrets_in_argv.RULE,
    workflow_injection.RULE,
)
BY_ID: dict[str, Rule] = {rule.id: rule for rule in RULES}
