"""A layer forwards, the output, δ a layer back, a layer's gradient: what one of several threads does of each."""

from __future__ import annotations

from deltacheck.kernels.jit.array_views import row
from deltacheck.kernels.jit.compile_options import thin
from deltacheck.kernels.jit.cpu_target import TILE_ROWS, TILE_VECTORS
from deltacheck.kernels.jit.plan import (
    ACTIVATION,
    BACKWARD,
    BIASES,
    BOTH,
    BY_ROWS,
    CHUNK,
    DELTA,
    FORWARD,
    ONE,
    PANELS,
    ROOM,
    ROWS,
    START,
    STEP,
    THREADS,
    UNITS,
    WEIGHTS,
    WHAT,
)
from deltacheck.kernels.jit.products.blocks import lanes, outer_product, product, products_with_rows, row_product
from deltacheck.kernels.jit.stages import (
    SOFTMAX,
    activate,
    cross_entropy,
    difference,
    half_sum_of_squares,
    softmax,
    softmax_delta,
    times_dsigma,
)
from deltacheck.kernels.network import Array

# The parts of a pass, in order: 0 copies the input, 1 … l are the layers forwards, l + 1 is the output, then comes δ for the layers
# l − 1 … 1, and the gradient of w and b for l − 1 … 0. All but the gradient go sample by sample.

# Columns from which threads share a single part by its columns, each packing a part of the right matrix of its own; below, by its rows.
WIDE = 256


@thin
def n_parts(plan: Array, what: int) -> int:
    """How many parts there are for what is asked for."""
    n_layers = len(plan) - 2
    return 1 + n_layers + 1 + (2 * n_layers - 1 if what & BACKWARD else 0)


@thin
def gradient_part(plan: Array) -> int:
    """The first of the parts that make the gradient."""
    return 2 * (len(plan) - 2) + 1


@thin
def next_wait(plan: Array, begin: int, last: int) -> int:
    """The part after those that threads compute from ``begin`` on without waiting for each other."""
    if plan[-1, THREADS] == 1 or begin >= gradient_part(plan):
        return last
    return min(last, gradient_part(plan)) if plan[-1, BY_ROWS] else begin + 1


@thin
def parts(
    begin: int, end: int, t: int, first: int, rows: int, theta: Array, x: Array, y: Array, plan: Array, a: Array, work: Array, dtheta: Array
) -> float:
    """Thread ``t``'s share of the parts ``begin`` … ``end``, for the ``rows`` samples from ``first`` on. Returns their cost.

    Of several parts at once each thread does all for rows of its own, a chunk after the other, each a cacheful; a single one may be
    shared by columns.
    """
    n_layers, threads, what, by_rows = len(plan) - 2, plan[-1, THREADS], plan[-1, WHAT], plan[-1, BY_ROWS] != 0
    work[ONE] = 1
    cost = 0.0
    here, there = _share(rows, TILE_ROWS, t, threads) if by_rows else (0, rows)
    for top in range(here, there, plan[-1, CHUNK]):
        bottom = min(there, top + plan[-1, CHUNK])
        for part in range(begin, min(end, gradient_part(plan))):
            if part == 0:
                _copy_input(top, bottom, first, x, plan, work)
            elif part <= n_layers:
                if what & FORWARD:
                    _forward(part - 1, by_rows, t, top, bottom, first, theta, x, plan, a, work)
            elif part == n_layers + 1:
                cost += _output(by_rows, t, top, bottom, first, y, plan, a, work)
            else:
                _propagate(2 * n_layers + 1 - part, by_rows, t, top, bottom, theta, plan, a, work)
    for part in range(max(begin, gradient_part(plan)), end):
        _gradient(3 * n_layers - part, t, first, rows, x, plan, a, work, dtheta)
    return cost


