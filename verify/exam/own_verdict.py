"""What ``check_gradient`` says of one gradient of the exam, and what it took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from deltacheck.verify.check_gradient import check_gradient
from deltacheck.verify.exam.scores import Row


def own_verdict(cost: Callable[[Any], Any], gradient: Callable[[Any], Any], theta: Any) -> Row:
    """``verdict`` (``raised`` where it raises an exception), ``message``, ``diagnosis``, ``evaluations`` of the cost, ``seconds``."""
    calls = 0

    def counted(t: Any) -> Any:
        nonlocal calls
        calls += 1
        return cost(t)

    started = time.perf_counter()
    verdict, diagnosis = "raised", ""
    with np.errstate(all="ignore"):
        try:
            report = check_gradient(counted, gradient, theta)
        except Exception as error:  # noted, so that the others are judged too
            message = f"{type(error).__name__}: {error}"
        else:
            verdict, message = str(report.verdict), report.message
            diagnosis = " ".join(named.name for named in report.diagnoses)
    return {"verdict": verdict, "message": message, "diagnosis": diagnosis, "evaluations": calls, "seconds": time.perf_counter() - started}
