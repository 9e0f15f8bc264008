"""Objects behind a URL, by fsspec: s3://, gs://, and any other scheme with an installed client."""

import contextlib
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from genprm.errors import InputError, MissingExtra

_CHUNK = 8 << 20


class ObjectStore:
    """The objects below a URL; see `mirror.Store`.

    Raises:
        MissingExtra: fsspec is not installed.
        InputError: no client for the URL is installed, or none exists.
    """

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError:
            raise MissingExtra("fsspec", extra="s3") from None
        try:
            self._files, root = fsspec.core.url_to_fs(url)
        except (ImportError, ValueError) as error:  # its own words name the package
            raise InputError(f"{url}: {error}; fix: install it with pip, or name a file") from None
        self._root = str(root).rstrip("/")

    def sizes(self, place: str = "") -> dict[str, int]:
        """See `mirror.Store`."""
        with _as_os_error():
            self._files.invalidate_cache()
            try:
                found = self._files.find(self._at(place), detail=True)
            except FileNotFoundError:
                return {}
        skipped = len(self._root) + 1
        return {name[skipped:]: int(entry["size"]) for name, entry in found.items()}

    def read(self, name: str) -> bytes:
        """See `mirror.Store`."""
        with _as_os_error():
            try:
                data: bytes = self._files.cat_file(self._at(name))
            except FileNotFoundError:
                return b""
        return data

    def write(self, name: str, data: bytes) -> None:
        """See `mirror.Store`."""
        with _as_os_error():
            self._files.pipe_file(self._at(name), data)

    def upload(self, name: str, file: BinaryIO, size: int) -> None:
        """See `mirror.Store`."""
        with _as_os_error(), self._files.open(self._at(name), "wb") as target:
            while size and (chunk := file.read(min(size, _CHUNK))):
                target.write(chunk)
                size -= len(chunk)

    def download(self, name: str, file: BinaryIO) -> None:
        """See `mirror.Store`."""
        with _as_os_error(), self._files.open(self._at(name), "rb") as source:
            while chunk := source.read(_CHUNK):
                file.write(chunk)

    def remove(self, names: Collection[str]) -> None:
        """See `mirror.Store`."""
        with _as_os_error():
            for name in names:
                with contextlib.suppress(FileNotFoundError):
                    self._files.rm_file(self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}" if name else self._root


@contextmanager
def _as_os_error() -> Iterator[None]:
    """Turn the errors of the various clients into OSError."""
    try:
        yield
    except OSError as error:
        if error.strerror:
            raise
        raise OSError(0, _line(error)) from None
    except Exception as error:  # noqa: BLE001 - clouds' clients raise errors of their own
        raise OSError(0, _line(error)) from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
