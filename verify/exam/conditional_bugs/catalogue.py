"""Bugs as people make them, each wrong under a condition of its own only, in two halves.

One half is to tune the verifier by; the other is to be seen by it once, when it is done.
"""

from __future__ import annotations

from deltacheck.verify.exam.bugs.mutant import Mutant
from deltacheck.verify.exam.conditional_bugs.activations import ACTIVATION_MIXES
from deltacheck.verify.exam.conditional_bugs.cost import COST
from deltacheck.verify.exam.conditional_bugs.layouts import LAYOUTS
from deltacheck.verify.exam.conditional_bugs.precision import PRECISION_IN_PART
from deltacheck.verify.exam.conditional_bugs.refusals import REFUSALS
from deltacheck.verify.exam.conditional_bugs.sizes import SIZES
from deltacheck.verify.exam.conditional_bugs.state import STATE
from deltacheck.verify.exam.conditional_bugs.values import VALUES

CONDITIONAL: tuple[Mutant, ...] = (*SIZES, *ACTIVATION_MIXES, *VALUES, *LAYOUTS, *STATE, *REFUSALS, *COST, *PRECISION_IN_PART)
TUNING: tuple[Mutant, ...] = CONDITIONAL[::2]
UNSEEN: tuple[Mutant, ...] = CONDITIONAL[1::2]