@thin
def _share(n: int, unit: int, t: int, threads: int) -> tuple[int, int]:
    """Where the share of thread ``t`` of n begins and ends, in whole units."""
    if threads == 1:
        return 0, n
    units = -(-n // unit)
    return min(n, units * t // threads * unit), min(n, units * (t + 1) // threads * unit)


@thin
def _shares(by_rows: bool, top: int, bottom: int, columns: int, vector: int, t: int, threads: int) -> tuple[int, int, int, int]:
    """Thread ``t``'s rows and columns of a matrix; its rows have been shared out before, or it is shared here."""
    if by_rows:
        return top, bottom, 0, columns
    if columns >= WIDE or bottom - top == 1:
        left, right = _share(columns, TILE_VECTORS * vector, t, threads)
        return top, bottom, left, right
    here, there = _share(bottom - top, TILE_ROWS, t, threads)
    return top + here, top + there, 0, columns


@thin
def _before(i: int, first: int, x: Array, plan: Array, a: Array, work: Array) -> tuple[Array, int, int]:
    """a_i, with the input as a_0, (1)."""
    if i > 0:
        return a, plan[i, START], plan[i, STEP]
    if plan[0, START] >= 0:
        return work, plan[0, START], plan[0, STEP]
    return x, first * plan[0, STEP], plan[0, STEP]  # (1)


@thin
def _panels(t: int, plan: Array) -> int:
    start: int = plan[-1, PANELS] + t * plan[-1, ROOM]
    return start


@thin
def _copy_input(top: int, bottom: int, first: int, x: Array, plan: Array, work: Array) -> None:
    n, step, start = plan[0, UNITS], plan[0, STEP], plan[0, START]
    if start >= 0:
        for r in range(top, bottom):
            source, target = row(x, (first + r) * n, n), row(work, start + r * step, n)
            for j in range(n):
                target[j] = source[j]


@thin
def _forward(
    i: int, by_rows: bool, t: int, top: int, bottom: int, first: int, theta: Array, x: Array, plan: Array, a: Array, work: Array
) -> None:
    """a_{i+1}; where the output is a softmax, z_l in its place."""
    n_in, n_out, weights, biases = plan[i, UNITS], plan[i + 1, UNITS], plan[i + 1, WEIGHTS], plan[i + 1, BIASES]
    vector = lanes(a)
    before, start, step = _before(i, first, x, plan, a, work)
    top, bottom, left, right = _shares(by_rows, top, bottom, n_out, vector, t, plan[-1, THREADS])
    rows, columns = bottom - top, right - left
    if rows <= 0 or columns <= 0:
        return
    z, z_step = plan[i + 1, START] + top * plan[i + 1, STEP] + left, plan[i + 1, STEP]
    if plan[-1, ROWS] == 1:
        row_product(row(before, start, n_in), theta, weights + left, n_out, row(theta, biases + left, columns), row(a, z, columns))  # (2)
    else:
        samples, w, b = (before, start + top * step, step), (theta, weights + left, n_out), (theta, biases + left, 0)
        product(rows, columns, n_in, samples, False, w, False, b, False, (a, z, z_step), (work, _panels(t, plan)))  # (2)
    if plan[i + 1, ACTIVATION] != SOFTMAX:
        if columns == z_step:
            activate(row(a, z, rows * z_step), plan[i + 1, ACTIVATION])  # (3)
        else:
            for r in range(rows):
                activate(row(a, z + r * z_step, columns), plan[i + 1, ACTIVATION])  # (3)


@thin
def _output(by_rows: bool, t: int, top: int, bottom: int, first: int, y: Array, plan: Array, a: Array, work: Array) -> float:
    """The softmax, where that is the output; for a backward pass δ_l, for a step the cost as well."""
    n, step, what = plan[-2, UNITS], plan[-2, STEP], plan[-1, WHAT]
    if not by_rows:
        here, there = _share(bottom - top, 1, t, plan[-1, THREADS])
        top, bottom = top + here, top + there
    delta, softmax_output, cost = plan[-2, DELTA], plan[-2, ACTIVATION] == SOFTMAX, 0.0
    for r in range(top, bottom):
        a_r, targets, delta_r = row(a, plan[-2, START] + r * step, n), (first + r) * n, delta + r * step
        if softmax_output:
            if what == FORWARD:
                softmax(a_r)
            elif what == BOTH:
                cost += cross_entropy(a_r, row(y, targets, n))
            if what & BACKWARD:
                softmax_delta(a_r, row(y, targets, n), row(work, delta_r, n))
        elif what & BACKWARD:
            difference(a_r, row(y, targets, n), row(work, delta_r, step))  # (7)
    if not softmax_output and what & BACKWARD and top < bottom:
        errors = row(work, delta + top * step, (bottom - top) * step)
        cost = half_sum_of_squares(errors)  # (5)
        times_dsigma(errors, row(a, plan[-2, START] + top * step, errors.size), plan[-2, ACTIVATION])  # (11)
    return cost


@thin
def _propagate(i: int, by_rows: bool, t: int, top: int, bottom: int, theta: Array, plan: Array, a: Array, work: Array) -> None:
    """δ_i from δ_{i+1}."""
    n_in, n_out, weights, step = plan[i, UNITS], plan[i + 1, UNITS], plan[i + 1, WEIGHTS], plan[i, STEP]
    vector = lanes(a)
    top, bottom, left, right = _shares(by_rows, top, bottom, n_in, vector, t, plan[-1, THREADS])
    rows, columns = bottom - top, right - left
    if rows <= 0 or columns <= 0:
        return
    delta, passed = plan[i + 1, DELTA] + top * plan[i + 1, STEP], plan[i, DELTA] + top * step + left
    if plan[-1, ROWS] == 1:
        products_with_rows(row(theta, weights + left * n_out, columns * n_out), row(work, delta, n_out), row(work, passed, columns))  # (8)
    else:
        w, out = (theta, weights + left * n_out, n_out), (work, passed, step)
        product(rows, columns, n_out, (work, delta, plan[i + 1, STEP]), False, w, True, out, True, out, (work, _panels(t, plan)))  # (8)
    before = plan[i, START] + top * step + left
    if columns == step:
        times_dsigma(row(work, passed, rows * step), row(a, before, rows * step), plan[i, ACTIVATION])  # (12)
    else:
        for r in range(rows):
            times_dsigma(row(work, passed + r * step, columns), row(a, before + r * step, columns), plan[i, ACTIVATION])  # (12)


@thin
def _gradient(i: int, t: int, first: int, rows: int, x: Array, plan: Array, a: Array, work: Array, dtheta: Array) -> None:
    """∂C/∂w_i and ∂C/∂b_i from δ_{i+1}, added to those of earlier blocks."""
    n_in, n_out, weights, biases, threads = plan[i, UNITS], plan[i + 1, UNITS], plan[i + 1, WEIGHTS], plan[i + 1, BIASES], plan[-1, THREADS]
    before, start, step = _before(i, first, x, plan, a, work)
    delta, delta_step, panels = plan[i + 1, DELTA], plan[i + 1, STEP], (work, _panels(t, plan))
    left, right = _share(n_out, TILE_VECTORS * lanes(a), t, threads)
    top, bottom = _share(n_in, TILE_ROWS, t, threads)
    if plan[-1, ROWS] == 1:
        for k in range(left, right):
            dtheta[biases + k] = work[delta + k]  # (14)
        dw = row(dtheta, weights + top * n_out, (bottom - top) * n_out)
        outer_product(row(before, start + top, bottom - top), row(work, delta, n_out), dw)  # (13)
        return
    fresh = first == 0
    if left < right:
        db, columns = (dtheta, biases + left, 0), (work, delta + left, delta_step)
        product(1, right - left, rows, (work, ONE, 0), True, columns, False, db, fresh, db, panels)  # (14), the column sums as 1' δ
    if top < bottom:
        out = (dtheta, weights + top * n_out, n_out)
        product(
            bottom - top, n_out, rows, (before, start + top, step), True, (work, delta, delta_step), False, out, fresh, out, panels
        )  # (13)
