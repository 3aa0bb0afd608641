"""Verify: what runs, what is kept, what survives, and what becomes of a sample."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from filling import ingest, make_sample

from holdfast.db import queue
from holdfast.db.check import check
from holdfast.db.errors import HoldfastError, NotFound, Refused, UsageError
from holdfast.db.models import Outcome, Sample, Status, Stream
from holdfast.db.samples import Stored, each, load
from holdfast.db.store import Store
from holdfast.db.verdicts import current
from holdfast.reviewer import trust
from holdfast.reviewer.pipeline import verifying
from holdfast.reviewer.pipeline.verify import entry_of, verify
from holdfast.reviewer.pipeline.verifying import VerifyReport
from holdfast.reviewer.pipeline.workers import AHEAD
from holdfast.reviewer.project import Project

CHECKS = """
import os, signal, time
from pathlib import Path
from holdfast.verifiers import PASS, Context, Sample, Threshold, Verdict, above, verifier

LOG = Path(__file__).with_name("log")

def note(sample):
    with LOG.open("a") as out:
        out.write(sample.response + "\\n")

@verifier(layer="format", version="1")
def counted(sample: Sample, ctx: Context, *, bad: int = -1, flag_at: Threshold = above(1e9),
            fail_at: Threshold = above(1e9)) -> Verdict:
    note(sample)
    number = int(sample.response.split()[-1])
    return Verdict.flag("bad", "is bad") if number == bad else Verdict.score(number, code="high", message="is high")

@verifier(layer="oracle", version="1")
def late(sample: Sample, ctx: Context) -> Verdict:
    note(sample)
    return PASS

@verifier(layer="format", version="1")
def kills(sample: Sample, ctx: Context) -> Verdict:
    if sample.response == "answer 3":
        os.kill(os.getpid(), signal.SIGSEGV)
    if sample.response == "answer 5":
        os._exit(7)
    print("said on stdout")
    return PASS

@verifier(layer="consistency", version="1")
def slow(sample: Sample, ctx: Context) -> Verdict:
    note(sample)
    time.sleep(0.006)
    return Verdict.flag("even", "is even") if int(sample.response.split()[-1]) % 2 == 0 else PASS

@verifier(layer="format", version="1")
def waits(sample: Sample, ctx: Context) -> Verdict:
    gate = Path(__file__).with_name("gate")
    if sample.response == "answer 0":
        gate.read_bytes()
    if sample.response == "answer 7":
        gate.write_bytes(b"go on")
    return PASS

@verifier(layer="consistency", version="1")
def corpus(sample: Sample, ctx: Context) -> Verdict:
    return Verdict.score(ctx.state("corpus"))

@corpus.fit
def _count(samples):
    first = sum(1 for _ in samples)
    assert sum(1 for _ in samples) == first
    return first
"""


class Desk:
    """A project with one file of checks, and `verify` on it."""

    def __init__(self, root: Path) -> None:
        self.project = Project.init(root, shared=False, user="lead-1")
        self.checks = root / "checks.py"
        self.checks.write_text(CHECKS)
        trust.trust(self.checks)
        self.configure("enabled = []\nfiles = ['checks.py:counted']")

    def configure(self, verifiers: str, review: str = "audit_share = 0.0") -> None:
        """Write the settings; the project is read anew."""
        text = f"[review]\n{review}\n[verifiers]\n{verifiers}\n"
        (self.project.root / "holdfast.toml").write_text(text)
        self.project = Project(self.project.root)

    def verify(self, *verifiers: str, **options: Any) -> VerifyReport:
        """Verify as the lead."""
        with self.project.store() as store:
            return verify(self.project, store, actor="lead-1", verifiers=verifiers, **options)

    def ran(self) -> list[str]:
        """The responses on which a check ran since the last call."""
        log = self.project.root / "log"
        lines = log.read_text().splitlines() if log.exists() else []
        log.unlink(missing_ok=True)
        return sorted(lines)

    def outcomes(self) -> dict[str, tuple[Any, ...]]:
        """By response: status, audit, and each verifier's outcome, score and finding codes."""
        with self.project.store() as store:
            return {stored.sample.response: _said(store, stored) for stored in each(store)}

    def is_sound(self) -> bool:
        """Whether the store has no integrity problem."""
        with self.project.store() as store:
            return list(check(store)) == []


