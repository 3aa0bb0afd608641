"""The stack that a project's configuration, or a command line, asks for."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from holdfast.db.errors import Refused, UsageError
from holdfast.reviewer import trust
from holdfast.reviewer.config import FILE_NAME
from holdfast.reviewer.project import Project
from holdfast.verifiers import registry
from holdfast.verifiers.base import did_you_mean
from holdfast.verifiers.stack import Part, Stack


def configured_stack(project: Project, *, warn: Callable[[str], None]) -> Stack:
    """The verifiers that `holdfast.toml` enables: by default every installed one, and its trusted files.

    An installed verifier that cannot be loaded is left out with a warning, unless the configuration names it.
    """
    config = project.config.verifiers
    refs = config.files if config.enabled is None else (*config.files, *config.enabled)
    parts = [_part(project, ref) for ref in dict.fromkeys(refs)]
    if config.enabled is None:
        parts += [_part(project, name) for name in _loadable(config.options, warn)]
    _refuse_strangers(config.options, [registry.split_ref(part.ref)[1] for part in parts])
    return Stack(parts, where=FILE_NAME)


def configured_names(project: Project) -> set[str]:
    """The names of the verifiers that `configured_stack` would hold, none of them loaded."""
    config = project.config.verifiers
    enabled = registry.names() if config.enabled is None else config.enabled
    return {registry.split_ref(ref)[1] for ref in (*config.files, *enabled)}


def chosen_stack(project: Project, refs: Sequence[str]) -> Stack:
    """The verifiers named on a command line, with the options that `holdfast.toml` gives them.

    A file named here needs no trust: whoever names it means to run it.
    """
    config = project.config.verifiers
    files = {registry.split_ref(ref)[1]: ref for ref in config.files}
    parts = []
    for ref in dict.fromkeys(refs):
        path, name = registry.split_ref(ref)
        if path is None:
            parts.append(_part(project, files.get(name, name)))
        else:
            options = config.options.get(name, {})
            parts.append(Part(f"{path.resolve()}:{name}", options, trust.digest(path), project.root))
    return Stack(parts, where=FILE_NAME)


def file_stack(project: Project, ref: str) -> Stack:
    """The stack of one file verifier that the configuration names; Refused where the file is not trusted."""
    return Stack([_part(project, ref)], where=FILE_NAME)


def _part(project: Project, ref: str) -> Part:
    """The part that a reference in the configuration stands for; Refused for a file that is not trusted."""
    path, name = registry.split_ref(ref)
    options = project.config.verifiers.options.get(name, {})
    if path is None:
        return Part(name, options, root=project.root)
    place = (project.root / path).resolve()
    sha256 = trust.digest(place)
    if not trust.is_trusted(sha256):
        raise Refused(
            f"{FILE_NAME} asks for {name} of {path}, a file that you have not trusted as it is now: "
            f"read it, then run `holdfast trust {_short(place)}`"
        )
    return Part(f"{place}:{name}", options, sha256, project.root)


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _loadable(configured: Collection[str], warn: Callable[[str], None]) -> list[str]:
    """The installed verifiers' names without the broken ones; an error where the configuration names a broken one."""
    found = []
    for name in registry.names():
        try:
            registry.load(name)
        except UsageError as error:
            if name in configured:
                raise
            warn(f"warning: {error}; left out")
        else:
            found.append(name)
    return found


def _refuse_strangers(configured: Collection[str], names: Collection[str]) -> None:
    known = {*names, *registry.names()}
    for name in configured:
        if name not in known:
            raise UsageError(f"{FILE_NAME}: [verifiers.{name}]: no verifier has this name{did_you_mean(name, known)}")
