"""Verify in processes: what a crash, a kill or an interruption costs, and what it does not."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from verify_desk import CHECKS, Desk, fill, order

from holdfast.db.errors import HoldfastError, Refused
from holdfast.db.verdicts import current
from holdfast.reviewer import trust
from holdfast.reviewer.pipeline import verifying
from holdfast.reviewer.pipeline.workers import AHEAD


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A project with six synthetic samples, `answer 0` to `answer 5`."""
    made = Desk(tmp_path / "project")
    fill(made, range(6))
    return made


def test_a_check_that_ends_its_process_is_an_error_and_the_run_goes_on(
    desk: Desk, capfd: pytest.CaptureFixture[str]
) -> None:
    desk.configure("enabled = ['required_fields']\nfiles = ['checks.py:kills', 'checks.py:late']")
    report = desk.verify(workers=2)
    assert (report.verified, report.errors, report.passed) == (6, 2, 4)
    said = {response: (status, verdicts) for response, (status, _, verdicts) in desk.outcomes().items()}
    for response in ("answer 3", "answer 5"):
        assert said[response][0] == "flagged"
        assert [verdict[:2] for verdict in said[response][1]] == [
            ("kills", "error"), ("required_fields", "pass"), ("late", "pass"),
        ]  # fmt: skip
    with desk.project.store() as store:
        found = [current(store, number)[0].verdict.findings[0].message for number in (4, 6)]
    assert "SIGSEGV" in found[0]
    assert "exit status 7" in found[1]
    assert capfd.readouterr().out == ""
    assert desk.is_sound()


TORN = """
from multiprocessing.connection import Connection

@verifier(layer="format", version="1")
def torn(sample: Sample, ctx: Context) -> Verdict:
    try:
        Path(__file__).with_name("torn").touch(exist_ok=False)
    except FileExistsError:
        return PASS

    def half(self, data, write=os.write):
        write(self._handle, bytes(data)[: len(data) // 2])
        os.kill(os.getpid(), signal.SIGKILL)

    Connection._send = half
    return PASS
"""


def test_a_worker_killed_while_it_hands_over_its_results_is_not_the_end_of_the_run(desk: Desk) -> None:
    desk.checks.write_text(CHECKS + TORN)
    trust.trust(desk.checks)
    desk.configure("enabled = []\nfiles = ['checks.py:torn']")
    assert desk.verify(workers=1).passed == 6
    assert (desk.project.root / "torn").exists()
    assert desk.is_sound()


def test_a_slow_sample_that_holds_all_others_up_is_not_the_end_of_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path / "project")
    fill(desk, range(20))
    desk.configure("enabled = []\nfiles = ['checks.py:waits']")
    # Sample 0 is judged when the other worker has judged all that may be given out before sample 0 is done.
    os.mkfifo(desk.project.root / "gate")
    monkeypatch.setattr(verifying, "TASK_SAMPLES", 1)
    assert AHEAD * 2 == 8
    assert desk.verify(workers=2).verified == 20
    assert desk.verify(workers=2).verified == 0


def test_the_results_do_not_depend_on_the_number_of_workers(tmp_path: Path) -> None:
    seen = []
    for workers in (1, 3):
        desk = Desk(tmp_path / f"project-{workers}")
        fill(desk, range(900))
        desk.configure(
            "enabled = ['near_duplicate', 'length_outlier', 'required_fields']\nfiles = ['checks.py:corpus']",
            "audit_share = 0.05",
        )
        assert desk.verify(workers=workers).verified == 900
        seen.append((desk.outcomes(), order(desk)))
    assert seen[0] == seen[1]


RUN = """
import sys
from pathlib import Path
from holdfast.reviewer.pipeline.verify import verify
from holdfast.reviewer.project import Project
if __name__ == "__main__":
    project = Project(Path(sys.argv[1]))
    with project.store() as store:
        verify(project, store, actor="lead-1", workers=2,
               progress=lambda what, done, total: print(what, done, flush=True))
"""


def started(desk: Desk) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A `verify` in a process of its own, with each line of its progress."""
    script = desk.project.root / "run.py"
    script.write_text(RUN)
    environment = {**os.environ, "HOME": os.environ["HOME"]}
    process = subprocess.Popen(
        [sys.executable, str(script), str(desk.project.root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            yield process, line


SLOW = "enabled = ['near_duplicate']\nfiles = ['checks.py:slow', 'checks.py:corpus']"


def test_after_a_kill_the_same_command_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    undisturbed, killed = Desk(tmp_path / "a"), Desk(tmp_path / "b")
    for desk in (undisturbed, killed):
        fill(desk, range(600))
        desk.configure(SLOW, "audit_share = 0.05")
    undisturbed.verify(workers=2)
    for process, line in started(killed):
        if line.startswith("verifying"):
            process.kill()
    before = killed.outcomes()
    done = [response for response, said in before.items() if said[2]]
    assert 0 < len(done) < 600
    fill(killed, range(600, 602))
    killed.ran()
    killed.verify(workers=2)
    again = killed.ran()
    assert set(done).isdisjoint(again)
    fill(undisturbed, range(600, 602))
    undisturbed.verify()
    assert killed.outcomes() == undisturbed.outcomes()
    assert order(killed) == order(undisturbed)
    assert killed.is_sound()


STUCK = """
@verifier(layer="format", version="1")
def stuck(sample: Sample, ctx: Context) -> Verdict:
    with open(Path(__file__).with_name("pids"), "w") as out:
        print(os.getpid(), file=out)
    time.sleep(600)
    return PASS
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="waiting for another's process needs Linux")
def test_workers_end_with_the_run_that_started_them_whatever_they_are_at(desk: Desk) -> None:
    desk.checks.write_text(CHECKS + STUCK)
    trust.trust(desk.checks)
    desk.configure("enabled = []\nfiles = ['checks.py:stuck']")
    pids = desk.project.root / "pids"
    os.mkfifo(pids)
    holdfast = str(Path(sys.executable).with_name("holdfast"))
    command = [holdfast, "verify", "--workers", "1", "--project", str(desk.project.root), "--user", "lead-1"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        worker = os.pidfd_open(int(pids.read_text()))
        process.kill()
    ended = select.poll()
    ended.register(worker, select.POLLIN)
    assert ended.poll(30_000)
    os.close(worker)


def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "project")
    fill(desk, range(600))
    desk.configure(SLOW)
    stopped = None
    for process, line in started(desk):
        if stopped is None and line.startswith("verifying"):
            stopped = process
            process.send_signal(signal.SIGINT)
    assert stopped is not None, "the run ended before it was stopped"
    assert stopped.wait() == 1
    assert 0 < sum(1 for said in desk.outcomes().values() if said[2]) < 600
    assert desk.verify(workers=2).verified < 600
    assert desk.is_sound()


def test_only_one_verify_runs_at_a_time(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "project")
    fill(desk, range(600))
    desk.configure(SLOW)
    for process, line in started(desk):
        if line.startswith("learning"):
            with pytest.raises(Refused, match="another `holdfast verify` is running"):
                desk.verify()
            process.kill()
    assert desk.verify(batch="b0", workers=2).verified == 600


def test_a_run_that_is_stopped_says_what_is_kept(desk: Desk) -> None:
    def stop(what: str, done: int, total: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(HoldfastError, match="stopped; 6 samples were verified and are kept: the same command goes on"):
        desk.verify(progress=stop)