def _said(store: Store, stored: Stored) -> tuple[Any, ...]:
    found = current(store, stored.id)
    verdicts = tuple(
        (one.spec.name, one.verdict.outcome.value, one.verdict.value, tuple(each.code for each in one.verdict.findings))
        for one in found
    )
    return stored.status.value, stored.audit, verdicts


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A project with six synthetic samples, `answer 0` to `answer 5`."""
    made = Desk(tmp_path / "project")
    fill(made, range(6))
    return made


def fill(desk: Desk, numbers: range, **fields: object) -> None:
    """Ingest samples by number, as a batch of their own."""
    samples = [make_sample(number, **fields) for number in numbers]
    with desk.project.store() as store:
        ingest(store, samples, batch=f"b{numbers.start}", signature=f"s{numbers.start}")


def test_what_has_a_current_verdict_is_left_alone(desk: Desk) -> None:
    report = desk.verify()
    assert (report.verified, report.passed) == (6, 6)
    assert report.by_verifier["counted"] == {Outcome.PASS: 6}
    assert len(desk.ran()) == 6
    assert desk.verify().verified == 0
    assert desk.ran() == []
    fill(desk, range(6, 8))
    assert desk.verify().verified == 2
    assert desk.ran() == ["answer 6", "answer 7"]
    assert desk.is_sound()


def test_a_batch_can_be_verified_alone(desk: Desk) -> None:
    fill(desk, range(6, 8))
    assert desk.verify(batch="b6").verified == 2
    assert desk.ran() == ["answer 6", "answer 7"]
    assert desk.verify().verified == 6
    with pytest.raises(NotFound, match="no batch is called 'b66'; did you mean 'b6'"):
        desk.verify(batch="b66")


def test_an_empty_store_has_nothing_to_verify(tmp_path: Path) -> None:
    assert Desk(tmp_path / "project").verify().verified == 0


def test_new_options_and_new_versions_make_verdicts_stale(desk: Desk) -> None:
    desk.verify()
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nbad = 4")
    report = desk.verify()
    assert (report.verified, report.flagged) == (6, 1)
    assert desk.outcomes()["answer 4"][0] == "flagged"
    desk.ran()
    desk.checks.write_text(CHECKS.replace('version="1"', 'version="2"', 1))
    trust.trust(desk.checks)
    assert desk.verify().verified == 6
    assert len(desk.ran()) == 6
    assert desk.is_sound()


def test_new_limits_derive_outcomes_from_stored_scores(desk: Desk) -> None:
    desk.verify()
    desk.ran()
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nflag_at = 2.5\nfail_at = 4.5")
    report = desk.verify()
    assert (report.verified, report.rederived) == (0, 6)
    assert desk.ran() == []
    statuses = {response: said[0] for response, said in desk.outcomes().items()}
    assert statuses == {
        "answer 0": "passed", "answer 1": "passed", "answer 2": "passed",
        "answer 3": "flagged", "answer 4": "flagged", "answer 5": "rejected",
    }  # fmt: skip
    with desk.project.store() as store:
        waiting = {store_uid.sample_id for store_uid in queue.listing(store, limit=10)}
        assert waiting == {4, 5}
    desk.configure("enabled = []\nfiles = ['checks.py:counted']")
    assert desk.verify().rederived == 6
    assert {said[0] for said in desk.outcomes().values()} == {"passed"}
    assert desk.verify().rederived == 0
    assert desk.is_sound()


def test_where_a_stop_disappears_only_the_later_checks_samples_run(desk: Desk) -> None:
    files = "enabled = []\nfiles = ['checks.py:counted', 'checks.py:late']"
    desk.configure(f"{files}\n[verifiers.counted]\nfail_at = 3.5")
    assert desk.verify().rejected == 2
    desk.ran()
    desk.configure(files)
    report = desk.verify()
    assert (report.rederived, report.verified) == (4, 2)
    assert set(desk.ran()) == {"answer 4", "answer 5"}
    fresh = [(name, outcome) for name, outcome, *_ in desk.outcomes()["answer 5"][2]]
    assert fresh == [("counted", "pass"), ("late", "pass")]


def test_a_verifier_that_is_disabled_takes_its_flags_along(desk: Desk) -> None:
    files = "enabled = []\nfiles = ['checks.py:counted', 'checks.py:late']\n[verifiers.counted]\nflag_at = 3.5"
    desk.configure(files)
    assert desk.verify().flagged == 2
    desk.ran()
    desk.configure("enabled = []\nfiles = ['checks.py:late']")
    assert desk.verify().rederived == 6
    assert desk.ran() == []
    assert {said[0] for said in desk.outcomes().values()} == {"passed"}


def test_one_verifier_alone_keeps_what_the_others_said(desk: Desk) -> None:
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nflag_at = 3.5")
    desk.verify()
    desk.ran()
    report = desk.verify(f"{desk.checks}:late")
    assert report.by_verifier == {"late": {Outcome.PASS: 6}}
    assert len(desk.ran()) == 6
    status, _, verdicts = desk.outcomes()["answer 5"]
    assert status == "flagged"
    assert [verdict[:2] for verdict in verdicts] == [("counted", "flag"), ("late", "pass")]
    assert desk.verify(f"{desk.checks}:late").verified == 0


def test_a_fail_rejects_a_synthetic_sample_but_never_a_human_one(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "project")
    with desk.project.store() as store:
        ingest(store, [make_sample(1), make_sample(1, provenance="human", model=None), make_sample(2)])
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nfail_at = {below = 1.5}")
    report = desk.verify()
    assert (report.rejected, report.flagged, report.passed) == (1, 1, 1)
    with desk.project.store() as store:
        assert [stored.status for stored in each(store)] == [Status.REJECTED, Status.FLAGGED, Status.PASSED]


def test_the_audit_draw_saves_a_failing_sample_for_a_person(desk: Desk) -> None:
    limits = "enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nfail_at = 2.5"
    desk.configure(limits, "audit_share = 0.01\naudit_min_per_source = 25")
    report = desk.verify()
    assert (report.rejected, report.flagged, report.passed) == (0, 3, 3)
    with desk.project.store() as store:
        rows = {row.sample_id: row.entry for row in queue.listing(store, limit=10)}
        assert len(rows) == 6
        assert {entry.stream for entry in rows.values()} == {Stream.AUDIT}
        for entry in rows.values():
            assert sum(value for _, value in entry.why) == pytest.approx(entry.priority)
        assert entry_of(store)(1) == rows[1]


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
            "enabled = ['exact_duplicate', 'length_outlier', 'required_fields']\nfiles = ['checks.py:corpus']",
            "audit_share = 0.05",
        )
        assert desk.verify(workers=workers).verified == 900
        seen.append((desk.outcomes(), _order(desk)))
    assert seen[0] == seen[1]


def _order(desk: Desk) -> list[int]:
    with desk.project.store() as store:
        return [row.sample_id for row in queue.listing(store, limit=1000)]


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


SLOW = "enabled = ['exact_duplicate']\nfiles = ['checks.py:slow', 'checks.py:corpus']"


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
    assert _order(killed) == _order(undisturbed)
    assert killed.is_sound()


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


def test_a_file_of_the_configuration_runs_only_when_it_is_trusted(desk: Desk) -> None:
    desk.checks.write_text(CHECKS + "\nLOG.write_text('ran')\n")
    with pytest.raises(Refused, match="holdfast trust"):
        desk.verify()
    assert desk.ran() == []
    trust.trust(desk.checks)
    assert desk.verify().verified == 6


def test_a_file_named_on_the_command_line_needs_no_trust(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text(CHECKS + "# changed\n")
    assert desk.verify(f"{other}:late").verified == 6


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ("enabled = []", "nothing to verify with"),
        ("enabled = ['repetitoin']", "did you mean 'repetition'"),
        ("[verifiers.repetitoin]\nflag_at = 1", "did you mean 'repetition'"),
        ("[verifiers.repetition]\nflag = 1", "did you mean 'flag_at'"),
        ("enabled = []\nfiles = ['checks.py']", "say which verifier of the file is meant"),
    ],
)
def test_a_wrong_configuration_is_named(desk: Desk, settings: str, words: str) -> None:
    desk.configure(settings)
    with pytest.raises(UsageError, match=words):
        desk.verify()


def test_decided_samples_keep_their_decision_when_they_are_judged_again(
    desk: Desk, decide: Callable[[Store, int], None]
) -> None:
    desk.verify()
    with desk.project.store() as store:
        decide(store, 6)
        assert load(store, 6).status is Status.APPROVED
    desk.configure("enabled = []\nfiles = ['checks.py:counted']\n[verifiers.counted]\nfail_at = 4.5")
    desk.verify()
    with desk.project.store() as store:
        assert load(store, 6).status is Status.APPROVED


@pytest.fixture
def decide() -> Callable[[Store, int], None]:
    """Accept a sample by row id."""
    from holdfast.db import decisions
    from holdfast.db.models import Choice

    def accept(store: Store, sample_id: int) -> None:
        decisions.decide(store, decisions.Submission(sample_id=sample_id, reviewer="lead-1", choice=Choice.ACCEPT))

    return accept


def test_an_edited_text_is_judged_with_what_the_last_run_learned(tmp_path: Path) -> None:
    from holdfast.reviewer.pipeline.judging import judge_of

    desk = Desk(tmp_path / "project")
    fill(desk, range(30))
    desk.configure("enabled = ['required_fields']\nfiles = ['checks.py:corpus']")
    desk.verify()
    with desk.project.store() as store:
        sample: Sample = make_sample(99)
        specs, verdicts = judge_of(desk.project, store)(sample)
    assert [spec.name for spec in specs] == ["required_fields", "corpus"]
    assert [one and one.value for one in verdicts.verdicts] == [None, 30]
