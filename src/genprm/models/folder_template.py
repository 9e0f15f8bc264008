"""The chat template of a model whose folder or Hub name a server reports."""

from pathlib import Path

from genprm.errors import InputError
from genprm.models.chat_template import ChatTemplate

_TEMPLATE_FILES = ["chat_template.jinja", "tokenizer_config.json", "tokenizer.json"]


def template_of(root: str) -> ChatTemplate | None:
    """The template of a folder on this machine or of a Hub repository; None if unknown."""
    folder = Path(root)
    if not folder.is_dir():
        found = _from_hub(root)
        if found is None:
            return None
        folder = found
    try:
        return ChatTemplate.from_folder(folder)
    except InputError:
        return None


def _from_hub(repository: str) -> Path | None:
    """The repository's small files, from the cache or the Hub."""
    if repository.count("/") != 1 or repository.startswith(("/", ".")):
        return None
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        return None
    for only_cached in (True, False):
        try:
            return Path(
                snapshot_download(
                    repository, allow_patterns=_TEMPLATE_FILES, local_files_only=only_cached
                )
            )
        except Exception:  # noqa: BLE001 - no network, no such repository, a cache of another version
            continue
    return None
