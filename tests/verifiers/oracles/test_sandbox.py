"""What generated code must not be able to do, and what is said of it when it tries."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from jails import jail_named, need_a_jail

from holdfast.db.models import Outcome, Sample, Verdict
from holdfast.verifiers import Context, sandbox
from holdfast.verifiers.jail import filters, walls
from holdfast.verifiers.oracles.program_answer import program_answer
from holdfast.verifiers.sandbox import Status, run_python
from holdfast.verifiers.stack import Part, Stack

Check = Callable[..., Verdict]
MakeSample = Callable[..., Sample]


@pytest.fixture(params=["bubblewrap", "landlock"])
def jail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> walls.Jail:
    """Each jail in turn, as if it were the machine's only one."""
    found = jail_named(request.param)
    monkeypatch.setattr(sandbox, "_jail", lambda: found)
    return found


def test_this_machine_has_a_jail() -> None:
    need_a_jail()
    assert sandbox.available() in ("bubblewrap", "landlock")


def test_what_a_program_leaves_and_prints_comes_out(jail: walls.Jail) -> None:
    ran = run_python("print(input())\nans = 6 * 7", value="ans", stdin="hello\n")
    assert (ran.status, ran.jail, ran.value, ran.stdout) == (
        Status.OK,
        jail.name,
        sandbox.Value("int", "42"),
        "hello\n",
    )


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("import numpy as np\nans = np.mean([1.5, 2.5])", "2.0"),
        ("import asyncio\nasync def f():\n    return 5\nans = asyncio.run(f())", "5"),
        ("import threading\nt = threading.Thread(target=lambda: globals().update(ans=3))\nt.start()\nt.join()", "3"),
        ("from collections import namedtuple\nP = namedtuple('P', 'x')\nans = P(4).x", "4"),
        ("if __name__ == '__main__':\n    ans = 4", "4"),
        ("ans = 4\nexit()", "4"),
        ("import os\nans = open(os.devnull, 'w').write('four')", "4"),
        ("ans = 2**64", str(2**64)),
    ],
)
def test_ordinary_programs_run(jail: walls.Jail, source: str, value: str) -> None:
    ran = run_python(source, value="ans", packages=("numpy",))
    assert ran.value is not None, ran.message
    assert ran.value.text == value
    assert not ran.tried


