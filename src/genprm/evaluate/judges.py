"""The verifier, and stored predictions, as judges of an evaluation run."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from genprm.evaluate.predictions import Predictions
from genprm.evaluate.run import Row, whole_solution_row
from genprm.problem import Solution
from genprm.verify.rows import to_row
from genprm.verify.verifier import Verifier


class VerifierJudge:
    """GenPRM, or the direct generative PRM: any `Verifier`."""

    def __init__(self, verifier: Verifier) -> None:
        self._verifier = verifier

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Model and settings."""
        return {
            "judge": "genprm",
            "model": self._verifier.model.name,
            "settings": asdict(self._verifier.settings),
        }

    async def judge(self, row: int, solution: Solution) -> Row:
        """Every step, with its votes."""
        return to_row(row, solution, await self._verifier.verify(solution, row=row))


class PredictionsJudge:
    """Says what a file of predictions says, so that it can stand in a report beside other runs."""

    def __init__(self, name: str, predictions: Predictions) -> None:
        self._name = name
        self._predictions = predictions

    @property
    def configuration(self) -> Mapping[str, Any]:
        """Where the predictions come from."""
        return {"judge": "predictions", "model": self._name}

    async def judge(self, row: int, solution: Solution) -> Row:
        """The stored first error; abstained where there is none."""
        predicted = self._predictions.first_errors.get(solution.id)
        return whole_solution_row(row, solution, predicted, [predicted])
