"""The desk in a real terminal: hostile samples, the reviewer's own editor, the way out."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

import pyte
import pytest
from terminal import ATTACKS, capture, steering

SIZE = (30, 100)
EDITOR = """#!{python}
import os, stat, sys
path = sys.argv[1]
modes = [oct(stat.S_IMODE(os.stat(one).st_mode)) for one in (path, os.path.dirname(path))]
open({log!r}, "w").write(" ".join([os.path.basename(path), *modes, os.path.dirname(path)]))
text = open(path, newline="").read()
open(path, "w", newline="").write(text.replace("colour", "hue") + "\\n")
"""


def run(tmp_path: Path, texts: Sequence[str], steps: Sequence[tuple[str, str]]) -> tuple[bytes, list[object]]:
    """Review texts; what was written to the terminal, and choices, edited responses and closings."""
    (tmp_path / "texts.json").write_text(json.dumps(list(texts)))
    app = str(Path(__file__).with_name("desk_app.py"))
    command = [sys.executable, app, str(tmp_path / "texts.json"), str(tmp_path / "result.json")]
    written = capture(command, steps, cwd=tmp_path, size=SIZE)
    return written, json.loads((tmp_path / "result.json").read_text())


def test_a_hostile_sample_steers_nothing_in_any_view(tmp_path: Path) -> None:
    steps = [("RESPONSE", "t"), ("RENDERED", "t"), ("RAW", "e"), ("YOUR EDIT", "!"), ("changed →", "\x1b")]
    steps += [("letters are commands", "q"), ("PROMPT", "q")]
    harmless, _ = run(tmp_path, ["harmless text\nof two lines"] * 2, steps)
    hostile, (choices, _, closed) = run(tmp_path, ["\n".join(ATTACKS), ATTACKS[0]], steps)
    assert steering(hostile, SIZE) <= steering(harmless, SIZE)
    assert (choices, closed) == ([], 1)


def test_the_reviewers_own_editor_changes_only_what_it_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text(EDITOR.format(python=sys.executable, log=str(tmp_path / "log")))
    editor.chmod(editor.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("EDITOR", str(editor))
    text = "The colour\r\nis\x0b red."
    _, (choices, edited, _) = run(
        tmp_path, [text, "the second"], [("The colour", "E"), ("changed →", "\x1b[12~"), ("the second", "q")]
    )
    assert (choices, edited) == (["edit"], [text.replace("colour", "hue")])
    name, file_mode, folder_mode, folder = (tmp_path / "log").read_text().split()
    assert name.endswith(".txt")
    assert (file_mode, folder_mode) == ("0o600", "0o700")
    assert not Path(folder).exists()


def test_an_editor_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "false")
    _, (choices, _, closed) = run(tmp_path, ["The colour"], [("The colour", "E"), ("ended with status 1", "q")])
    assert (choices, closed) == ([], 1)


def test_an_editor_that_is_not_there_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "no-such-editor")
    run(tmp_path, ["The colour"], [("The colour", "E"), ("could not be started", "q")])


def test_typing_ahead_decides_nothing_unseen(tmp_path: Path) -> None:
    _, (choices, _, _) = run(tmp_path, ["first", "second", "third"], [("first", "a"), ("second", "a"), ("third", "q")])
    assert choices == ["accept", "accept"]


def test_text_whose_width_terminals_disagree_about_hides_nothing_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """Pyte draws a family as four people, Textual reckons with one."""
    families = "👩\u200d👩\u200d👧\u200d👦 🇫🇷🇩🇪 👍🏽 are all"
    steps = [("STALE", "a"), ("accepted", "?"), ("KEYS", "\x1b"), ("Explain", "q")]
    written, _ = run(tmp_path, ["STALE " * 60, families], steps)
    screen = pyte.Screen(SIZE[1], SIZE[0])
    shown = written.rpartition(b"\x1b[?1049l")[0]
    pyte.ByteStream(screen).feed(shown)
    assert not any("STALE" in line for line in screen.display)