ATTACKS = {
    "home": ("import os\nopen(HOME + '/secret').read()", "forbidden-action", "tried to read"),
    "list a folder": ("import os\nprint(os.listdir(HOME))", "forbidden-action", "tried to list"),
    "write outside": ("open(HOME + '/mine', 'w').write('x')", "forbidden-action", "tried to write"),
    "write to the system": ("open('/usr/mine', 'w').write('x')", "forbidden-action", "tried to write /usr/mine"),
    "tcp": ("import socket\nsocket.create_connection(('127.0.0.1', PORT))", "forbidden-action", "look up the host"),
    "udp": (
        "import socket\nsocket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', PORT))",
        "forbidden-action",
        "network",
    ),
    "unix socket": ("import socket\nsocket.socket(socket.AF_UNIX).connect(HOME)", "forbidden-action", "network"),
    "dns": ("import socket\nsocket.gethostbyname('example.org')", "forbidden-action", "look up the host 'example.org'"),
    "network, error caught": (
        "import socket\ntry:\n    socket.socket()\nexcept OSError:\n    pass\nans = 18",
        "forbidden-action",
        "network connection",
    ),
    "fork bomb": ("import os\nwhile True:\n    os.fork()", "forbidden-action", "tried to start a process"),
    "command": ("import subprocess\nsubprocess.run(['true'])", "forbidden-action", "tried to start a process"),
    "shell": ("import os\nans = os.system('true') + 18", "forbidden-action", "tried to start a process"),
    "double fork": (
        "import os, time\nif not os.fork():\n    if not os.fork():\n        time.sleep(60)",
        "forbidden-action",
        "start a process",
    ),
    "thread bomb": (
        "import threading, time\nwhile True:\n    threading.Thread(target=time.sleep, args=(60,)).start()",
        "exception",
        "can't start new thread",
    ),
    "memory": ("x = []\nwhile True:\n    x.append(bytearray(10**7))", "memory", "more than 300 MB"),
    "one huge object": ("x = 'a' * 10**11", "memory", "more than 300 MB"),
    "endless loop": ("while True:\n    pass", "timeout", "1 s of processor time"),
    "output flood": ("while True:\n    print('x' * 999)", "output-flood", "prints more than"),
    "error flood": ("import sys\nwhile True:\n    sys.stderr.write('x' * 999)", "output-flood", "prints more than"),
    "flood of every pipe": (
        "import os\nfor fd in range(3, 64):\n    try:\n        while True:\n            os.write(fd, b'x' * 999)\n"
        "    except OSError:\n        pass",
        "output-flood",
        "prints more than",
    ),
    "environment": ("import os\nans = os.environ['SECRET_TOKEN']", "exception", "KeyError: 'SECRET_TOKEN'"),
    "signal": ("import os\nos.kill(PARENT, 0)", "forbidden-action", "send a signal to another process"),
    "signal through a socket": (
        "import fcntl, socket\nends = socket.socketpair()\nfcntl.fcntl(ends[0], fcntl.F_SETOWN, PARENT)",
        "forbidden-action",
        "send a signal to another process",
    ),
    "signal through a socket, in C": (
        "import ctypes\nif ctypes.CDLL(None).fcntl(0, 8, PARENT) == 0:\n    ans = 18 / 0\nraise ValueError('refused')",
        "exception",
        "refused",
    ),
    "processes": ("import os\nprint(os.listdir('/proc'))", "forbidden-action", "tried to list /proc"),
    "own memory": ("open('/proc/self/mem', 'rb')", "forbidden-action", "tried to read /proc/self/mem"),
    "symbolic link": ("import os\nos.symlink(HOME, 'l')\nopen('l/secret').read()", "forbidden-action", "link to"),
    "way up": ("open('../' * 9 + HOME + '/secret').read()", "forbidden-action", "tried to read ../"),
    "recursion": ("def f(n):\n    return f(n + 1)\nf(0)", "exception", "RecursionError"),
    "segmentation fault": ("import ctypes\nctypes.string_at(0)", "crash", "SIGSEGV"),
    "huge number": ("print(10**10_000)", "exception", "Exceeds the limit"),
    "C code": ("import ctypes\nctypes.CDLL(None).unshare(0x10000000)", "forbidden-action", "C function 'unshare'"),
    "more time": (
        "import resource\nresource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
        "exception",
        "raise maximum limit",
    ),
    "root": ("import os\nos.setuid(0)", "exception", "Error"),
    "leaves early": ("import os\nans = 18\nos._exit(0)", "exits-early", "before the end"),
    "closes its pipes": ("import os\nans = 18\nos.closerange(0, 99)", "exits-early", "before the end"),
    "nested source": ("x = " + "(" * 5000, "syntax-error", "too many nested parentheses"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_blocked_and_reported(
    jail: walls.Jail,
    attack: str,
    check: Check,
    sample: MakeSample,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, code, said = ATTACKS[attack]
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    home = _open_to_all(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        head = f"HOME, PORT, PARENT = {str(home)!r}, {server.getsockname()[1]}, {os.getpid()}\nans = 0\n"
        verdict = check(program_answer, sample(response=head + source, reference="18"), seconds=1, memory_mb=300)
        with pytest.raises(BlockingIOError):
            server.accept()
    assert verdict.outcome is Outcome.FAIL
    found = {finding.code: finding.message for finding in verdict.findings}
    assert said in found[code]
    assert jail.name in found[code]
    assert sorted(os.listdir(home)) == ["secret"]
    assert "hunter2" not in str(verdict)
    assert "top secret" not in str(verdict)


def test_a_program_that_sleeps_is_killed_with_all_it_holds(jail: walls.Jail) -> None:
    ran = run_python("import time\nprint('here', flush=True)\ntime.sleep(60)", wall_seconds=0.5)
    assert (ran.status, ran.stdout) == (Status.TIMEOUT, "here\n")
    assert ran.seconds < 30


def test_the_scratch_folder_is_small_and_new_each_time() -> None:
    jail_named("bubblewrap")
    ran = run_python("n = 0\nwhile True:\n    open(f'f{n}', 'w').write('x' * 10**6)\n    n += 1")
    assert "No space left" in ran.message
    assert run_python("import os\nans = len(os.listdir('.'))", value="ans").value == sandbox.Value("int", "0")


def test_without_a_scratch_folder_a_program_that_needs_one_is_not_blamed(check: Check, sample: MakeSample) -> None:
    landlock = jail_named("landlock")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sandbox, "_jail", lambda: landlock)
        written = "open('notes.txt', 'w').write('x')\nans = 18"
        verdict = check(program_answer, sample(response=written, reference="18"))
    assert verdict.outcome is Outcome.ERROR
    assert "bubblewrap" in verdict.findings[0].message


def test_no_run_sees_another_ones_variables_or_environment(jail: walls.Jail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "hunter2")
    ran = run_python("import os, sys\nprint(os.environ, sys.argv, os.getcwd(), sorted(vars(sys.modules['__main__'])))")
    assert ran.status is Status.OK
    assert "hunter2" not in ran.stdout
    assert "SECRET" not in ran.stdout
    assert "nonce" not in ran.stdout


def test_the_order_of_sets_is_the_same_each_time(jail: walls.Jail) -> None:
    printed = {run_python("print({'one', 'two', 'three', 'four', 'five'})").stdout for _ in range(3)}
    assert len(printed) == 1


def test_without_a_jail_nothing_runs_and_the_remedy_is_told(
    check: Check, sample: MakeSample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(walls, "candidates", list)
    monkeypatch.setattr(shutil, "which", lambda *_args, **_kwargs: None)
    sandbox._jail.cache_clear()
    try:
        assert isinstance(sandbox.available(), sandbox.Unavailable)
        verdict = check(program_answer, sample(response="ans = 18\nprint(ans)", reference="18"))
    finally:
        sandbox._jail.cache_clear()
    assert verdict.outcome is Outcome.ERROR
    assert "apt-get install bubblewrap" in verdict.findings[0].message


def test_no_folder_for_temporary_files_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    need_a_jail()

    def refused(*_args: object, **_kwargs: object) -> None:
        raise FileNotFoundError("No usable temporary directory found")

    monkeypatch.setattr(tempfile, "_get_default_tempdir", refused)
    monkeypatch.setattr(tempfile, "tempdir", None)
    sandbox._jail.cache_clear()
    assert run_python("ans = 3", value="ans").value == sandbox.Value("int", "3")


def test_a_jail_with_a_hole_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    landlock = jail_named("landlock")
    monkeypatch.setattr(filters, "filter_for", lambda **_options: b"\x06\0\0\0\0\0\xff\x7f")
    assert not sandbox.holds(landlock)


def test_the_run_goes_on_after_every_attack(sample: MakeSample) -> None:
    need_a_jail()
    stack = Stack([Part("program_answer", {"seconds": 1})])
    bad = ["import os\nos.abort()", "import os\nwhile True:\n    os.fork()", "def f(:\n    print(1)"]
    outcomes = [
        stack.run(sample(response=response, reference="18"), Context()).outcome
        for response in [*bad, "ans = 3 * 6\nprint(ans)"]
    ]
    assert outcomes == [Outcome.FAIL, Outcome.FAIL, Outcome.FAIL, Outcome.PASS]


def _open_to_all(folder: Path) -> Path:
    """A folder with a secret that any user of the machine could read and write."""
    home = folder / "home"
    home.mkdir()
    (home / "secret").write_text("top secret")
    for place in (home, *home.parents):
        if place.stat().st_uid == os.getuid() and str(place).startswith(str(folder.parents[1])):
            place.chmod(0o777)
    return home
