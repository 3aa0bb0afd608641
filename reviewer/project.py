"""A project: a folder with `holdfast.toml` (what is wanted) and `holdfast.db` (what happened)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from holdfast.db.errors import Refused, UsageError
from holdfast.db.models import Role
from holdfast.db.store import Store
from holdfast.db.users import add_user, check_name
from holdfast.reviewer.config import FILE_NAME, Config, load, template

STORE_NAME = "holdfast.db"

GUIDELINE = """\
# How to review

- Accept a response that you would be glad to see a model learn from, as it stands.
- Edit it where a small change makes it so.
- Reject it otherwise, with the reason that fits best.
- Skip what you cannot judge now; escalate what a lead should see.
"""


@dataclass(frozen=True)
class Project:
    """A project's folder; configuration and store are read when they are asked for."""

    root: Path

    @classmethod
    def find(cls, path: Path | None = None) -> Project:
        """The project in `path`, else in HOLDFAST_PROJECT, else in the nearest parent folder; UsageError if none."""
        named = path or os.environ.get("HOLDFAST_PROJECT")
        if named:
            root = Path(named).absolute()
            if (root / FILE_NAME).is_file():
                return cls(root)
            raise UsageError(f"{root}: no {FILE_NAME} here; `holdfast init {named}` starts a project")
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / FILE_NAME).is_file():
                return cls(folder)
        raise UsageError(
            f"{here}: no {FILE_NAME} here or in a folder above; start a project with `holdfast init`, "
            "try `holdfast demo`, or name one with --project DIR"
        )

    @classmethod
    def init(cls, folder: Path, *, shared: bool, user: str) -> Project:
        """Make a project with an empty store whose first lead is `user`; Refused where there is a store already.

        A shared one is readable and writable for the folder's group. Files of settings that exist are kept.
        """
        check_name(user, "user")
        project = cls(folder.absolute())
        if project.store_path.exists():
            raise Refused(f"{project.store_path}: exists already; this folder is a project")
        guideline = project.config.review.guideline
        try:
            project.root.mkdir(parents=True, exist_ok=True)
            if shared:
                # SQLite gives its side files the folder's group only where the set-group-id bit asks for it.
                project.root.chmod(project.root.stat().st_mode | 0o2070)
            with Store.create(project.store_path, shared=shared) as store:
                if shared:
                    os.chown(project.store_path, -1, project.root.stat().st_gid)
                add_user(store, name=user, role=Role.LEAD, actor=user)
            for name, text in ((guideline, GUIDELINE), (FILE_NAME, template())):
                _write_new(project.root / name, text)
        except (NotADirectoryError, FileExistsError, PermissionError) as error:
            raise UsageError(f"{error.filename}: {error.strerror}; choose a folder you can write to") from None
        return project

    @property
    def store_path(self) -> Path:
        """Where the lineage store is."""
        return self.root / STORE_NAME

    @cached_property
    def config(self) -> Config:
        """The settings of `holdfast.toml`; UsageError where it cannot be read."""
        path = self.root / FILE_NAME
        return load(path) if path.exists() else Config()

    def store(self) -> Store:
        """Open the lineage store; a context manager."""
        return Store.open(self.store_path)


def _write_new(path: Path, text: str) -> None:
    if not path.exists():
        path.write_text(text, encoding="utf-8")
