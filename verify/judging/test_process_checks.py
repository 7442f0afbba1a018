"""Settings of the process that a kernel changes are found."""

from __future__ import annotations

import numpy as np
import pytest

from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.judging.process_checks import PROCESS
from deltacheck.verify.judging.test_all_violations import found_alone_by, found_by


def doing(something):
    class Doing(Plain):
        def forward(self, theta, x):
            something()
            return super().forward(theta, x)

    return Doing


@pytest.mark.parametrize(
    "planted",
    [doing(lambda: np.seterr(over="ignore")), doing(lambda: np.random.seed(0))],
)
def test_a_planted_kernel_is_found_by_its_check_alone(planted):
    found_alone_by("settings", planted, "changes-settings")
    found_by("settings", planted, "float32")


def test_every_check_has_its_planted_kernel():
    assert {check.name for check in PROCESS} == {"settings"}
