"""What a command line selects: kernels, and the axes of networks and batches, parsed and checked before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from deltacheck.kernels.loading import BUILT_IN, load, split_name
from deltacheck.kernels.network import REAL, Network
from deltacheck.kernels.protocol import KernelLike

T = TypeVar("T")

DTYPES = tuple(map(str, REAL))
MOST = 99_999_999  # no machine's memory has use for more


@dataclass(frozen=True)
class Selection:
    """The shared options, parsed; an empty tuple where the option was not given (``kernels`` is never empty)."""

    kernels: dict[str, Callable[[Network], KernelLike]]  # label in tests and tables -> class
    names: tuple[str, ...]  # that the kernels were asked for by
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
        names = unique(kernel or tuple(BUILT_IN))
        selection = cls(
            kernels=_loaded(names),
            names=names,
            own_kernels=bool(kernel),
            layers=unique(sizes(text) for text in layers),
            batches=unique(whole_number(text, "--batch") for text in batch),
            activations=unique(tuple(text.split(",")) if "," in text else text for text in activation),
            costs=unique(cost),
            dtypes=unique(dtype),
        )
        selection.networks(default_layers=((2, 2, 2),))
        return selection

    @property
    def network_given(self) -> bool:
        """Whether the command line names anything of a network: then that is looked at, and nothing else."""
        return bool(self.layers or self.batches or self.activations or self.costs)

    def networks(self, default_layers: Sequence[tuple[int, ...]]) -> list[Network]:
        """Every combination of the layers (or ``default_layers``), activations and costs that were selected."""
        if not self.layers and any(isinstance(activation, tuple) for activation in self.activations):
            raise ValueError("--activation: one name for each layer was given; expected --layers beside it")
        try:
            crossed = [
                Network(layer_sizes, activation, cost)
                for layer_sizes in self.layers or default_layers
                for activation in self.activations or ("sigmoid",)
                for cost in self.costs or ("squared_error",)
            ]
            return list(dict.fromkeys(crossed))  # with the cross entropy, activations of the output make no difference
        except ValueError as error:
            raise ValueError(f"--{error}") from None  # the options are named as the arguments are


def unique(values: Iterable[T]) -> tuple[T, ...]:
    """Each value once, in the order in which they came first."""
    return tuple(dict.fromkeys(values))


def sizes(text: str) -> tuple[int, ...]:
    """The layer sizes in ``784-128-10``. Raises ``ValueError`` in one line."""
    parts = text.split("-")
    if len(parts) < 2 or not all(is_size(part) for part in parts):
        raise ValueError(f"--layers: got {text!r}; expected at least two whole numbers, each 1 to {MOST}, such as 784-128-10")
    return tuple(map(int, parts))


def whole_number(text: str, option: str, most: int = MOST) -> int:
    """The value of an option that counts something. Raises ``ValueError`` in one line."""
    if not is_size(text) or int(text) > most:
        raise ValueError(f"{option}: got {text!r}; expected a whole number, 1 to {most}")
    return int(text)


def is_size(text: str) -> bool:
    """A whole number from 1 to ``MOST``."""
    return text.isdecimal() and len(text) <= len(str(MOST)) and int(text) > 0


def labelled(names: Sequence[str]) -> dict[str, str]:
    """Names of kernels by label: a built-in's name, a file's stem; the full text where two would share a label, or a built-in's."""
    names = unique(names)
    labels = [name if name in BUILT_IN else _label(name) for name in names]
    taken = [*labels, *(built_in for built_in in BUILT_IN if built_in not in names)]
    return {label if taken.count(label) == 1 else name: name for label, name in zip(labels, names, strict=True)}


def _loaded(names: Sequence[str]) -> dict[str, Callable[[Network], KernelLike]]:
    try:
        return {label: load(name) for label, name in labelled(names).items()}
    except ValueError as error:
        raise ValueError(f"--{error}") from error


def _label(name: str) -> str:
    where, class_name = split_name(name)
    return (Path(where).stem if where.endswith(".py") else where) + (f":{class_name}" if class_name else "")
