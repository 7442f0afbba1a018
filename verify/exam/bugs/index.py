"""Planted bugs of index: a row, a column, a layer, a sample too many, too few or in the wrong place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from deltacheck.verify.exam.bugs.mutant import Array, Mutant, Plain, edited, mutant


def _rows(choose: Callable[[int], Any]) -> Callable[..., Array]:
    """A ``backward`` that sums over the rows ``choose(B)``."""

    def backward(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
        rows = choose(len(y))
        return Plain.backward(self, theta, tuple(a_i[rows] for a_i in a), y[rows])

    return backward


def _targets(choose: Callable[[Array], Array]) -> Callable[..., Array]:
    """A ``backward`` that compares with other targets."""
    return lambda self, theta, a, y: Plain.backward(self, theta, a, choose(y))


def _delta(change: Callable[[Array], Array]) -> Callable[..., Array]:
    """An ``output_delta`` changed."""
    return lambda self, a, y: change(Plain.output_delta(self, a, y))


def _last_column(dw: Sequence[Array], db: Sequence[Array]) -> None:
    dw[0][:, -1] = 0


def _last_row(dw: Sequence[Array], db: Sequence[Array]) -> None:
    dw[-1][-1] = 0


def _first_row(dw: Sequence[Array], db: Sequence[Array]) -> None:
    for dw_i in dw:
        dw_i[0] = 0


def _last_of_everything(dw: Sequence[Array], db: Sequence[Array]) -> None:
    dw[0][-1, -1] = 0


def _first_layer(dw: Sequence[Array], db: Sequence[Array]) -> None:
    dw[0][:], db[0][:] = 0, 0


def _last_bias(dw: Sequence[Array], db: Sequence[Array]) -> None:
    db[-1][:] = 0


def _all_biases(dw: Sequence[Array], db: Sequence[Array]) -> None:
    for db_i in db:
        db_i[:] = 0


def _middle_block(dw: Sequence[Array], db: Sequence[Array]) -> None:
    dw[len(dw) // 2][:] = 0


def _units_swapped(dw: Sequence[Array], db: Sequence[Array]) -> None:
    dw[0][:, :2] = dw[0][:, 1::-1].copy() if dw[0].shape[1] > 1 else dw[0]


def _bias_units_swapped(dw: Sequence[Array], db: Sequence[Array]) -> None:
    db[0][:2] = db[0][:2][::-1].copy()


def _bias_shifted(dw: Sequence[Array], db: Sequence[Array]) -> None:
    for db_i in db:
        db_i[:] = np.roll(db_i, 1)


def _blocks_swapped(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """The bias is written before the weights of its layer."""
    dw, db = self.network.unpack(Plain.backward(self, theta, a, y))
    return np.concatenate([np.append(db_i, dw_i) for dw_i, db_i in zip(dw, db, strict=True)])


def _layers_reversed(self: Plain, theta: Array, a: Sequence[Array], y: Array) -> Array:
    """Gradients are appended from the output back and never put in order."""
    dw, db = self.network.unpack(Plain.backward(self, theta, a, y))
    return np.concatenate([np.append(dw_i, db_i) for dw_i, db_i in zip(reversed(dw), reversed(db), strict=True)])


def _neighbour_if_it_fits(step: int) -> Callable[..., Array]:
    def weight_gradient(self: Plain, a: Sequence[Array], delta: Array, i: int) -> Array:
        j = i + step
        fits = 0 <= j < len(a) and a[j].shape == a[i].shape
        return np.asarray(a[j if fits else i].T @ delta)

    return weight_gradient


def _dsigma_of_neighbour(self: Plain, a: Sequence[Array], i: int) -> Array:
    j = i - 1 if a[i - 1].shape == a[i].shape else i
    return self.dsigma(self.network.activations[i - 1], a[j])


INDEX: tuple[Mutant, ...] = (
    mutant(
        "first-sample-dropped", "index", "the loop over samples starts at 1", "sample-dropped", backward=_rows(lambda n: slice(1, None))
    ),
    mutant("first-sample-doubled", "index", "sample 0 counted twice", "sample-doubled", backward=_rows(lambda n: [0, *range(n)])),
    mutant(
        "last-sample-doubled", "index", "the last tile starts one row early", "sample-doubled", backward=_rows(lambda n: [*range(n), n - 1])
    ),
    mutant(
        "sample-2-for-3",
        "index",
        "sample 2 counted in place of sample 3",
        "sample-doubled sample-dropped",
        backward=_rows(lambda n: [2 if r == 3 else r for r in range(n)]),
    ),
    mutant("every-second-sample", "index", "a stride of two over the samples", "", backward=_rows(lambda n: slice(None, None, 2))),
    mutant("targets-shifted", "index", "sample r compared with target r − 1", "", backward=_targets(lambda y: np.roll(y, 1, axis=0))),
    mutant("target-columns-shifted", "index", "targets one column off", "", backward=_targets(lambda y: np.roll(y, 1, axis=1))),
    mutant(
        "activations-reversed",
        "index",
        "(13) pairs sample r with sample B − 1 − r",
        "",
        weight_gradient=lambda self, a, delta, i: a[i][::-1].T @ delta,
    ),
    mutant("activations-of-next", "index", "(13) with a_{i+1}", "wrong-activations", weight_gradient=_neighbour_if_it_fits(1)),
    mutant("activations-of-previous", "index", "(13) with a_{i−1}", "wrong-activations", weight_gradient=_neighbour_if_it_fits(-1)),
    mutant("dsigma-of-layer-before", "index", "σ′(z_{i−1}) in (12)", "dsigma-wrong", hidden_dsigma=_dsigma_of_neighbour),
    mutant("last-column-zero", "index", "dC/dw_0: the last unit left out", "row-or-column-zero", backward=edited(_last_column)),
    mutant("last-row-zero", "index", "dC/dw_l: the last input left out", "row-or-column-zero", backward=edited(_last_row)),
    mutant("first-row-zero", "index", "every dC/dw: j counted from 1", "row-or-column-zero", backward=edited(_first_row)),
    mutant("last-entry-zero", "index", "dC/dw_0: its very last entry", "", backward=edited(_last_of_everything)),
    mutant("first-layer-zero", "index", "the loop over layers ends at 1", "block-zero", backward=edited(_first_layer)),
    mutant("middle-layer-zero", "index", "a middle dC/dw never written", "block-zero", backward=edited(_middle_block)),
    mutant("last-bias-zero", "index", "dC/db_l never written", "block-zero", backward=edited(_last_bias)),
    mutant("all-biases-zero", "index", "biases forgotten", "block-zero", backward=edited(_all_biases)),
    mutant("units-swapped", "index", "dC/dw_0: units 0 and 1 change places", "swapped-units", backward=edited(_units_swapped)),
    mutant("bias-units-swapped", "index", "dC/db_0: units 0 and 1 change places", "swapped-units", backward=edited(_bias_units_swapped)),
    mutant("bias-shifted", "index", "every dC/db one unit off", "", backward=edited(_bias_shifted)),
    mutant("bias-before-weights", "index", "b_i written where w_i starts", "", backward=_blocks_swapped),
    mutant("layers-in-reverse", "index", "gradients laid out from the output back", "", backward=_layers_reversed),
    mutant(
        "first-output-only",
        "index",
        "δ_l of output 0 only",
        "",
        output_delta=_delta(lambda delta: np.where(np.arange(delta.shape[1]) == 0, delta, 0)),
    ),
    mutant("outputs-reversed", "index", "δ_l in reverse order", "", output_delta=_delta(lambda delta: delta[:, ::-1])),
    mutant(
        "hidden-delta-shifted",
        "index",
        "δ of a hidden layer one unit off",
        "",
        hidden_delta=lambda self, delta, w, a, i: np.roll(Plain.hidden_delta(self, delta, w, a, i), 1, axis=1),
    ),
    mutant(
        "bias-of-last-sample", "index", "dC/db overwritten, not added up", "bias-not-summed", bias_gradient=lambda self, delta: delta[-1]
    ),
    mutant(
        "weights-of-last-sample",
        "index",
        "dC/dw overwritten, not added up",
        "",
        weight_gradient=lambda self, a, delta, i: a[i][-1:].T @ delta[-1:],
    ),
)
