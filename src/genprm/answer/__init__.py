"""Final answers: finds them in a text (`extract_answer`) and compares them (`AnswerChecker`).

find the answer of a solution   extraction, boxes, clause, sides
read an answer exactly          spelling, number, number_words, times, units, reading, value
compare two answers             compare, simple, algebra
compare many, with time limits  checker, worker, child
"""

from genprm.answer.checker import AnswerChecker, Comparison
from genprm.answer.extraction import extract_answer
from genprm.answer.match import Match

__all__ = ["AnswerChecker", "Comparison", "Match", "extract_answer"]
