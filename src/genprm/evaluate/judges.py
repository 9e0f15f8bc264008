"""The verifier, and stored predictions, as judges of an evaluation run."""

from genprm.evaluate.predictions import Predictions
from genprm.evaluate.run import WholeVerdict
from genprm.problem import Solution
from genprm.records.run_spec import JudgeSpec
from genprm.verdict import SolutionVerdict
from genprm.verify.judge import StepJudge


class VerifierJudge:
    """GenPRM, the direct generative PRM, or any other judge of steps."""

    def __init__(self, judge: StepJudge) -> None:
        self._judge = judge

    @property
    def spec(self) -> JudgeSpec:
        """The judge's own."""
        return self._judge.spec

    async def judge(self, row: int, solution: Solution) -> SolutionVerdict:
        """Every step, with its votes."""
        return await self._judge.verify(solution, row=row)


class PredictionsJudge:
    """Says what a file of predictions says, so that it can stand in a report beside other runs."""

    def __init__(self, name: str, predictions: Predictions) -> None:
        self._name = name
        self._predictions = predictions

    @property
    def spec(self) -> JudgeSpec:
        """Where the predictions come from."""
        return JudgeSpec(judge="predictions", settings={"file": self._name})

    async def judge(self, row: int, solution: Solution) -> WholeVerdict:
        """The stored first error; abstained where there is none."""
        predicted = self._predictions.first_errors.get(solution.id)
        return WholeVerdict(predicted, (predicted,))
