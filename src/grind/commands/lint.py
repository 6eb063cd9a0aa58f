"""`grind lint`: the guardrails."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # nothing is imported before it is used; checkers know this name
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from grind.core.findings import LintReport
    from grind.core.tree import Tree
    from grind.rules.runner import Result
    from grind.rules.settings import Settings

HELP = "find the habits that break the loop, in shell wherever it lives"
EXAMPLES = """examples:
  grind lint                        the whole repository
  grind lint scripts .github        some of it
  grind lint --changed origin/main  only files that differ from there
  grind lint --rev HEAD             the commit, not the working copy
  grind lint --fix                  show the safe fixes as a diff, and write them
  grind lint --explain bare-python  what a rule is for
  grind lint --format sarif -o lint.sarif
"""
_FORMATS = ("text", "json", "sarif", "github")


def parser() -> argparse.ArgumentParser:
    """The command's arguments."""
    from grind.ui.arguments import parser_for

    made = parser_for("lint", HELP, EXAMPLES.removeprefix("examples:\n"))
    add = made.add_argument
    add("paths", nargs="*", metavar="PATH", help="files and folders (default: the repository)")
    add("--json", action="store_true", help="the same as --format json")
    add("--format", choices=_FORMATS, help="text, json, sarif, or github annotations")
    add("-o", "--output", metavar="FILE", help="write there instead of to the terminal")
    add("--fix", action="store_true", help="show the safe fixes as a diff, then write them")
    add("--diff", action="store_true", help="show the safe fixes as a diff, write nothing")
    add("--rev", metavar="REV", help="lint a commit's files instead of the working copy")
    add("--changed", metavar="BASE", help="only files that differ from BASE")
    add("--baseline", metavar="FILE", help="known findings, which are not reported")
    add("--write-baseline", metavar="FILE", help="write the findings there as known")
    add("--notes", action="store_true", help="show notes too, not only their number")
    add("--fail-on", choices=("error", "warning", "note"), help="what exits 1 (default: error)")
    add("--no-cache", action="store_true", help="read everything again")
    add("--explain", metavar="RULE", help="what a rule is for ('all': every one)")
    return made


def run_line(argv: list[str]) -> int:
    """Lint; 0 clean, 1 findings that fail, 2 usage. Raises GrindError."""
    options = parser().parse_args(argv)
    if options.explain:
        return _explain(options.explain)
    return _Command(options, argv).run()


def _explain(name: str) -> int:
    from grind.core.errors import GrindError
    from grind.rules.checks import BY_ID
    from grind.ui import lint_text

    if name != "all" and name not in BY_ID:
        rules = ", ".join(sorted(BY_ID))
        raise GrindError(f"there is no rule `{name}`", remedy=f"one of: {rules}")
    chosen = BY_ID.values() if name == "all" else [BY_ID[name]]
    sys.stdout.write("\n\n".join(lint_text.explain(rule.doc) for rule in chosen))
    return 0


