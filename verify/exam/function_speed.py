"""How long ``check_gradient`` takes beside PyTorch's gradcheck (slow mode) and SciPy's check_grad, on the same functions."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.check_gradient import check_gradient

Array = NDArray[Any]
Triple = tuple[Callable[[Any], Any], Callable[[Any], Any], Array]

CHECKERS = ("deltacheck", "torch gradcheck", "scipy check_grad")


def _cubes() -> Triple:
    """90,000 entries, a cost of some tens of microseconds."""
    weights = np.linspace(0.5, 1.5, 90_000).reshape(300, 300)
    return lambda t: (weights * t * t * t).sum(), lambda t: 3 * weights * t * t, _theta(300, 300)


def _slow(pause: float = 1e-3) -> Triple:
    """1,500 entries, a cost that takes a millisecond."""
    weights = np.linspace(0.5, 1.5, 1500)

    def cost(t: Any) -> Any:
        time.sleep(pause)
        return (weights * t * t * t).sum()

    return cost, lambda t: 3 * weights * t * t, _theta(1500)


def _slow_closed() -> Triple:
    """The same as a program from outside: it takes real numbers alone and returns a float."""
    cost, gradient, theta = _slow()
    return lambda t: float(cost(np.asarray(t, np.float64))), gradient, theta


def _network() -> Triple:
    """A relu layer of 40 × 30 weights: kinks, and comparisons that rule the complex step out."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((64, 40)), rng.standard_normal((64, 30))
    return (
        lambda t: 0.5 * ((np.maximum(x @ t, 0) - y) ** 2).sum(),
        lambda t: x.T @ ((np.maximum(x @ t, 0) - y) * (x @ t > 0)),
        0.1 * _theta(40, 30),
    )


FUNCTIONS: dict[str, Callable[[], Triple]] = {
    "300 x 300 entries": _cubes,
    "1500 entries at 1 ms": _slow,
    "1500 entries at 1 ms, real numbers alone": _slow_closed,
    "relu layer of 1200 weights": _network,
}


def speed_rows(names: tuple[str, ...]) -> list[dict[str, Any]]:
    """A row for each function and checker that is installed: entries judged, evaluations, seconds."""
    return [row for name in names for checker in CHECKERS if (row := _row(name, checker)) is not None]


def speed_closing(table: Any) -> list[str]:
    """The seconds side by side, and how many times those of gradcheck deltacheck takes for an entry."""
    each = table.assign(each=table["seconds"] / table["judged"]).pivot_table(index="function", columns="checker", values="each", sort=False)
    lines: list[str] = table.to_string(index=False, float_format="{:.3g}".format).splitlines()
    if "torch gradcheck" in each:
        ratios = each["deltacheck"] / each["torch gradcheck"]
        lines += [f"{name}: {ratio:.2f} of gradcheck's time for an entry" for name, ratio in ratios.items()]
    return lines


def _row(name: str, checker: str) -> dict[str, Any] | None:
    cost, gradient, theta = FUNCTIONS[name]()
    count = 0

    def counted(t: Any) -> Any:
        nonlocal count
        count += 1
        return cost(t)

    check = {"deltacheck": _own, "torch gradcheck": _gradcheck, "scipy check_grad": _check_grad}[checker]
    started = time.perf_counter()
    judged = check(counted, gradient, theta)
    if judged is None:
        return None
    seconds = time.perf_counter() - started
    return {
        "function": name,
        "checker": checker,
        "judged": judged,
        "evaluations_per_entry": count / judged,
        "seconds": seconds,
        "verdict": "pass",
    }


def _own(cost: Any, gradient: Any, theta: Array) -> int:
    report = check_gradient(cost, gradient, theta)
    report.raise_if_failed()
    return len(report.entries)


def _gradcheck(cost: Any, gradient: Any, theta: Array) -> int | None:
    try:
        import torch
    except ImportError:
        return None

    class Function(torch.autograd.Function):  # type: ignore[misc]
        @staticmethod
        def forward(context: Any, t: Any) -> Any:
            context.save_for_backward(t)
            return torch.tensor(float(cost(t.detach().numpy())), dtype=torch.float64)

        @staticmethod
        def backward(context: Any, cotangent: Any) -> Any:
            (t,) = context.saved_tensors
            return cotangent * torch.from_numpy(gradient(t.detach().numpy()))

    at = torch.from_numpy(theta.copy()).requires_grad_()
    assert torch.autograd.gradcheck(Function.apply, (at,), atol=1e-3)
    return theta.size


def _check_grad(cost: Any, gradient: Any, theta: Array) -> int:
    from scipy.optimize import check_grad

    shape = theta.shape
    check_grad(lambda t: float(cost(t.reshape(shape))), lambda t: gradient(t.reshape(shape)).ravel(), theta.ravel())
    return theta.size


def _theta(*shape: int) -> Array:
    return np.random.default_rng(1).standard_normal(shape)
