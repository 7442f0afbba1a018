"""PyTorch's own operators and their gradients, as functions of one flat NumPy vector: all of these gradients are right.

Each operator of ``torch.testing``'s database with its first sample of float64 inputs: the cost is the sum of its outputs times random
cotangents. Needs the ``peers`` extra.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deltacheck.verify.check_gradient import check_gradient

Array = NDArray[Any]

EVERY = 5  # of the operators
MOST = 200  # numbers in the inputs of a sample that is taken
RANDOM = ("dropout", "bernoulli", "multinomial", "rand", "normal", "uniform", "rrelu", "cauchy", "exponential", "geometric", "empty")


def operator_names(every: int = EVERY) -> list[str]:
    """The names of every so many operators that have derivatives in float64, in the order of the database."""
    import torch

    usable = [op for op in _database() if op.supports_autograd and torch.float64 in op.supported_dtypes("cpu")]
    return [_name(op) for op in usable if not any(word in op.name for word in RANDOM)][::every]


def operator_row(name: str) -> dict[str, Any]:
    """The verdict on one operator; ``no sample`` where none of its samples is a function of a few real numbers."""
    operator = next(op for op in _database() if _name(op) == name)
    row: dict[str, Any] = {"operator": name, "n_entries": 0, "verdict": "no sample", "evaluations": 0, "seconds": 0.0, "message": ""}
    with warnings.catch_warnings(action="ignore"):
        for triple in _triples(operator):
            started = time.perf_counter()
            report = check_gradient(*triple)
            row |= {"n_entries": triple[2].size, "verdict": report.verdict, "evaluations": report.evaluations}
            return row | {"seconds": time.perf_counter() - started, "message": report.message}
    return row


def operator_closing(table: Any) -> list[str]:
    """How many right gradients were passed, and those that were not."""
    counts = table["verdict"].value_counts()
    lines = [", ".join(f"{verdict}: {count}" for verdict, count in counts.items())]
    return lines + [
        f"{row.operator}: {row.verdict}: {row.message}" for row in table.itertuples() if row.verdict in ("fail", "inconclusive")
    ]


def _database() -> Any:
    from torch.testing._internal.common_methods_invocations import op_db

    return op_db


def _name(operator: Any) -> str:
    return f"{operator.name}.{operator.variant_test_name}" if operator.variant_test_name else str(operator.name)


def _triples(operator: Any) -> Iterator[tuple[Any, Any, Array]]:
    """Cost, gradient and theta of each sample that is a function of a few real numbers."""
    import torch

    torch.manual_seed(0)
    for sample in operator.sample_inputs("cpu", torch.float64, requires_grad=True):
        arguments = [sample.input, *sample.args]
        leaves = [leaf for leaf in _tensors(arguments) if leaf.requires_grad]
        sizes = [leaf.numel() for leaf in leaves]
        if (
            not leaves
            or any(leaf.layout != torch.strided for leaf in leaves)
            or not 0 < sum(sizes) <= MOST
            or any(leaf.dtype != torch.float64 for leaf in leaves)
        ):
            continue
        theta = torch.cat([leaf.detach().reshape(-1) for leaf in leaves]).numpy().copy()
        try:
            output = _outputs(operator, arguments, sample)
        except (RuntimeError, TypeError):  # no function of a dense tensor
            continue
        differentiable = [part.requires_grad for part in output]
        if not any(differentiable):
            continue
        generator = np.random.default_rng(0)
        cotangents = [
            torch.from_numpy(generator.uniform(0.5, 1.5, tuple(part.shape))) * float(counts)
            for part, counts in zip(output, differentiable, strict=True)
        ]

        def summed(t: Any, leaves: Any = leaves, arguments: Any = arguments, sample: Any = sample, cotangents: Any = cotangents) -> Any:
            parts = iter(torch.split(t, [leaf.numel() for leaf in leaves]))
            moved = {id(leaf): next(parts).reshape(leaf.shape) for leaf in leaves}
            outputs = _outputs(operator, _replaced(arguments, moved), sample)
            return torch.stack([(part * cotangent).sum() for part, cotangent in zip(outputs, cotangents, strict=True)]).sum()

        def cost(t: Array, summed: Callable[[Any], Any] = summed) -> float:
            with torch.no_grad():
                return float(summed(torch.from_numpy(t)))

        def gradient(t: Array, summed: Callable[[Any], Any] = summed) -> Array:
            at = torch.from_numpy(t.copy()).requires_grad_()
            (found,) = torch.autograd.grad(summed(at), at)
            return np.asarray(found.numpy())

        try:
            usable = np.isfinite(cost(theta)) and np.isfinite(gradient(theta)).all()
        except (RuntimeError, TypeError):  # no function of a dense tensor
            continue
        if usable:
            yield cost, gradient, theta


def _outputs(operator: Any, arguments: Any, sample: Any) -> list[Any]:
    import torch

    wrapped = operator.gradcheck_wrapper  # makes a Hermitian input of any, for instance
    arguments = _replaced(arguments, {})
    result = wrapped(operator.op, *arguments, **sample.kwargs) if wrapped else operator.op(*arguments, **sample.kwargs)
    if sample.output_process_fn_grad is not None:
        result = sample.output_process_fn_grad(result)
    return [part for part in _tensors(result) if part.dtype == torch.float64]


def _tensors(tree: Any) -> list[Any]:
    import torch

    if isinstance(tree, torch.Tensor):
        return [tree]
    return [leaf for item in tree for leaf in _tensors(item)] if isinstance(tree, list | tuple) else []


def _replaced(tree: Any, moved: dict[int, Any]) -> Any:
    """With the leaves that have moved, and copies of the other tensors: some operators write into them."""
    import torch

    if isinstance(tree, list | tuple):
        return type(tree)(_replaced(item, moved) for item in tree)
    return moved[id(tree)] if id(tree) in moved else tree.clone() if isinstance(tree, torch.Tensor) and not tree.requires_grad else tree
