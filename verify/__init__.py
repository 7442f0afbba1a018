"""Is a backward pass right? Every gradient entry against references that carry their own error."""

from verify.check_gradient import check_gradient
from verify.judge import judge
from verify.reference import Reference, reference
from verify.report import GradientError, Report

__all__ = ["GradientError", "Reference", "Report", "check_gradient", "judge", "reference"]
