"""What an import drags in: the lint of imports cannot see what a function imports while it starts up."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
try:
    {code}
finally:
    print(*sorted(sys.modules), file=sys.stderr)
"""


def modules_after(code: str) -> set[str]:
    """The modules that a fresh interpreter holds once it has run the code."""
    program = PROGRAM.format(code=code)
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return set(run.stderr.split())


def test_verifiers_load_neither_store_nor_screens_nor_models() -> None:
    loaded = modules_after("import holdfast.verifiers")
    heavy = {"litellm", "numpy", "pyarrow", "rapidfuzz", "scipy", "sklearn", "sqlite3", "sqlite_utils", "textual"}
    assert loaded & heavy == set()
    assert {name for name in loaded if name.startswith("holdfast.db.")} <= {"holdfast.db.errors", "holdfast.db.models"}


def test_help_stays_light() -> None:
    loaded = modules_after("from holdfast.reviewer.cli import main; sys.argv = ['holdfast', '--help']; main()")
    assert loaded & {"litellm", "numpy", "pyarrow", "rapidfuzz", "sqlite_utils", "textual"} == set()
