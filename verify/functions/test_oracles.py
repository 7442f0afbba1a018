"""References beside two independent programs, and SciPy's special functions over their domains."""

from __future__ import annotations

import numdifftools as nd
import numpy as np
import pytest
from scipy import differentiate, special

from deltacheck.verify import check_gradient

DERIVATIVES = {
    "gammaln": (special.gammaln, special.digamma, 10.0 ** np.linspace(-6, 6, 25)),
    "digamma": (special.digamma, lambda t: special.polygamma(1, t), 10.0 ** np.linspace(-3, 5, 17)),
    "erf": (special.erf, lambda t: 2 / np.sqrt(np.pi) * np.exp(-t * t), np.linspace(-6, 6, 25)),
    "erfc": (special.erfc, lambda t: -2 / np.sqrt(np.pi) * np.exp(-t * t), np.linspace(-5, 9, 15)),
    "erfcx": (special.erfcx, lambda t: 2 * t * special.erfcx(t) - 2 / np.sqrt(np.pi), np.linspace(-3, 4, 15)),
    "log_ndtr": (
        special.log_ndtr,
        lambda t: np.exp(-t * t / 2 - special.log_ndtr(t)) / np.sqrt(2 * np.pi),
        np.linspace(-30, 5, 15),
    ),
    "ndtr": (special.ndtr, lambda t: np.exp(-t * t / 2) / np.sqrt(2 * np.pi), np.linspace(-8, 8, 17)),
    "expit": (special.expit, lambda t: special.expit(t) * special.expit(-t), np.linspace(-30, 30, 21)),
    "log_expit": (special.log_expit, lambda t: special.expit(-t), np.linspace(-40, 20, 21)),
    "logit": (special.logit, lambda t: 1 / (t * (1 - t)), np.array([1e-8, 1e-3, 0.1, 0.5, 0.9, 0.999])),
    "j0": (special.j0, lambda t: -special.j1(t), np.array([1e-4, 0.1, 1.0, 5.0, 20.0, 100.0])),
    "i0e": (special.i0e, lambda t: special.i1e(t) - np.sign(t) * special.i0e(t), np.array([-30.0, -1.0, 0.1, 2.0, 50.0, 500.0])),
    "k0": (special.k0, lambda t: -special.k1(t), np.array([1e-5, 0.01, 0.5, 2.0, 20.0])),
    "entr": (special.entr, lambda t: -np.log(t) - 1, 10.0 ** np.linspace(-8, 2, 11)),
    "xlog1py": (lambda t: special.xlog1py(t, t), lambda t: np.log1p(t) + t / (1 + t), 10.0 ** np.linspace(-6, 3, 10)),
    "dawsn": (special.dawsn, lambda t: 1 - 2 * t * special.dawsn(t), np.linspace(-8, 8, 17)),
    "lambertw": (
        lambda t: special.lambertw(t).real,
        lambda t: special.lambertw(t).real / (t * (1 + special.lambertw(t).real)),
        10.0 ** np.linspace(-4, 4, 9),
    ),
    "ellipk": (
        special.ellipk,
        lambda m: (special.ellipe(m) - (1 - m) * special.ellipk(m)) / (2 * m * (1 - m)),
        np.array([0.05, 0.3, 0.7, 0.99]),
    ),
    "betaln": (lambda t: special.betaln(t, 2.5), lambda t: special.digamma(t) - special.digamma(t + 2.5), 10.0 ** np.linspace(-4, 4, 9)),
    "hyp1f1": (lambda t: special.hyp1f1(1.5, 2.5, t), lambda t: 0.6 * special.hyp1f1(2.5, 3.5, t), np.linspace(-10, 10, 9)),
}
OFF = 1e-5  # one entry of each wrong gradient, relative


@pytest.mark.parametrize("name", DERIVATIVES)
def test_special_functions_over_their_domains(name):
    f, derivative, theta = DERIVATIVES[name]
    for entry in range(len(theta)):
        one = theta[entry : entry + 1]
        report = check_gradient(lambda t: np.sum(f(t)), derivative, one)
        assert report.verdict == "pass", f"{one}: {report}"
    report = check_gradient(lambda t: np.sum(f(t)), derivative, theta)
    assert report.verdict != "fail", str(report)


@pytest.mark.parametrize("name", DERIVATIVES)
def test_a_small_error_is_found_at_an_ordinary_argument(name):
    f, derivative, theta = DERIVATIVES[name]
    one = theta[len(theta) // 2 : len(theta) // 2 + 1] + 0.01
    assert check_gradient(lambda t: np.sum(f(t)), lambda t: derivative(t) * (1 + OFF), one).verdict == "fail"


@pytest.mark.parametrize("name", DERIVATIVES)
def test_references_agree_with_scipy_differentiate(name):
    f, derivative, theta = DERIVATIVES[name]
    x = float(theta[len(theta) // 2]) + 0.01
    ours = check_gradient(lambda t: np.sum(f(t)), derivative, np.array([x])).entries.iloc[0]
    theirs = differentiate.derivative(f, x, initial_step=0.05 * abs(x), maxiter=12)
    assert abs(ours["reference"] - theirs.df) <= ours["reference_error"] + 10 * theirs.error + 1e-9 * abs(theirs.df)


def test_references_agree_with_numdifftools():
    theta = np.array([0.3, 1.7, -0.4])

    def cost(t):
        return float(np.sum(np.exp(t) * np.sin(3 * t)) + np.prod(t))

    theirs = nd.Gradient(cost)(theta)
    ours = check_gradient(cost, lambda t: theirs, theta).entries
    assert np.allclose(ours["reference"], theirs, rtol=1e-9)
