"""What a host lends to its jobs from its own environment. Light: the hook's path uses it."""

from __future__ import annotations

from collections.abc import Mapping

ALLOWED = (
    "PATH",
    "LANG",
    "LANGUAGE",
    "TZ",
    "NIX_PATH",
    "NIX_REMOTE",
    "RUSTUP_HOME",
    "PYENV_ROOT",
    "JAVA_HOME",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "PIP_CERT",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
)
"""Variables of the host that every step sees, besides LC_*: where programs are, how text is
encoded, and how the network is reached. A proxy that carries a password is left out."""


def lend(
    environ: Mapping[str, str], *, home: str, extra: tuple[str, ...], folders: tuple[str, ...]
) -> dict[str, str]:
    """Return what a host lends to its jobs from its own environment.

    `extra` and `folders` come from grind.toml: more variables, more PATH folders. The PATH loses the
    folders of an active virtual environment.
    """
    lent = {
        name: value
        for name, value in environ.items()
        if (name in ALLOWED or name.startswith("LC_") or name in extra)
        and not (name.lower().endswith("_proxy") and "@" in value and name not in extra)
    }
    venv = environ.get("VIRTUAL_ENV")
    parts = [p for p in lent.get("PATH", "/usr/bin:/bin").split(":") if p]
    if venv:
        parts = [p for p in parts if not (p + "/").startswith(venv.rstrip("/") + "/")]
    lent["PATH"] = ":".join([*folders, *parts])
    for name, folder in (("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")):
        if home:
            lent.setdefault(name, f"{home}/{folder}")
    return lent