class _Command:
    """One run with its arguments."""

    def __init__(self, options: argparse.Namespace, argv: list[str]) -> None:
        self.options = options
        self.argv = argv
        self.format = options.format or ("json" if options.json else "text")
        self.root, self.paths, self.in_git = _locate(options.paths)
        self.known_in: tuple[str, ...] = ()
        """The baseline's file, when there is one."""

    def run(self) -> int:
        from grind.wiring import linting

        if (self.options.rev or self.options.changed) and not self.in_git:
            from grind.core.errors import GrindError

            raise GrindError("--rev and --changed need a git repository")
        if self.options.rev:
            with linting.revision(self.root, self.options.rev) as tree:
                return self.lint(tree)[0]
        asked = None
        if self.in_git and self.is_answer():
            asked = linting.asked(self.root, self.argv, terminal=sys.stdout.isatty())
        files = linting.files(self.root, self.in_git)
        code, output = self.lint(files)
        if asked is not None:
            linting.keep(asked, files, code, _encoded(output), self.known_in)
        return code

    def is_answer(self) -> bool:
        """Whether it does no more than answer, from nothing but files."""
        said = self.options
        does = said.fix or said.diff or said.output or said.write_baseline
        return not (does or said.changed or said.baseline or said.no_cache)

    def lint(self, tree: Tree) -> tuple[int, str]:
        """Lint a tree and print the report; return the exit code, and what was printed."""
        import gc

        from grind.rules import runner
        from grind.wiring import linting

        gc.freeze()  # what was imported stays, and need not be looked through
        settings = self.settings(tree)
        cache = runner.NoCache() if self.options.no_cache else linting.cache(self.root)
        fixing = self.options.fix or self.options.diff
        job = runner.Job(
            tree, settings, self.wanted(), bool(self.paths), linting.shfmt(), cache, fixing
        )
        result = runner.run(job)
        if not isinstance(cache, runner.NoCache):
            cache.save(complete=not self.paths and not self.options.changed)
        if self.options.fix or self.options.diff:
            return self.fix(result), ""
        report, gone = self.known(result.report, settings)
        output = self.render(report, gone)
        code = self.verdict(report, settings)
        self.write(output)
        return code, output

    def settings(self, tree: Tree) -> Settings:
        """What grind.toml says; all that is wrong with it at once."""
        import tomllib

        from grind.core.errors import Problem, ProblemsError
        from grind.rules import settings
        from grind.rules.checks import BY_ID

        data = tree.read("grind.toml")
        if data is None:
            return settings.Settings()
        try:
            document = tomllib.loads(data.decode("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problem = Problem("grind.toml", None, None, str(error))
            raise ProblemsError("grind.toml cannot be read", (problem,)) from None
        read, problems = settings.read(document, frozenset(BY_ID))
        if problems:
            raise ProblemsError("grind.toml is not right", problems)
        return read

    def wanted(self) -> Callable[[str], bool]:
        """Which paths are linted."""
        from grind.wiring import linting

        only = None
        if self.options.changed:
            only = linting.changed(self.root, self.options.changed)
        prefixes = tuple(p + "/" for p in self.paths)
        exact = frozenset(self.paths)
        everything = not self.paths or "" in exact

        def choose(path: str) -> bool:
            inside = everything or path in exact or path.startswith(prefixes)
            return inside and (only is None or path in only)

        return choose

    def known(self, report: LintReport, settings: Settings) -> tuple[LintReport, int]:
        """The report without what the baseline knows, and how many of its entries are gone."""
        from grind.core.errors import GrindError
        from grind.core.findings import LintReport
        from grind.rules import baseline

        if self.options.write_baseline:
            data = baseline.encode(report.findings, report.lines)
            with open(self.options.write_baseline, "wb") as file:
                file.write(data)
            return LintReport((), (), report.files, len(report.findings)), 0
        path = self.options.baseline or settings.baseline
        if not path:
            return report, 0
        place = path if self.options.baseline else os.path.join(self.root, path)
        self.known_in = (os.path.abspath(place),)
        try:
            with open(place, "rb") as file:
                known = baseline.decode(file.read())
        except (OSError, ValueError) as error:
            raise GrindError(
                f"the baseline {path} cannot be read: {error}",
                remedy=f"grind lint --write-baseline {path}",
            ) from None
        fresh, gone = baseline.split(report.findings, report.lines, known)
        whole = not self.paths and not self.options.changed
        findings = tuple(report.findings[i] for i in fresh)
        lines = tuple(report.lines[i] for i in fresh)
        count = len(report.findings) - len(fresh)
        return LintReport(findings, lines, report.files, count), gone if whole else 0

    def render(self, report: LintReport, gone: int) -> str:
        """The report in the chosen form."""
        from grind import __version__
        from grind.ui import lint_json, lint_text

        if self.format == "json":
            return lint_json.document(report)
        if self.format == "sarif":
            from grind.rules.checks import RULES

            return lint_json.sarif(report, tuple(rule.doc for rule in RULES), __version__)
        if self.format == "github":
            return lint_text.workflow_commands(report)
        colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and not self.options.output
        return lint_text.render(report, colour=colour, notes=self.options.notes, gone=gone)

    def verdict(self, report: LintReport, settings: Settings) -> int:
        """1 when a finding is at least as severe as what fails."""
        from grind.core.findings import SEVERITIES

        least = SEVERITIES.index(self.options.fail_on or settings.fail_on)
        return int(any(SEVERITIES.index(f.severity) >= least for f in report.findings))

    def write(self, output: str) -> None:
        if self.options.output:
            with open(self.options.output, "w", encoding="utf-8") as file:
                file.write(output)
        else:
            sys.stdout.write(output)

    def fix(self, result: Result) -> int:
        """Show the diff; write it unless only the diff was asked for."""
        from grind.core.errors import GrindError
        from grind.rules import fixes
        from grind.wiring import linting

        if self.options.rev:
            raise GrindError("a commit cannot be fixed", remedy="leave --rev away")
        for change in result.changes:
            sys.stdout.write(fixes.diff(change))
        if not self.options.diff:
            for change in result.changes:
                linting.write(self.root, change.path, change.after, change.before is None)
        what = "would be written" if self.options.diff else "written"
        sys.stdout.write(f"{len(result.changes)} files {what}\n")
        return 0


def _locate(paths: list[str]) -> tuple[str, list[str], bool]:
    """The root of the tree, the wanted paths relative to it, and whether it is a git repository."""
    from grind.core.errors import GrindError
    from grind.wiring import linting

    missing = [path for path in paths if not os.path.lexists(path)]
    if missing:
        raise GrindError(f"there is no {', '.join(missing)}")
    first = os.path.abspath(paths[0]) if paths else os.getcwd()
    around = first if os.path.isdir(first) else os.path.dirname(first)
    top = linting.root(around)
    root = top or (
        around if len(paths) <= 1 else os.path.commonpath([os.path.abspath(p) for p in paths])
    )
    if not os.path.isdir(root):
        root = os.path.dirname(root)
    relative: list[str] = []
    for path in paths:
        full = os.path.join(
            os.path.realpath(os.path.dirname(os.path.abspath(path))),
            os.path.basename(os.path.abspath(path)),
        )
        inside = os.path.relpath(full, os.path.realpath(root))
        if inside.startswith(".."):
            raise GrindError(f"{path} is outside of {root}", remedy="lint one repository at a time")
        relative.append("" if inside == "." else inside)
    return root, relative, top is not None


def _encoded(output: str) -> bytes:
    """What the terminal gets for it: what its character set has not is escaped."""
    return output.encode(sys.stdout.encoding, "backslashreplace")
