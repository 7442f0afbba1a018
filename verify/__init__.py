"""Is a backward pass right? Every gradient entry against references that carry their own error."""

from deltacheck.verify.check_gradient import check_gradient
from deltacheck.verify.judging.judge_kernel import judge
from deltacheck.verify.references.network_reference import Reference, reference
from deltacheck.verify.verdict.report import GradientError, Report

__all__ = ["GradientError", "Reference", "Report", "check_gradient", "judge", "reference"]
