"""How many threads the libraries use: held to a cell's number while its kernels run, and looked at afterwards."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numba
import threadpoolctl


@contextmanager
def threads_held(n: int) -> Iterator[None]:
    """``n`` threads for every BLAS and OpenMP pool that is loaded, for Numba's and for PyTorch's; then what they had before.

    Numba's pool has NUMBA_NUM_THREADS threads at most: of more, it gets those.
    """
    with ExitStack() as stack:
        stack.enter_context(threadpoolctl.threadpool_limits(n))
        stack.callback(numba.set_num_threads, numba.get_num_threads())
        numba.set_num_threads(min(n, most_of_numba()))
        torch = sys.modules.get("torch")  # an optional peer: no pool to hold where nobody has imported it
        if torch is not None:
            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(n)
        yield


def stray_pools(n: int) -> list[str]:
    """The pools that are not at ``n`` threads though they could be, a line for each: ``libgomp ran 2 threads, not 1``."""
    found = {pool["prefix"]: (pool["num_threads"], n) for pool in threadpoolctl.threadpool_info()}
    found["numba"] = numba.get_num_threads(), min(n, most_of_numba())
    if "torch" in sys.modules:
        found["torch"] = sys.modules["torch"].get_num_threads(), n
    return [f"{name} ran {ran} threads, not {wanted}" for name, (ran, wanted) in found.items() if ran != wanted]


def foreseen(counts: Sequence[int], n_cpus: int) -> list[str]:
    """What can be said beforehand of the numbers of threads that are asked for, on so many usable CPUs."""
    found = []
    for n in counts:
        if n > n_cpus:
            found.append(f"{n} threads were asked for, and {n_cpus} CPUs are usable: threads wait for each other")
        if n > most_of_numba():
            found.append(f"{n} threads were asked for, and NUMBA_NUM_THREADS allows Numba {most_of_numba()}")
    return found


def most_of_numba() -> int:
    """The size of Numba's pool."""
    return int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
