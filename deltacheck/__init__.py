"""Is a backward pass correct, and how fast is it?

``check_gradient`` checks the gradient of any function. ``Network``, ``Kernel`` and ``load`` are what kernels of the multi-layer
perceptron are written with. The suites run with ``pytest --pyargs deltacheck.verify`` and
``pytest --pyargs deltacheck.bench --benchmark-only``.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from deltacheck.kernels import Kernel, Network, load
    from deltacheck.verify import GradientError, Report, check_gradient

    __version__: str

__all__ = ["GradientError", "Kernel", "Network", "Report", "__version__", "check_gradient", "load"]

CHECKOUT = Path(__file__).resolve().parent.parent
if (CHECKOUT / "kernels" / "naive.py").exists() and (CHECKOUT / "pyproject.toml").exists():
    __path__.append(str(CHECKOUT))  # in the source checkout kernels/, verify/ and bench/ stand beside this folder

# Imported at first use: the pytest plugin imports this package in every project's pytest.
HOMES = {
    "check_gradient": "deltacheck.verify",
    "GradientError": "deltacheck.verify",
    "Report": "deltacheck.verify",
    "Kernel": "deltacheck.kernels",
    "Network": "deltacheck.kernels",
    "load": "deltacheck.kernels",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("deltacheck")
    if name not in HOMES:
        raise AttributeError(f"module 'deltacheck' has no attribute {name!r}")
    return getattr(importlib.import_module(HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
