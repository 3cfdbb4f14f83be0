"""A trust file's next content, on the disk beside its place before the trail is written, then moved in at once."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from types import TracebackType

from audit_pipeline.errors import AuditError, InputError, ToolError


class Staged:
    """Content that waits beside its place; a full disk shows now. Leaves nothing behind if it is not moved in.

    with Staged(path, content) as staged:
        ...  # what must have happened before the file may change
        staged.move_in()
    """

    def __init__(self, path: Path, content: bytes) -> None:
        """Write beside the place.

        Raises:
            InputError: `trust.no-folder`.
            ToolError: `trust.write-failed`.
        """
        self._path = path
        try:
            descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".audit-")
        except OSError as error:
            raise self._failed(error) from None
        self._beside = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
            self._beside.chmod(0o644)
        except BaseException as error:
            self._beside.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise self._failed(error) from None
            raise

    def move_in(self) -> None:
        """Put the content in its place.

        Raises:
            ToolError: `trust.write-failed`; what was there is as it was.
        """
        try:
            self._beside.replace(self._path)
        except OSError as error:
            raise self._failed(error) from None

    def __enter__(self) -> Staged:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._beside.unlink(missing_ok=True)

    def _failed(self, error: OSError) -> AuditError:
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            return InputError(
                "trust.no-folder", "there is no folder to write this in", where=str(self._path), hint="make it first"
            )
        return ToolError("trust.write-failed", f"this could not be written: {error.strerror}", where=str(self._path))
