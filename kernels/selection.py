"""What a command line selects: kernels, and the axes of networks and batches, parsed and checked before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from kernels.network import REAL, Network
from kernels.protocol import BUILT_IN, KernelLike, load

T = TypeVar("T")

DTYPES = tuple(map(str, REAL))


@dataclass(frozen=True)
class Selection:
    """The shared options, parsed; an empty tuple where the option was not given (``kernels`` is never empty)."""

    kernels: dict[str, Callable[[Network], KernelLike]]  # label in tests and tables -> class
    own_kernels: bool  # --kernel was given
    layers: tuple[tuple[int, ...], ...]
    batches: tuple[int, ...]
    activations: tuple[str | tuple[str, ...], ...]
    costs: tuple[str, ...]
    dtypes: tuple[str, ...]

    @classmethod
    def parse(
        cls,
        kernel: Sequence[str] = (),
        layers: Sequence[str] = (),
        batch: Sequence[str] = (),
        activation: Sequence[str] = (),
        cost: Sequence[str] = (),
        dtype: Sequence[str] = (),
    ) -> Selection:
        """Options as typed: ``784-128-10``, ``32``, ``tanh`` or ``tanh,relu,sigmoid``. Raises ``ValueError`` in one line."""
        for name in dtype:
            if name not in DTYPES:
                raise ValueError(f"--dtype: got {name!r}; expected {' or '.join(DTYPES)}")
        selection = cls(
            kernels=_loaded(kernel or tuple(BUILT_IN)),
            own_kernels=bool(kernel),
            layers=_unique(_sizes(text) for text in layers),
            batches=_unique(_batch(text) for text in batch),
            activations=_unique(tuple(text.split(",")) if "," in text else text for text in activation),
            costs=_unique(cost),
            dtypes=_unique(dtype),
        )
        selection.networks(default_layers=((2, 2, 2),))
        return selection

    def networks(self, default_layers: Sequence[tuple[int, ...]]) -> list[Network]:
        """Every combination of the layers (or ``default_layers``), activations and costs that were selected."""
        if not self.layers and any(isinstance(activation, tuple) for activation in self.activations):
            raise ValueError("--activation: one name for each layer was given; expected --layers beside it")
        try:
            return [
                Network(sizes, activation, cost)
                for sizes in self.layers or default_layers
                for activation in self.activations or ("sigmoid",)
                for cost in self.costs or ("squared_error",)
            ]
        except ValueError as error:
            raise ValueError(f"--{error}") from None  # the options are named as the arguments are


def _unique(values: Iterable[T]) -> tuple[T, ...]:
    return tuple(dict.fromkeys(values))


def _sizes(text: str) -> tuple[int, ...]:
    parts = text.split("-")
    if len(parts) < 2 or not all(part.isdecimal() and int(part) for part in parts):
        raise ValueError(f"--layers: got {text!r}; expected at least two whole numbers, each 1 or more, such as 784-128-10")
    return tuple(map(int, parts))


def _batch(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ValueError(f"--batch: got {text!r}; expected a whole number, 1 or more")
    return int(text)


def _loaded(names: Sequence[str]) -> dict[str, Callable[[Network], KernelLike]]:
    """Kernels by label: a built-in's name, a file's stem; the full text where two would share a label."""
    names = _unique(names)
    labels = [name if name in BUILT_IN else _label(name) for name in names]
    try:
        return {label if labels.count(label) == 1 else name: load(name) for label, name in zip(labels, names, strict=True)}
    except ValueError as error:
        raise ValueError(f"--{error}") from error


def _label(name: str) -> str:
    head, _, tail = name.partition(".py")
    return Path(head).name + tail
