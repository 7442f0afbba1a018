"""A layer forwards, the output, a layer backwards: each as the share of it that one of several threads computes."""

from __future__ import annotations

from kernels.jit_options import thin
from kernels.jit_plan import (
    ACTIVATION,
    BACKWARD,
    BIASES,
    BOTH,
    DELTA,
    FORWARD,
    ONE,
    OTHER_DELTA,
    PANELS,
    ROOM,
    ROWS,
    START,
    STEP,
    THREADS,
    UNITS,
    WEIGHTS,
)
from kernels.jit_products import lanes, outer_product, product, products_with_rows, row_product
from kernels.jit_stages import SOFTMAX, activate, cross_entropy, difference, half_sum_of_squares, softmax, softmax_delta, times_dsigma
from kernels.jit_target import TILE_ROWS, TILE_VECTORS
from kernels.jit_views import row
from kernels.network import Array

# Columns from which threads share a product by its columns, each packing a part of the right matrix of its own; below, by its rows.
WIDE = 256


@thin
def share_of_part(
    part: int, what: int, t: int, first: int, rows: int, theta: Array, x: Array, y: Array, plan: Array, a: Array, work: Array, dtheta: Array
) -> float:
    """Thread ``t``'s share of a part: −1 copies the input, then come the layers, the output, the layers backwards. Returns its cost."""
    n_layers = len(plan) - 2
    work[ONE] = 1
    if part < 0:
        _copy_input(t, first, rows, x, plan, work)
    elif part < n_layers:
        _forward(part, t, first, rows, theta, x, plan, a, work)
    elif part == n_layers:
        return _output(what, t, first, rows, y, plan, a, work)
    else:
        _backward(2 * n_layers - part, t, first, rows, theta, x, plan, a, work, dtheta)
    return 0.0


