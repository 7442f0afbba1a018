"""All planted bugs."""

from __future__ import annotations

from verify.exam.conduct import CONDUCT
from verify.exam.formula import FORMULA
from verify.exam.index import INDEX
from verify.exam.passes import PASSES
from verify.exam.precision import PRECISION
from verify.exam.rare import RARE
from verify.exam.scale import SCALE
from verify.mutants import CLASSIC, Mutant

MUTANTS: tuple[Mutant, ...] = (*CLASSIC, *FORMULA, *INDEX, *SCALE, *PRECISION, *CONDUCT, *PASSES, *RARE)
