"""What the peak counts is what the processor does."""

from __future__ import annotations

import re

import numpy as np
import pytest

from deltacheck.bench.machine.peak_flops import ARM, IN_FLIGHT, multiply_adds, vector_bits
from deltacheck.kernels.jit.cpu_target import FEATURES, JIT_DISABLED


@pytest.mark.skipif(JIT_DISABLED or not (ARM or "fma" in FEATURES), reason="no fused multiply-add, or no compiler")
@pytest.mark.parametrize("n", IN_FLIGHT)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_turn_has_its_multiply_adds_and_no_copies(dtype: str, n: int) -> None:
    loop = multiply_adds(dtype, vector_bits() // (8 * np.dtype(dtype).itemsize), n)
    (code,) = loop.inspect_asm().values()
    fused = re.compile(r"\s+(fmla|vfn?madd)")
    blocks = [block.splitlines() for block in re.split(r"^\.?L\w+:", code, flags=re.MULTILINE)]
    turn = max(blocks, key=lambda lines: sum(bool(fused.match(line)) for line in lines))
    sums = [re.findall(r"\bv\d+\.|%[xyz]mm\d+", line)[0 if ARM else -1] for line in turn if fused.match(line)]
    assert len(set(sums)) == n
    assert len(sums) % n == 0  # several turns at once, perhaps
    assert not [line for line in turn if re.match(r"\s+(mov|vmov\w+)\s+[vxyz]", line)]


@pytest.mark.skipif(JIT_DISABLED, reason="no compiler")
def test_a_loop_ends_with_finite_sums() -> None:
    assert np.isfinite(multiply_adds("float32", 4, IN_FLIGHT[0])(100_000))
