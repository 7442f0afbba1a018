"""All planted bugs of functions."""

from __future__ import annotations

from deltacheck.verify.exam.planted_functions import behaviour, complex_traps, edges, entries, kinks, precision, scales

MODULES = (scales, edges, kinks, complex_traps, precision, entries, behaviour)
BUGS = tuple(bug for module in MODULES for bug in module.BUGS)
