"""Options that name a file of the project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema


@dataclass(frozen=True, slots=True)
class ProjectFile:
    """A file that an option names, relative to the project's folder, and the SHA-256 of its bytes.

    The name and the hash are stored with each verdict, so that a changed file makes samples be judged again.
    """

    name: str
    sha256: str
    path: Path

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Configured as a string, stored as `{"file": …, "sha256": …}`."""
        return core_schema.with_info_plain_validator_function(
            cls._found, serialization=core_schema.plain_serializer_function_ser_schema(cls._plain)
        )

    @classmethod
    def _found(cls, value: Any, info: ValidationInfo) -> ProjectFile:
        if not isinstance(value, str):
            raise ValueError("expected the name of a file")
        path = ((info.context or {}).get("root") or Path()) / value
        try:
            with path.open("rb") as file:
                return cls(value, hashlib.file_digest(file, "sha256").hexdigest(), path)
        except OSError as error:
            raise ValueError(f"cannot read the file {value}: {error.strerror}") from None

    def _plain(self) -> dict[str, str]:
        return {"file": self.name, "sha256": self.sha256}
