"""The verifier, and stored predictions, as judges of an evaluation run."""

from genprm.evaluate.predictions import Predictions
from genprm.evaluate.run import WholeVerdict
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import SolutionVerdict
from genprm.verify.judge import StepJudge


class VerifierJudge:
    """GenPRM, the direct generative PRM, or any other step judge."""

    def __init__(self, judge: StepJudge) -> None:
        self._judge = judge

    @property
    def spec(self) -> JudgeSpec:
        """The spec of the step judge."""
        return self._judge.spec

    async def judge(self, row: int, solution: Solution) -> SolutionVerdict:
        """Judge every step, with its votes."""
        return await self._judge.verify(solution, row=row)


class PredictionsJudge:
    """Returns the predictions of a file, so that a report can compare them with other runs."""

    def __init__(self, name: str, predictions: Predictions) -> None:
        self._name = name
        self._predictions = predictions

    @property
    def spec(self) -> JudgeSpec:
        """The source of the predictions."""
        return JudgeSpec(judge="predictions", settings={"file": self._name})

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        """The stored first error; an abstention if there is none."""
        predicted = self._predictions.first_errors.get(solution.id)
        return WholeVerdict(predicted, (predicted,))
