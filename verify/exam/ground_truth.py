"""Is a planted bug a bug at all, here? Found without the verifier: beside ``Plain``, whose equations can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from deltacheck.kernels import KernelLike, Network, value_and_grad_of
from deltacheck.verify.exam.bugs.mutant import Array, Plain

Point = tuple[Array, Array, Array]

# A bug shows when it moves a result by more than this share of the largest number of its tensor: far above what another
# order of the same operations does (some 1e-14, and 1e-5 in float32), far below every bug of the catalogue.
SHARE = {"float64": 1e-11, "float32": 2e-4}


def shows(kernel_class: Callable[[Network], KernelLike], network: Network, point: Point) -> bool:
    """Whether the kernel gives something else than a right one at ``point`` (theta, x, y), or breaks the rules of conduct.

    Results count, by every way to them; then whether inputs stay as they are, whether results stay as they are, and whether
    they depend on anything but the arguments. What raises shows.
    """
    with np.errstate(all="ignore"):
        right = _results(Plain(network), network, *_copies(point))
        try:
            return _differs(kernel_class, network, point, right) or _misbehaves(kernel_class, network, point)
        except Exception:
            return True


def _results(kernel: KernelLike, network: Network, theta: Array, x: Array, y: Array) -> tuple[Array, ...]:
    """Output, gradient by ``backward``, cost and gradient by ``value_and_grad``."""
    a = kernel.forward(theta, x)
    output = a[-1].copy()
    dtheta = kernel.backward(theta, a, y)
    cost, dtheta_too = value_and_grad_of(kernel, network)(theta, x, y)
    return output, dtheta.copy(), np.array([cost], float), dtheta_too.copy()


def _copies(point: Point) -> Point:
    theta, x, y = (array.copy() for array in point)
    return theta, x, y


def _differs(kernel_class: Callable[[Network], KernelLike], network: Network, point: Point, right: tuple[Array, ...]) -> bool:
    share = SHARE[str(point[0].dtype)]
    layouts = [_copies(point), (np.repeat(point[0], 2)[::2], np.asfortranarray(point[1]), np.repeat(point[2], 2, axis=1)[:, ::2])]
    layouts[1][0].base[1::2], layouts[1][2].base[:, 1::2] = 0, 0  # type: ignore[index]
    for layout in layouts:
        output, dtheta, cost, dtheta_too = _results(kernel_class(network), network, *layout)
        pairs = [(output, right[0]), (cost, right[2])]
        for gradient, right_gradient in ((dtheta, right[1]), (dtheta_too, right[3])):
            pairs += zip(_tensors(network, gradient), _tensors(network, right_gradient), strict=True)
        if not all((abs(got - expected) <= share * abs(expected).max()).all() for got, expected in pairs if np.isfinite(expected).all()):
            return True
    return False


def _tensors(network: Network, theta: Array) -> list[Array]:
    w, b = network.unpack(theta)
    return [*w, *b]


def _misbehaves(kernel_class: Callable[[Network], KernelLike], network: Network, point: Point) -> bool:
    kernel, (theta, x, y) = kernel_class(network), _copies(point)
    before = _bits(theta, x, y)
    a = kernel.forward(theta, x)
    before_backward = _bits(*a)
    dtheta = kernel.backward(theta, a, y)
    if _bits(*a) != before_backward:
        return True
    held = (*a, dtheta, value_and_grad_of(kernel, network)(theta, x, y)[1])
    as_held, first = _bits(*held), _bits(*_results(kernel, network, theta, x, y))
    if _bits(theta, x, y) != before:
        return True
    for array in (theta, x, y):
        array.flags.writeable = False
    half, moved_x = theta * theta.dtype.type(0.5), x[:, ::-1] + x.dtype.type(0.25)
    for other in ((half, moved_x, y), (half, np.vstack([x, moved_x]), np.vstack([y, y]))):
        if _bits(*_results(kernel, network, *other)) != _bits(*_results(kernel_class(network), network, *other)):
            return True
    if _bits(*held) != as_held or any(_bits(*_results(kernel, network, theta, x, y)) != first for _ in range(4)):
        return True
    theta.flags.writeable = True
    theta *= theta.dtype.type(0.5)  # as descent does: the same object, other numbers
    moved = _bits(*_results(kernel, network, theta, x, y))
    return moved != _bits(*_results(kernel_class(network), network, theta, x, y))


def _bits(*arrays: Any) -> list[bytes]:
    return [np.asarray(array).tobytes() for array in arrays]
