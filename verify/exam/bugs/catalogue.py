"""All planted bugs."""

from __future__ import annotations

from deltacheck.verify.exam.bugs.classic import CLASSIC
from deltacheck.verify.exam.bugs.formula import FORMULA
from deltacheck.verify.exam.bugs.index import INDEX
from deltacheck.verify.exam.bugs.mutant import Mutant
from deltacheck.verify.exam.bugs.passes import PASSES
from deltacheck.verify.exam.bugs.precision import PRECISION
from deltacheck.verify.exam.bugs.rare_inputs import RARE
from deltacheck.verify.exam.bugs.scale import SCALE
from deltacheck.verify.exam.bugs.side_effects import CONDUCT

MUTANTS: tuple[Mutant, ...] = (*CLASSIC, *FORMULA, *INDEX, *SCALE, *PRECISION, *CONDUCT, *PASSES, *RARE)
