"""All checks of the contract at once: right kernels pass them, refusals and contiguous-only kernels are named as what they are."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest

from deltacheck.kernels import Network
from deltacheck.verify.exam.bugs.mutant import Plain
from deltacheck.verify.exam.bugs.side_effects import CONDUCT
from deltacheck.verify.exam.correct_kernels import CORRECT
from deltacheck.verify.judging.contract_checks import CHECKS, TooSlow, all_violations, findings
from deltacheck.verify.judging.instance_checks import _frees
from deltacheck.verify.judging.trial import Trial

TANH = Network((4, 5, 3), "tanh")
NETWORKS = (TANH, Network((3, 6, 4, 2), ("tanh", "relu", "identity")), Network((5, 4, 3), "sigmoid", "cross_entropy"))
DTYPES = ("float64", "float32")
CONDUCT_BY_NAME = {mutant.name: mutant.kernel for mutant in CONDUCT}


def point(network, dtype="float64", rows=7):
    rng = np.random.default_rng(1)
    outputs = network.layer_sizes[-1]
    y = np.eye(outputs)[rng.integers(outputs, size=rows)] if network.cost == "cross_entropy" else rng.random((rows, outputs))
    x = rng.standard_normal((rows, network.layer_sizes[0]))
    return tuple(array.astype(dtype) for array in (network.initial(rng), x, y))


def found_by(check, planted, dtype):
    """The diagnosis of a planted kernel, a class or what makes one, by one check; which must find it."""
    made = planted if isinstance(planted, type) else planted()
    ((_, diagnosis),) = findings(Trial(made, TANH, *point(TANH, dtype)), [one for one in CHECKS if one.name == check])
    return diagnosis


def found_alone_by(check, planted, name, too=()):
    """The planted kernel is found by this check, so named, and by none but those of ``too``."""
    made = planted if isinstance(planted, type) else planted()
    found = {one.name: diagnosis for one, diagnosis in findings(Trial(made, TANH, *point(TANH)), CHECKS)}
    assert set(found) - set(too) == {check}, found
    assert found[check].name == name


def test_checks_have_names_of_their_own_and_reasons():
    names = [check.name for check in CHECKS]
    assert len(set(names)) == len(names)
    assert all(check.reason for check in CHECKS)


class FlatX(Plain):
    """Reads x as it lies in memory."""

    def forward(self, theta, x):
        return super().forward(theta, x if x.flags.c_contiguous else np.zeros(x.shape, x.dtype))


@pytest.mark.parametrize("name", CORRECT)
def test_a_right_kernel_passes_all_checks(name):
    """Each kernel at one of the networks and dtypes, which take turns."""
    n = list(CORRECT).index(name)
    network, dtype = NETWORKS[n % len(NETWORKS)], DTYPES[n % len(DTYPES)]
    try:
        assert all_violations(CORRECT[name], network, *point(network, dtype)) == []
    except NotImplementedError:
        assert name == "my_kernel"  # which knows no cross entropy


def names_of(kernel, **how):
    return [diagnosis.name for diagnosis in all_violations(kernel, TANH, *point(TANH), **how)]


def refusing(when, method="forward", error=NotImplementedError):
    """A kernel that refuses when ``when(self, theta, array)`` says so, the array being x or y."""

    class Refusing(Plain):
        calls = 0

        def forward(self, theta, x):
            self.calls += 1
            if method == "forward" and when(self, theta, x):
                raise error("not so")
            return super().forward(theta, x)

        def backward(self, theta, a, y):
            if method == "backward" and when(self, theta, y):
                raise error("not so")
            return super().backward(theta, a, y)

    return Refusing


REFUSALS = {
    "refuses-second-call": refusing(lambda self, theta, x: self.calls > 2),
    "refuses-every-call": refusing(lambda self, theta, x: self.calls > 100),
    "refuses-many-calls": refusing(lambda self, theta, x: self.calls > 300),
    "refuses-read-only": refusing(lambda self, theta, x: not theta.flags.writeable),
    "refuses-read-only-activations": type(
        "Refusing",
        (Plain,),
        {"backward": lambda self, theta, a, y: refuse() if not a[1].flags.writeable else Plain.backward(self, theta, a, y)},
    ),
    "refuses-layout": refusing(lambda self, theta, y: not y.flags.c_contiguous, "backward"),
    "refuses-off-alignment": refusing(lambda self, theta, x: x.flags.c_contiguous and x.ctypes.data % 64),
    "refuses-other-threads": refusing(lambda self, theta, x: threading.current_thread() is not threading.main_thread()),
    "refuses-x-last-row": refusing(lambda self, theta, x: len(x) == 7 and x[-1, 0] * point(TANH)[1][-1, 0] < 0),
    "refuses-batches": refusing(lambda self, theta, x: len(x) == 40 and self.calls > 2),
}


def refuse():
    raise NotImplementedError("not so")


@pytest.mark.parametrize("name", REFUSALS)
def test_a_refusal_is_named_by_what_is_refused(name):
    assert name in names_of(REFUSALS[name])
    assert all(found.startswith("refuses-") for found in names_of(REFUSALS[name]))


def test_what_a_kernel_need_not_support_is_no_violation():
    assert names_of(refusing(lambda self, theta, x: len(x) > 9)) == []
    assert names_of(refusing(lambda self, theta, x: len(x) != 7)) == []
    assert names_of(refusing(lambda self, theta, x: theta.dtype == np.float32)) == []
    assert names_of(refusing(lambda self, theta, x: theta.dtype == np.float32, error=TypeError)) == []
    assert names_of(refusing(lambda self, theta, x: self.network != TANH)) == []
    assert names_of(refusing(lambda self, theta, x: self.network != TANH, error=KeyError)) == []
    with pytest.raises(NotImplementedError, match="not so"):
        names_of(refusing(lambda self, theta, x: True))


def test_a_refusal_in_part_is_a_violation():
    with pytest.raises(NotImplementedError):  # value_and_grad calls it, and refuses as well
        names_of(refusing(lambda self, theta, y: True, "backward"))
    assert names_of(type("InPart", (Plain,), {"value_and_grad": lambda self, theta, x, y: refuse()})) == ["refuses-in-part"]


def test_a_kernel_that_would_take_too_long_is_left_out():
    class Slow(Plain):
        def forward(self, theta, x):
            time.sleep(0.01)
            return super().forward(theta, x)

    with pytest.raises(TooSlow, match="the checks would take"):
        names_of(Slow, at_most_s=1.0)


def test_a_batch_that_fails_otherwise_is_one():
    (found,) = all_violations(refusing(lambda self, theta, x: len(x) == 600, error=IndexError), TANH, *point(TANH))
    assert found.name == "interface"
    assert found.text.startswith("600 rows: forward raised IndexError: not so (test_all_violations.py, line ")


@pytest.mark.parametrize(
    "kernel",
    [refusing(lambda self, theta, x: not (x.flags.c_contiguous and theta.flags.c_contiguous), error=ValueError), FlatX],
)
def test_a_kernel_that_needs_contiguous_arrays_is_told_so_unless_that_is_known(kernel):
    (found,) = all_violations(kernel, TANH, *point(TANH))
    assert found.name == "contiguous-only"
    assert found.text.startswith("needs contiguous arrays: ")
    assert names_of(kernel, contiguous=True) == []


def test_the_first_of_a_name_is_told_with_the_checks_that_found_it_too():
    (found,) = all_violations(CONDUCT_BY_NAME["cached-by-identity"], TANH, *point(TANH))
    assert found.name == "carries-state"
    assert found.text.startswith("theta changed in place: ")


def test_one_that_frees_something_by_itself_is_not_copied_unless_it_says_how():
    made, freed = [], []

    class Handle:
        def __init__(self):
            made.append(self.__dict__)

        def __del__(self):
            freed.append(self.__dict__)

    class Holding(Plain):
        def __init__(self, network):
            super().__init__(network)
            self.kept = {"handles": [Handle()]}

    assert names_of(Holding) == []
    assert len(made) == len(freed)
    assert _frees(Holding(TANH))
    assert not _frees(type("Saying", (Holding,), {"__deepcopy__": lambda self, memo: Holding(self.network)})(TANH))
    assert not _frees(Plain(TANH))


def test_inputs_are_right_again_after_a_kernel_wrote_into_them():
    theta, x, y = point(TANH)
    before = [array.copy() for array in (theta, x, y)]
    assert names_of(CONDUCT_BY_NAME["error-in-y"]) == ["writes-input"]
    all_violations(CONDUCT_BY_NAME["steps-theta"], TANH, theta, x, y)
    assert all(np.array_equal(now, then) for now, then in zip((theta, x, y), before, strict=True))


def test_a_write_in_one_situation_only_is_found():
    class CentresLarge(Plain):
        def forward(self, theta, x):
            a = super().forward(theta, x)
            if len(x) >= 256:
                x -= x.mean(axis=0)
            return a

    assert names_of(CentresLarge) == ["writes-input"]
