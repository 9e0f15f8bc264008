"""Chats that train a verifier: messages, and which author writes which part of them."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Literal

from genprm.records.keyed import KeyedRow
from genprm.records.record import Record, Text


class Author(StrEnum):
    """Who writes a stretch of a message when the trained model judges."""

    USER = "user"  # and system: the prompt
    DRIVER = "driver"  # constant parts of the wire format
    MODEL = "model"  # what the model writes
    SANDBOX = "sandbox"  # executed output


class PieceRow(Record):
    """A stretch of a message: its author, and its length in characters."""

    author: Author  # who writes it
    characters: int  # its length


class MessageRow(Record):
    """One turn of a chat, as TRL and other trainers read it."""

    role: Literal["system", "user", "assistant"]  # who speaks
    content: Text  # the text


class Chat(Record):
    """A chat. `pieces` [messages] are stretches whose characters sum to the message's content."""

    messages: tuple[MessageRow, ...]  # the turns
    pieces: tuple[tuple[PieceRow, ...], ...]  # for each message, its parts by author

    def stretches(self, index: int) -> Iterator[tuple[Author, str]]:
        """(author, text) of the stretches of message `index`.

        Raises:
            ValueError: they are not as long as the message.
        """
        content, start = self.messages[index].content, 0
        for piece in self.pieces[index]:
            yield piece.author, content[start : start + piece.characters]
            start += piece.characters
        if start != len(content):
            raise ValueError("field pieces: characters do not sum to the message's length")


class ChatRow(Chat, KeyedRow):
    """A row of the stage `chats`: the chat of a kept solution in one mode.

    `labels` are the judgements of its turns; True for a correct step.
    """

    solution: Text  # key of the path
    problem: Text  # text of the problem
    mode: str  # mode in which the chat judges
    labels: tuple[bool, ...]  # judgement of each turn; True for a correct step
