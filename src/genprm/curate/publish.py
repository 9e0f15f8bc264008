"""The finished data set: Parquet and JSON Lines for each mode, with a card.

DIR/dataset/README.md              what it is, how it was made, what is in it
DIR/dataset/genprm/train.parquet   the chats of a mode; `messages` is what TRL reads
DIR/dataset/genprm/train.jsonl
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from genprm.curate.folder import Folder
from genprm.curate.recipe import Curation
from genprm.curate.stages import Stage
from genprm.curate.stats import CurationStats
from genprm.errors import InputError, MissingExtra
from genprm.records.chats import ChatRow
from genprm.records.record import JsonObject


def publish(folder: Folder, recipe: Curation, stats: CurationStats) -> Path:
    """Write the data set of a finished curation, and push it if the recipe says so.

    Raises:
        InputError: there is nothing to write, or there is no token to push with.
        MissingExtra: `datasets` is not installed.
    """
    target = folder.path / "dataset"
    by_mode: dict[str, list[JsonObject]] = defaultdict(list)
    for row in folder.rows(Stage.CHATS, ChatRow):
        by_mode[row.mode].append(_published(row))
    if not by_mode:
        raise InputError(
            f"{folder.file(Stage.CHATS)}: there are no chats; "
            "fix: see in report.html which stage left nothing"
        )
    for mode, rows in by_mode.items():
        (target / mode).mkdir(parents=True, exist_ok=True)
        _write_jsonl(target / mode / "train.jsonl", rows)
        _write_parquet(target / mode / "train.parquet", rows)
    (target / "README.md").write_text(card(recipe, stats), "utf-8")
    if recipe.chats.hub:
        _push(target, recipe.chats.hub, private=recipe.chats.private)
    return target


def card(recipe: Curation, stats: CurationStats) -> str:
    """The data set's card: counts, balance, provenance."""
    from jinja2 import Environment

    source = resources.files("genprm.curate") / "card.md.jinja"
    template = Environment(trim_blocks=True, lstrip_blocks=True).from_string(
        source.read_text("utf-8")
    )
    return template.render(recipe=recipe, stats=stats, chats=stats.chats or {})


def _published(row: ChatRow) -> JsonObject:
    fields = row.json_object()
    shown = ("solution", "problem", "mode", "labels", "messages", "pieces")
    return {"id": row.key, **{name: fields[name] for name in shown}}


def _write_jsonl(file: Path, rows: Iterable[JsonObject]) -> None:
    draft = file.with_suffix(".draft")
    with draft.open("w", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    draft.replace(file)


def _write_parquet(file: Path, rows: list[JsonObject]) -> None:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise MissingExtra("pyarrow", extra="curate") from None
    draft = file.with_suffix(".draft")
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), draft)
    draft.replace(file)


def _push(target: Path, name: str, *, private: bool) -> None:
    try:
        import huggingface_hub
    except ImportError:
        raise MissingExtra("huggingface_hub", extra="curate") from None
    if huggingface_hub.get_token() is None:
        raise InputError(
            f"there is no token to push {name}; fix: run hf auth login, or remove curate.chats.hub"
        )
    client = huggingface_hub.HfApi()
    try:
        client.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        client.upload_folder(repo_id=name, repo_type="dataset", folder_path=target)
    except (huggingface_hub.errors.HfHubHTTPError, OSError) as error:
        cause = " ".join(str(error).split())[:200]
        raise InputError(f"cannot push {name}: {cause}; the data set is in {target}") from None
