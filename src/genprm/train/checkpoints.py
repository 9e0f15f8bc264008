"""What makes training resumable: one configuration per folder, and the last whole checkpoint."""

import json
import os
from hashlib import sha256
from pathlib import Path

from genprm.errors import InputError, JournalError
from genprm.train.recipe import Training


def claim(output: Path, settings: Training) -> None:
    """Claim a folder for this training, and refuse to mix two in one folder.

    Raises:
        JournalError: the folder belongs to a training with another configuration.
    """
    configuration = {**settings.model_dump(mode="json"), "data": hash_of(Path(settings.chats))}
    configuration.pop("output")
    file = output / "train.run.json"
    if file.exists():
        there = json.loads(file.read_text("utf-8"))
        changed = sorted(
            k for k in {*there, *configuration} if there.get(k) != configuration.get(k)
        )
        if changed:
            raise JournalError(
                f"{output} was started with other settings ({', '.join(changed)}); "
                "fix: use the same settings, or another output; more: genprm explain changed-run"
            )
    elif int(os.environ.get("RANK", "0")) == 0:
        output.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(configuration, indent=1) + "\n", "utf-8")
        draft.replace(file)


def hash_of(file: Path) -> str:
    """The hash of the chats' file.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return sha256(file.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}; fix: correct `chats` in the recipe") from None


def last_checkpoint(output: Path) -> str | None:
    """The newest complete checkpoint: one whose trainer state, written last, can be parsed."""
    numbered = {
        int(folder.name.rpartition("-")[2]): folder
        for folder in output.glob("checkpoint-*")
        if folder.name.rpartition("-")[2].isdigit()
    }
    for _, folder in sorted(numbered.items(), reverse=True):
        try:
            json.loads((folder / "trainer_state.json").read_text("utf-8"))
        except (OSError, ValueError):
            continue
        return str(folder)
    return None
