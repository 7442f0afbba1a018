"""Checks of the process: a kernel leaves settings that others go by as they are."""

from __future__ import annotations

import gc
import os
import random
import sys
from typing import Any

import numpy as np
from threadpoolctl import threadpool_info

from deltacheck.verify.judging.calls import ContractError
from deltacheck.verify.judging.trial import Check, Trial


def settings() -> dict[str, Any]:
    """What is set for the whole process, by name."""
    state = np.random.get_state(legacy=False)
    return {
        "NumPy's error handling (np.seterr)": np.geterr(),
        "NumPy's print options": np.get_printoptions(),
        "numpy.random's global generator": (str(state), state["state"]["key"].tobytes()),
        "random's global generator": random.getstate(),
        "the working directory": os.getcwd(),
        "the environment variables": dict(os.environ),
        "the recursion limit": sys.getrecursionlimit(),
        "the garbage collector": gc.isenabled(),
        "the standard output": (sys.stdout, sys.stderr),
        "how subnormal numbers are treated": bool((np.full(9, 1e-310) * 0.5 > 0).all()),
        "the number of threads of BLAS": [(pool.get("filepath"), pool["num_threads"]) for pool in threadpool_info()],
    }


def _settings(trial: Trial) -> None:
    """Settings are moved away from wherever an earlier call may have left them, and must stay there."""
    ours, theirs = np.random.get_state(), random.getstate()
    with np.errstate(all="warn"):
        np.random.rand()
        random.random()
        before = settings()
        trial.run(trial.made(), *trial.inputs)
        after = settings()
    np.random.set_state(ours)
    random.setstate(theirs)
    changed = [name for name, value in before.items() if after[name] != value]
    if changed:
        raise ContractError(f"changes {', '.join(changed)} for the whole process", "changes-settings")


PROCESS = (Check("settings", "", "np.seterr, or a seed, that outlives the call", _settings),)
