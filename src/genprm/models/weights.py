"""The identity of weights: one hash over the files that hold them.

A file of up to 1 GiB is hashed as a whole. For a larger file, its size, the description of its
tensors and its first and last MiB are hashed, so that 60 GB of weights take milliseconds; a change
that leaves all of these equal is not noticed. Hashes are never cached.
"""

from collections.abc import Iterable, Iterator
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from genprm.errors import InputError

WHOLE = 2**30
"""Bytes up to which a file is hashed whole."""

_CHUNK = 2**20


def hash_weights(files: Iterable[Path]) -> str:
    """`sha256:…` over the sizes and contents of `files`, in the order of their names.

    Raises:
        InputError: one of them cannot be read.
    """
    digest = sha256()
    for file in sorted(files, key=lambda path: path.name):
        try:
            for chunk in _contents(file):
                digest.update(chunk)
        except OSError as error:
            raise InputError(f"{file}: cannot read it: {error.strerror}") from None
    return f"sha256:{digest.hexdigest()}"


def version_of(distribution: str) -> str:
    """The installed version of a library, or an empty string if its metadata is missing."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return ""


def _contents(file: Path) -> Iterator[bytes]:
    """All bytes of a file, or for a large one the parts that identify it."""
    with file.open("rb") as stream:
        size = file.stat().st_size
        yield size.to_bytes(8, "little")
        if size <= WHOLE:
            while chunk := stream.read(_CHUNK):
                yield chunk
            return
        length = int.from_bytes(stream.read(8), "little")  # of a safetensors header
        stream.seek(0)
        # 16 MiB hold the vocabulary and the list of tensors that begin a GGUF file
        is_safetensors = file.suffix == ".safetensors" and length < 100 * _CHUNK
        yield stream.read(8 + length if is_safetensors else 16 * _CHUNK)
        yield stream.read(_CHUNK)
        stream.seek(-_CHUNK, 2)
        yield stream.read(_CHUNK)
