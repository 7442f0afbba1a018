"""What is asked of a kernel beside right numbers: a table of independent checks, each there for a wrong kernel of its own."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import suppress
from math import inf

import numpy as np

from deltacheck.kernels import Network
from deltacheck.kernels.protocol import KernelClass
from deltacheck.verify.judging.calls import RESULTS, Array, ContractError, call, checked_array, made, passes, quiet
from deltacheck.verify.judging.identity_checks import IDENTITY
from deltacheck.verify.judging.instance_checks import INSTANCES_AND_THREADS
from deltacheck.verify.judging.memory_checks import MEMORY
from deltacheck.verify.judging.process_checks import PROCESS
from deltacheck.verify.judging.result_checks import RESULTS_AND_ORDER
from deltacheck.verify.judging.state_checks import STATE
from deltacheck.verify.judging.trial import Check, Trial, Unsupported, fresh
from deltacheck.verify.verdict.array_verdict import Diagnosis

__all__ = [
    "CHECKS",
    "RESULTS",
    "ContractError",
    "TooSlow",
    "all_violations",
    "call",
    "checked_array",
    "findings",
    "made",
    "passes",
    "strided",
    "violations",
]

PASSES = 1000  # calls of everything that all checks make, or a little more
CHECKS: tuple[Check, ...] = tuple(
    sorted((*STATE, *IDENTITY, *RESULTS_AND_ORDER, *INSTANCES_AND_THREADS, *MEMORY, *PROCESS), key=lambda check: not check.first)
)


def violations(kernel_class: KernelClass, network: Network, theta: Array, x: Array, y: Array) -> list[Diagnosis]:
    """Whatever of the contract the kernel breaks at this point, by the quick checks; empty for a good kernel.

    It calls everything some fifteen times, on one instance whose past grows, and on new ones. ``theta`` (P,), ``x`` (B, n_0) and
    ``y`` (B, n_l) must be what the kernel takes: ``NotImplementedError`` for them is a violation.
    """
    return _told(findings(Trial(kernel_class, network, theta, x, y, shared=True), (check for check in CHECKS if check.quick)))


class TooSlow(Exception):  # noqa: N818 - nothing is wrong
    """The kernel would take longer for all checks than it is worth; the message says how long."""


def all_violations(
    kernel_class: KernelClass,
    network: Network,
    theta: Array,
    x: Array,
    y: Array,
    *,
    contiguous: bool = False,
    at_most_s: float = inf,
) -> list[Diagnosis]:
    """Whatever of the contract the kernel breaks at this point, by all checks; empty for a good kernel.

    It calls everything some 1,000 times, so the network should be small: ``theta`` (P,), ``x`` (B, n_0), ``y`` (B, n_l), B from 2 to
    some 70, and no gradient that vanishes. ``contiguous``: leave out the checks with arrays that are not contiguous.
    Raises ``NotImplementedError`` where the kernel does not support the network, dtype or batch, and ``TooSlow`` where it would take
    longer than ``at_most_s`` seconds.
    """
    with suppress(ContractError):  # the first check will say so
        passes(made(kernel_class, network), network, fresh(theta), fresh(x), fresh(y))
    expected_s = PASSES * _seconds(kernel_class, network, theta, x, y)
    if expected_s > at_most_s:
        raise TooSlow(f"the checks would take {expected_s:.2g} s, more than {at_most_s:g} s")
    trial = Trial(kernel_class, network, theta, x, y)
    return _told(findings(trial, (check for check in CHECKS if not (contiguous and check.strided))))


def _seconds(kernel_class: KernelClass, network: Network, theta: Array, x: Array, y: Array) -> float:
    """How long one call of everything takes, once whatever has to be compiled is compiled; 0 where it raises."""
    started = time.perf_counter()
    with suppress(ContractError, NotImplementedError):
        passes(made(kernel_class, network), network, fresh(theta), fresh(x), fresh(y))
        return time.perf_counter() - started
    return 0.0


def findings(trial: Trial, checks: Iterable[Check]) -> list[tuple[Check, Diagnosis]]:
    """Each check that the kernel fails, and how. After one that makes the others pointless there are no more."""
    found = []
    with quiet():
        for check in checks:
            before = f"{check.what}: " if check.what else ""
            try:
                check.run(trial)
                continue
            except Unsupported:
                continue
            except ContractError as error:
                found.append((check, Diagnosis(error.name, f"{before}{error}")))
            except NotImplementedError as error:
                text = f"{before}refused ({error}), though a new instance takes the like: {check.name}"
                found.append((check, Diagnosis(f"refuses-{check.name}", text)))
            if check.first:
                break
    return found


def _told(found: Iterable[tuple[Check, Diagnosis]]) -> list[Diagnosis]:
    """One diagnosis of each name, the first, with the names of the other checks that found the same."""
    by_name: dict[str, tuple[Diagnosis, list[str]]] = {}
    for check, diagnosis in found:
        _, others = by_name.setdefault(diagnosis.name, (diagnosis, []))
        others.append(check.name)
    told = []
    for diagnosis, (_, *others) in by_name.values():
        told.append(Diagnosis(diagnosis.name, f"{diagnosis.text} (also: {', '.join(others)})") if others else diagnosis)
    return told


def strided(theta: Array, x: Array, y: Array) -> tuple[Array, Array, Array]:
    """The same numbers laid out otherwise: theta with gaps, x in Fortran order, y as every other column of a wider array."""
    wide_theta, wide_y = np.zeros(2 * len(theta), theta.dtype), np.zeros((len(y), 2 * y.shape[1]), y.dtype)
    wide_theta[::2], wide_y[:, ::2] = theta, y
    return wide_theta[::2], np.asfortranarray(x), wide_y[:, ::2]
