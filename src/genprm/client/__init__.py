"""A client of `genprm serve`, blocking and asynchronous: the same calls, the same typed replies.

    with Client("http://gpu-box:8321", api_key="…") as client:
        row, = client.verify([Solution("1 + 1?", ("1 + 1 = 3.",))], votes=8)
        row.first_error                                        # 0

If the queue is full (429) or the service is not ready (503, or no connection), the request is sent
again after the time that the service states. A solution that could not be judged has `failed` set
in its row; the others have their verdicts.
"""

from genprm.client.awaited import AsyncClient, StepEvent
from genprm.client.blocking import Client

__all__ = ["AsyncClient", "Client", "StepEvent"]
