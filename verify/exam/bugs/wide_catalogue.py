"""The wide catalogue: bugs as people make them, each under a condition of its own, in two halves.

One half is to tune the verifier by; the other is to be seen by it once, when it is done.
"""

from __future__ import annotations

from deltacheck.verify.exam.bugs.mutant import Mutant
from deltacheck.verify.exam.bugs.wide_activations import ACTIVATION_MIXES
from deltacheck.verify.exam.bugs.wide_cost import COST
from deltacheck.verify.exam.bugs.wide_layouts import LAYOUTS
from deltacheck.verify.exam.bugs.wide_precision import PRECISION_IN_PART
from deltacheck.verify.exam.bugs.wide_refusals import REFUSALS
from deltacheck.verify.exam.bugs.wide_sizes import SIZES
from deltacheck.verify.exam.bugs.wide_state import STATE
from deltacheck.verify.exam.bugs.wide_values import VALUES

WIDE: tuple[Mutant, ...] = (*SIZES, *ACTIVATION_MIXES, *VALUES, *LAYOUTS, *STATE, *REFUSALS, *COST, *PRECISION_IN_PART)
TUNING: tuple[Mutant, ...] = WIDE[::2]
UNSEEN: tuple[Mutant, ...] = WIDE[1::2]
