"""Models of the Hugging Face Hub as local folders; HF_HOME and HF_HUB_OFFLINE are respected."""

from pathlib import Path

from genprm.errors import InputError, MissingExtra


def find_folder(repository: str) -> Path:
    """The local copy of a repository of the Hugging Face Hub, downloaded if necessary.

    Raises:
        InputError: no such repository, or it is not cached and the Hub cannot be reached.
        MissingExtra: huggingface_hub is not installed.
    """
    try:
        from huggingface_hub import constants, snapshot_download
        from huggingface_hub.errors import (
            HfHubHTTPError,
            HFValidationError,
            LocalEntryNotFoundError,
        )
    except ImportError:
        raise MissingExtra("huggingface_hub", extra="transformers") from None
    wanted = ["*.safetensors", "*.json", "*.jinja", "*.model", "*.txt"]
    try:
        return Path(snapshot_download(repository, allow_patterns=wanted))
    except LocalEntryNotFoundError:
        reason = (
            "HF_HUB_OFFLINE is set"
            if constants.HF_HUB_OFFLINE
            else "the Hugging Face Hub cannot be reached"
        )
        raise InputError(
            f"hf:{repository}: not in the cache {constants.HF_HUB_CACHE}, and {reason}; "
            f"fix: run `hf download {repository}` on a machine with network, or name a folder"
        ) from None
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        cause = str(error).strip().splitlines()
        raise InputError(f"hf:{repository}: {cause[0] if cause else error}") from None
