"""Chats from a file as rows of tokens with labels: cut to whole turns, shuffled, packed."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from genprm.errors import InputError
from genprm.records.chats import Chat
from genprm.records.validation import field_fault
from genprm.train.recipe import Training
from genprm.train.tokens import Encoder

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, slots=True)
class Corpus:
    """The tokenized rows, and counts of shortened and dropped chats."""

    rows: "Dataset"  # datasets.Dataset with input_ids, labels, and seq_lengths if packed
    chats: int
    shortened: int  # lost turns to max_length
    left_out: int  # not even their first turn fits
    tokens: int
    learned: int

    @property
    def chats_per_row(self) -> float:
        """1 without packing."""
        return self.chats / len(self.rows)


def load_corpus(settings: Training, tokenizer: "PreTrainedTokenizerBase") -> Corpus:
    """Chats as rows of tokens, packed if the recipe says so.

    Raises:
        InputError: a row is not a chat, or no chat fits.
    """
    from datasets import Dataset
    from trl.data_utils import pack_dataset

    encoder = Encoder(tokenizer, settings.loss)
    rows: list[dict[str, list[int]]] = []
    shortened = left_out = 0
    for place, chat in read_chats(Path(settings.chats)):
        try:
            whole = encoder.encode(chat)
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        fitted = whole.fitted(settings.max_length)
        if fitted is None:
            left_out += 1
            continue
        shortened += len(fitted.turn_ends) < len(whole.turn_ends)
        rows.append({"input_ids": fitted.input_ids, "labels": fitted.labels})
    if not rows:
        raise InputError(f"{settings.chats}: no chat fits {settings.max_length} tokens")
    random.Random(settings.seed).shuffle(rows)
    rows = rows[: max(1, round(settings.share * len(rows)))]
    packed = Dataset.from_list(rows)
    if settings.packing:
        packed = pack_dataset(packed, settings.max_length, "bfd")
    return Corpus(
        packed,
        chats=len(rows),
        shortened=shortened,
        left_out=left_out,
        tokens=sum(len(row["input_ids"]) for row in rows),
        learned=sum(label >= 0 for row in rows for label in row["labels"]),
    )


def read_chats(file: Path) -> Iterator[tuple[str, Chat]]:
    """(place, chat) pairs of a Parquet or JSON Lines file.

    Raises:
        InputError: a row is not a chat.
    """
    for place, row in _rows(file):
        try:
            yield place, row()
        except ValidationError as error:
            raise InputError(
                f"{place}: {field_fault(error)}; fix: train on the chats of genprm curate, which "
                "have messages and pieces"
            ) from None


def _rows(file: Path) -> Iterator[tuple[str, Callable[[], Chat]]]:
    """The rows by place, each as a function that reads it."""
    if file.suffix == ".parquet":
        import pyarrow.parquet

        table = pyarrow.parquet.ParquetFile(file)
        number = 0
        for batch in table.iter_batches(batch_size=256, columns=["messages", "pieces"]):
            for row in batch.to_pylist():
                number += 1
                yield f"{file}: row {number}", partial(Chat.model_validate, row)
        return
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            yield f"{file}:{number}", partial(Chat.model_validate_json, line)


def describe(corpus: Corpus, settings: Training, accumulation: int) -> str:
    """One line that describes the training data."""
    share = corpus.learned / corpus.tokens
    line = (
        f"{corpus.chats:,} chats in {len(corpus.rows):,} rows, {corpus.tokens:,} tokens, "
        f"{share:.0%} of them learned; {accumulation} x {settings.micro_batch} rows an update and "
        "device"
    )
    if corpus.shortened or corpus.left_out:
        line += (
            f"; {corpus.shortened:,} lost turns to max_length, {corpus.left_out:,} were left out"
        )
    return line
