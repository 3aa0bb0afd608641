"""The judge panel: models that rate samples, or compare those of a group; every answer that was paid for is kept."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from holdfast.db.errors import HoldfastError, UsageError
from holdfast.db.store import Store
from holdfast.reviewer.pipeline.judge_process import Asked, Failed, PanelJob, serve
from holdfast.reviewer.pipeline.judge_report import JudgeReport
from holdfast.reviewer.pipeline.processes import death_of, interrupts_ignored, own_modules_only
from holdfast.reviewer.project import Project
from holdfast.verifiers.judging.rubric import DEFAULT, Rubric, read_rubric

Progress = Callable[[str, int, int], None]
"""Told what is being done, how many requests are answered and how many there are (0: not known)."""
Say = Callable[[str], None]


def run_judges(
    project: Project,
    store: Store,
    *,
    batch: str | None = None,
    actor: str,
    progress: Progress = lambda *_: None,
    warn: Say = lambda _: None,
) -> JudgeReport:
    """Ask the judges of `[judges] models` about live, verified, undecided samples that lack their votes.

    An empty report where no judge is configured. UsageError where the panel cannot start (litellm is missing, a budget
    with a model of unknown price); HoldfastError when its process dies. A run that ended early says so in `stopped`:
    the caller goes on with what there is, and ends with that message and exit status 1. The same command goes on.
    """
    config = project.config.judges
    if not config.models:
        return JudgeReport()
    from holdfast.verifiers import llm
    from holdfast.verifiers.judging.questions import MOST_BYTES

    lacking = llm.missing()
    if lacking:
        raise UsageError(f"[judges] {lacking}")
    job = PanelJob(store.path, config, rubric_of(project), actor, batch)
    connection, other = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=serve, args=(other, job), name="judges")
    with interrupts_ignored(), own_modules_only():
        process.start()
    other.close()
    try:
        report = _watched(connection, process, progress)
    finally:
        connection.close()
        process.join()
    for judge in report.judges:
        if judge.failed:
            warn(f"{judge.judge}: {judge.failed:,} requests got no answer; the last one: {judge.problem}")
        if judge.unparsed:
            warn(f"{judge.judge}: {judge.unparsed:,} answers gave no vote; of the last one: {judge.unread}")
        if judge.too_long:
            warn(f"{judge.judge}: {judge.too_long:,} questions were not asked: over {MOST_BYTES // 1_000} kB long")
    return report


def rubric_of(project: Project) -> Rubric:
    """The rubric that the project names, or the built-in one; UsageError where it cannot be used."""
    named = project.config.judges.rubric
    if named is None:
        return read_rubric(DEFAULT)
    path = (project.root / named).resolve()
    if not path.is_relative_to(project.root.resolve()):
        # It is sent to every judge: a project must not name a file of the user's.
        raise UsageError(f"holdfast.toml: [judges] rubric = {named!r}: it must be a file of the project's folder")
    try:
        return read_rubric(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UsageError(f"holdfast.toml: [judges] rubric: {path}: {reason}") from None


def _watched(connection: Connection, process: BaseProcess, progress: Progress) -> JudgeReport:
    """Pass on what the panel's process tells until it has ended; Ctrl-C lets it keep the answers under way."""
    interrupted = False
    while True:
        try:
            message: Asked | JudgeReport | Failed = connection.recv()
        except KeyboardInterrupt:
            if interrupted:
                raise
            interrupted = True
            progress("waiting for answers that are paid for already", 0, 0)
            with suppress(OSError):
                connection.send("stop")
            continue
        except (EOFError, OSError):  # also where it died while it was sending
            process.join()
            if interrupted:
                raise KeyboardInterrupt from None
            raise HoldfastError(
                f"the judges' process died ({death_of(process.exitcode)}); answers that came are kept: "
                "the same command goes on from there"
            ) from None
        if isinstance(message, Asked):
            progress(message.doing, message.answers, 0)
        elif isinstance(message, Failed):
            raise (UsageError if message.usage else HoldfastError)(message.message)
        elif interrupted:
            raise KeyboardInterrupt
        else:
            return message