@thin
def _share(n: int, unit: int, t: int, threads: int) -> tuple[int, int]:
    """Where the share of thread ``t`` of n begins and ends, in whole units."""
    if threads == 1:
        return 0, n
    units = -(-n // unit)
    return min(n, units * t // threads * unit), min(n, units * (t + 1) // threads * unit)


@thin
def _shares(rows: int, columns: int, vector: int, t: int, threads: int) -> tuple[int, int, int, int]:
    """Thread ``t``'s rows and columns of a matrix that is shared out."""
    if columns >= WIDE or rows == 1:
        begin, end = _share(columns, TILE_VECTORS * vector, t, threads)
        return 0, rows, begin, end
    begin, end = _share(rows, TILE_ROWS, t, threads)
    return begin, end, 0, columns


@thin
def _before(i: int, first: int, x: Array, plan: Array, a: Array, work: Array) -> tuple[Array, int, int]:
    """a_i, with the input as a_0, (1)."""
    if i > 0:
        return a, plan[i, START], plan[i, STEP]
    if plan[0, START] >= 0:
        return work, plan[0, START], plan[0, STEP]
    return x, first * plan[0, STEP], plan[0, STEP]  # (1)


@thin
def _delta(i: int, plan: Array) -> int:
    """Where δ_i starts: those of two layers take turns."""
    whole = plan[-1]
    return whole[OTHER_DELTA] if (len(plan) - 2 - i) % 2 else whole[DELTA]


@thin
def _panels(t: int, plan: Array) -> int:
    return plan[-1, PANELS] + t * plan[-1, ROOM]


@thin
def _copy_input(t: int, first: int, rows: int, x: Array, plan: Array, work: Array) -> None:
    n, step, start = plan[0, UNITS], plan[0, STEP], plan[0, START]
    begin, end = _share(rows, 1, t, plan[-1, THREADS])
    for r in range(begin, end):
        source, target = row(x, (first + r) * n, n), row(work, start + r * step, n)
        for j in range(n):
            target[j] = source[j]


@thin
def _forward(i: int, t: int, first: int, rows: int, theta: Array, x: Array, plan: Array, a: Array, work: Array) -> None:
    """a_{i+1}; where the output is a softmax, z_l in its place."""
    n_in, n_out, weights, biases = plan[i, UNITS], plan[i + 1, UNITS], plan[i + 1, WEIGHTS], plan[i + 1, BIASES]
    vector, single = lanes(a), plan[-1, ROWS] == 1
    before, start, step = _before(i, first, x, plan, a, work)
    top, bottom, left, right = _shares(rows, n_out, vector, t, plan[-1, THREADS])
    if top == bottom or left == right:
        return
    z, z_step = plan[i + 1, START] + top * plan[i + 1, STEP] + left, plan[i + 1, STEP]
    if single:
        row_product(
            row(before, start, n_in), theta, weights + left, n_out, row(theta, biases + left, right - left), row(a, z, right - left)
        )  # (2)
    else:
        product(
            bottom - top,
            right - left,
            n_in,
            (before, start + top * step, step),
            False,
            (theta, weights + left, n_out),
            False,
            (theta, biases + left, 0),
            False,
            (a, z, z_step),
            (work, _panels(t, plan)),
        )  # (2)
    if plan[i + 1, ACTIVATION] != SOFTMAX:
        width = -(-(right - left) // vector) * vector
        if width == z_step:
            activate(row(a, z, (bottom - top) * z_step), plan[i + 1, ACTIVATION])  # (3)
        else:
            for r in range(bottom - top):
                activate(row(a, z + r * z_step, width), plan[i + 1, ACTIVATION])  # (3)


@thin
def _output(what: int, t: int, first: int, rows: int, y: Array, plan: Array, a: Array, work: Array) -> float:
    """The softmax, where that is the output; for a backward pass δ_l, for a step the cost as well."""
    n, step = plan[-2, UNITS], plan[-2, STEP]
    delta = _delta(len(plan) - 2, plan)
    begin, end = _share(rows, 1, t, plan[-1, THREADS])
    cost = 0.0
    softmax_output = plan[-2, ACTIVATION] == SOFTMAX
    for r in range(begin, end):
        a_r, y_r, delta_r = row(a, plan[-2, START] + r * step, n), row(y, (first + r) * n, n), delta + r * step
        if softmax_output and what == FORWARD:
            softmax(a_r)
        elif softmax_output and what == BOTH:
            cost += cross_entropy(a_r, y_r)
        if softmax_output and what & BACKWARD:
            softmax_delta(a_r, y_r, row(work, delta_r, n))
        elif what & BACKWARD:
            difference(a_r, y_r, row(work, delta_r, step))  # (7)
    if not softmax_output and what & BACKWARD:
        whole = row(work, delta + begin * step, (end - begin) * step)
        cost = half_sum_of_squares(whole)  # (5)
        times_dsigma(whole, row(a, plan[-2, START] + begin * step, whole.size), plan[-2, ACTIVATION])  # (11)
    return cost


@thin
def _backward(i: int, t: int, first: int, rows: int, theta: Array, x: Array, plan: Array, a: Array, work: Array, dtheta: Array) -> None:
    """∂C/∂w_i and ∂C/∂b_i from δ_{i+1}, added to those of earlier blocks; and δ_i, unless i is the input."""
    n_in, n_out, weights, biases, threads = plan[i, UNITS], plan[i + 1, UNITS], plan[i + 1, WEIGHTS], plan[i + 1, BIASES], plan[-1, THREADS]
    vector, panels, single = lanes(a), (work, _panels(t, plan)), plan[-1, ROWS] == 1
    before, start, step = _before(i, first, x, plan, a, work)
    delta = (work, _delta(i + 1, plan), plan[i + 1, STEP])
    fresh = first == 0

    left, right = _share(n_out, TILE_VECTORS * vector, t, threads)
    if single:
        for k in range(left, right):
            dtheta[biases + k] = work[delta[1] + k]  # (14)
    elif left < right:
        db, part = (dtheta, biases + left, 0), (work, delta[1] + left, delta[2])
        product(1, right - left, rows, (work, ONE, 0), True, part, False, db, fresh, db, panels)  # (14), the column sums as 1' δ
    top, bottom = _share(n_in, TILE_ROWS, t, threads)
    if single:
        outer_product(
            row(before, start + top, bottom - top), row(work, delta[1], n_out), row(dtheta, weights + top * n_out, (bottom - top) * n_out)
        )  # (13)
    elif top < bottom:
        dw = (dtheta, weights + top * n_out, n_out)
        product(bottom - top, n_out, rows, (before, start + top, step), True, delta, False, dw, fresh, dw, panels)  # (13)
    if i == 0:
        return

    top, bottom, left, right = _shares(rows, n_in, vector, t, threads)
    if top == bottom or left == right:
        return
    passed = _delta(i, plan) + top * step + left
    if single:
        products_with_rows(
            row(theta, weights + left * n_out, (right - left) * n_out), row(work, delta[1], n_out), row(work, passed, right - left)
        )  # (8)
    else:
        product(
            bottom - top,
            right - left,
            n_out,
            (work, delta[1] + top * delta[2], delta[2]),
            False,
            (theta, weights + left * n_out, n_out),
            True,
            (work, passed, step),
            True,
            (work, passed, step),
            panels,
        )  # (8)
    width = -(-(right - left) // vector) * vector
    if width == step:
        times_dsigma(
            row(work, passed, (bottom - top) * step), row(a, start + top * step, (bottom - top) * step), plan[i, ACTIVATION]
        )  # (12)
    else:
        for r in range(bottom - top):
            times_dsigma(row(work, passed + r * step, width), row(a, start + (top + r) * step + left, width), plan[i, ACTIVATION])  # (12)
