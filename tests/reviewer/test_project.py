"""Projects and their settings."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest

from holdfast.db.errors import HoldfastError, Refused, UsageError
from holdfast.db.models import Role
from holdfast.db.users import role_of
from holdfast.reviewer.config import Config, load, template
from holdfast.reviewer.project import Project


def written(folder: Path, text: str) -> Path:
    path = folder / "holdfast.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_new_project_has_settings_a_private_store_and_a_lead(tmp_path: Path) -> None:
    project = Project.init(tmp_path / "data", shared=False, user="lead-1")
    assert project.config == Config()
    assert stat.S_IMODE(project.store_path.stat().st_mode) == 0o600
    with project.store() as store:
        assert role_of(store, "lead-1") is Role.LEAD


def test_a_shared_project_can_be_written_by_the_folders_group(tmp_path: Path) -> None:
    project = Project.init(tmp_path / "data", shared=True, user="lead-1")
    assert stat.S_IMODE(project.store_path.stat().st_mode) == 0o660
    assert project.root.stat().st_mode & 0o2070 == 0o2070
    assert project.store_path.stat().st_gid == project.root.stat().st_gid


def test_a_second_init_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    Project.init(tmp_path, shared=False, user="lead-1")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Refused, match="exists already"):
        Project.init(tmp_path, shared=False, user="lead-2")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_init_gives_cloned_settings_a_store(tmp_path: Path) -> None:
    settings = written(tmp_path, '[quota]\nmax_ratio = "0.5"\n')
    project = Project.init(tmp_path, shared=False, user="lead-1")
    assert settings.read_text(encoding="utf-8") == '[quota]\nmax_ratio = "0.5"\n'
    assert project.config.quota.max_ratio == "0.5"


def test_the_project_is_the_nearest_folder_above(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(tmp_path, "")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert Project.find().root == tmp_path
    written(tmp_path / "a", "")
    assert Project.find().root == tmp_path / "a"
    monkeypatch.setenv("HOLDFAST_PROJECT", str(tmp_path))
    assert Project.find().root == tmp_path
    assert Project.find(tmp_path / "a").root == tmp_path / "a"


def test_without_a_project_the_error_says_how_to_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="holdfast init"):
        Project.find()
    with pytest.raises(UsageError, match=re.escape(str(tmp_path))):
        Project.find(tmp_path)


def test_the_template_shows_the_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, template())) == Config()
    examples = ("#daily_goal", "#enabled", "#rubric", "#budget_usd")
    uncommented = "\n".join(line.removeprefix("#") for line in template().splitlines() if not line.startswith(examples))
    live = "\n".join(line for line in uncommented.splitlines() if not line.startswith(" "))
    assert load(written(tmp_path, live)) == Config()


def test_every_setting_is_described_in_the_template() -> None:
    lines = template().splitlines()
    for number, line in enumerate(lines):
        if re.match(r"#\w+ = ", line):
            assert lines[number - 1].startswith("# "), line


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("[review]\nlease_secnds = 3", "review.lease_secnds", "did you mean lease_seconds"),
        ("[judges]\nmodels = ['huggingface/https://a.example']", "judges", "no model name"),
        ("[judges]\nmodels = ['openai/a', 'openai/a']", "judges", "named twice"),
        ("[judges]\nmodels = ['openai/a']\nfamilies = { 'openai/b' = 'kelp' }", "judges", "did you mean 'openai/a'"),
        ("[judges.prices]\n'openai/a' = { input = 1, ouptut = 2 }", "judges.prices", "did you mean output"),
        ("[judges]\nmodels = ['openai/a']\nprices = { 'openai/a' = { input = inf, output = 2 } }", "input", "finite"),
        ("[judges]\nmodels = ['openai/a']\nprices = { 'openai/a' = { input = 1e9, output = 2 } }", "input", "less"),
        ("[judges]\nbudget_usd = inf", "judges.budget_usd", "finite"),
        ("[reveiw]\nlease_seconds = 3", "reveiw", "did you mean review"),
        ("[review]\nlease_seconds = true", "review.lease_seconds", "valid integer"),
        ("[review]\nlease_seconds = 0", "review.lease_seconds", "greater than or equal to 10"),
        ("[review]\nauto_approve = 'all'", "review.auto_approve", "'off'"),
        ("[quota]\nmax_ratio = 'half'", "quota.max_ratio", "write a decimal"),
        ("[quota]\nmax_ratio = nan", "quota.max_ratio", "write a decimal"),
        ("[quota]\nmax_ratio = -0.5", "quota.max_ratio", "below zero"),
        ("[quota]\nedited_weight = 2", "quota", "at most"),
        ("[verifiers]\nenabld = ['length']", "enabld", "did you mean enabled"),
        ("[verifiers]\nlength = 3", "length", "[verifiers.length]"),
        ("[reasons]\nfactul = 'wrong'", "reasons.factul", "did you mean factual"),
        ("[quota", "not TOML", "end of document"),
    ],
)
def test_errors_of_settings_name_file_key_and_remedy(tmp_path: Path, text: str, place: str, remedy: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(UsageError) as caught:
        load(path)
    message = str(caught.value)
    assert str(path) in message
    assert place in message
    assert remedy in message


def test_options_of_verifiers_are_kept_as_written(tmp_path: Path) -> None:
    config = load(written(tmp_path, "[verifiers]\nenabled = ['length']\n[verifiers.length]\nflag_at = 3.5\n"))
    assert config.verifiers.enabled == ("length",)
    assert config.verifiers.options == {"length": {"flag_at": 3.5}}


def test_settings_that_are_not_text_are_an_error_not_a_fault(tmp_path: Path) -> None:
    (tmp_path / "holdfast.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(HoldfastError, match="not TOML"):
        load(tmp_path / "holdfast.toml")
