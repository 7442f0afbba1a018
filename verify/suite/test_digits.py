"""The digits in the file are scikit-learn's."""

import numpy as np
import pytest

from deltacheck.kernels.digits import digits as all_digits
from deltacheck.verify.suite.digits import digits


def test_they_are_the_first_of_scikit_learns():
    pytest.importorskip("sklearn", reason="scikit-learn is not installed")
    x, y = digits()
    assert x.shape == (30, 64)
    np.testing.assert_array_equal(x, all_digits()[0][:30])
    np.testing.assert_array_equal(y, all_digits()[1][:30])
