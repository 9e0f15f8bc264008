"""Final answers: finds them in a text (`extract_answer`) and compares them (`AnswerChecker`).

extraction, boxes, clause, sides     what a solution states
spelling, number, number_words, units, reading, value     what that says, exactly
compare, algebra     whether two say the same
checker, worker, child     many comparisons, in processes that can be killed
"""

from genprm.answer.checker import AnswerChecker, Comparison
from genprm.answer.extraction import extract_answer
from genprm.answer.match import Match

__all__ = ["AnswerChecker", "Comparison", "Match", "extract_answer"]
