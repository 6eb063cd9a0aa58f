"""SHA-256 without OpenSSL, which takes longer to load than all that small commands digest with it.

CPython has the algorithm in a module of its own, which `random` in the standard library takes for the
same reason; where a build has none, hashlib's is taken. The digests are the same.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from hashlib import sha256 as sha256
else:
    try:
        from _sha2 import sha256  # since 3.12
    except ImportError:
        try:
            from _sha256 import sha256
        except ImportError:
            from hashlib import sha256 as sha256
