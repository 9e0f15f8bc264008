"""From a chat with authors to tokens with labels.

Two things are exact here. First, which tokens are learned: a token is learned if all its characters
were written by an author whose text is learned, and never if it is part of a prompt or of executed
output. Second, where tokens end: text is cut wherever the model takes over from the driver, because
the prompt ends there when the model judges. A tokenizer that sees the whole turn would join
characters across that point.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from unicodedata import normalize

from genprm.errors import InputError
from genprm.records.chats import Author, Chat
from genprm.train.recipe import Loss

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

IGNORED = -100  # the label of a token that is not learned

LEARNED = {
    Loss.ASSISTANT: frozenset({Author.DRIVER, Author.MODEL}),
    Loss.MODEL: frozenset({Author.MODEL}),
}
_HANDS_OVER = Author.MODEL  # the author whose pieces begin where a prompt ends
_SLOT = re.compile("\ue000(\\d+)\ue001")  # private-use characters: no template writes them


@dataclass(frozen=True, slots=True)
class Stretch:
    """Text between two changes of author; `cut` if the tokenizer must not join it with the last."""

    text: str
    learned: bool
    cut: bool = False
    ends_turn: bool = False  # follows an assistant's turn, and begins with its closing token


@dataclass(frozen=True, slots=True)
class Encoded:
    """A chat as tokens and labels, both [tokens], and the token count after each turn."""

    input_ids: list[int]
    labels: list[int]
    turn_ends: list[int]

    def fitted(self, max_length: int) -> "Encoded | None":
        """The chat without the last turns, so that it fits; None if even the first one does not."""
        fitting = [end for end in self.turn_ends if end <= max_length]
        if not fitting:
            return None
        return Encoded(self.input_ids[: fitting[-1]], self.labels[: fitting[-1]], fitting)


class Encoder:
    """Encodes chats for one tokenizer, a fast one of transformers."""

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", loss: Loss) -> None:
        self._tokenizer = tokenizer
        self._learned = LEARNED[loss]
        self._special = set(tokenizer.all_special_ids) | {
            index for index, token in tokenizer.added_tokens_decoder.items() if token.special
        }

    def encode(self, chat: Chat) -> Encoded:
        """Tokens and labels of one chat.

        Raises:
            InputError: the template changes what the turns say, or the tokenizer cannot be cut.
        """
        stretches = list(self._stretches(chat))
        whole = self._render([message.content for message in chat.messages], chat)
        if "".join(stretch.text for stretch in stretches) != whole:
            raise InputError(
                "the chat template changes what the turns say (it may strip white space), so the "
                "loss cannot be placed; fix: set chat_template = a template that repeats them"
            )
        input_ids: list[int] = []
        labels: list[int] = []
        turn_ends: list[int] = []
        for group in _between_cuts(stretches):
            self._encode_group(group, input_ids, labels, turn_ends)
        if normalize("NFC", self._decode(input_ids)) != normalize("NFC", whole):
            raise InputError(
                "the tokenizer adds or drops text at cuts; fix: use a byte-level tokenizer"
            )
        return Encoded(input_ids, labels, turn_ends)

    def _stretches(self, chat: Chat) -> Iterator[Stretch]:
        """The rendered chat, in order: the template's own text and the messages' pieces."""
        slots = [f"\ue000{index}\ue001" for index in range(len(chat.messages))]
        parts = _SLOT.split(self._render(slots, chat))
        role = ""
        for template, index in zip(parts[::2], [*parts[1::2], None], strict=True):
            after = role == "assistant"
            yield Stretch(template, False, cut=after, ends_turn=after)
            if index is not None:
                role = chat.messages[int(index)].role
                try:
                    for author, text in chat.stretches(int(index)):
                        yield Stretch(text, author in self._learned, author is _HANDS_OVER)
                except ValueError as error:
                    raise InputError(str(error)) from None

    def _encode_group(
        self,
        group: Sequence[Stretch],
        input_ids: list[int],
        labels: list[int],
        turn_ends: list[int],
    ) -> None:
        """Tokenize stretches as one text and append the result."""
        encoded = self._tokenizer(
            "".join(stretch.text for stretch in group),
            add_special_tokens=False,
            return_offsets_mapping=True,
        )
        learned = [stretch.learned for stretch in group for _ in stretch.text]
        own = [
            token if start < end and all(learned[start:end]) else IGNORED
            for token, (start, end) in zip(
                encoded["input_ids"], encoded["offset_mapping"], strict=True
            )
        ]
        if group[0].ends_turn:
            closes = bool(own) and encoded["input_ids"][0] in self._special
            if closes:
                own[0] = encoded["input_ids"][0]
            turn_ends.append(len(input_ids) + closes)
        input_ids += encoded["input_ids"]
        labels += own

    def _render(self, contents: Sequence[str], chat: Chat) -> str:
        """The chat as the template renders it, with other contents in its turns."""
        turns = [
            {"role": turn.role, "content": content}
            for turn, content in zip(chat.messages, contents, strict=True)
        ]
        return str(self._tokenizer.apply_chat_template(turns, tokenize=False))

    def _decode(self, input_ids: list[int]) -> str:
        return str(
            self._tokenizer.decode(
                input_ids, skip_special_tokens=False, clean_up_tokenization_spaces=False
            )
        )


def _between_cuts(stretches: Sequence[Stretch]) -> Iterator[list[Stretch]]:
    group: list[Stretch] = []
    for stretch in stretches:
        if stretch.cut and group:
            yield group
            group = []
        group.append(stretch)
    yield group
