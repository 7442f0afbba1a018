"""The smallest configuration at which a kernel fails, and the size where that begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from deltacheck.verify.judging.earlier_calls import NONE
from deltacheck.verify.judging.layouts import MATRIX_KINDS, VECTOR_KINDS
from deltacheck.verify.suite.configurations import CALLS, LAYOUTS, USUAL, VALUES, Configuration

Fails = Callable[[Configuration], bool]

TRIALS = 150  # judgements that a failure is worth, some 5 ms each
MANY = 1000  # parameters that are worth a word
MOST_DIVISORS = 6  # of a size that are tried in its place
LITTLE = 3  # a size that needs no explanation


class Smallest:
    """Makes a failing configuration smaller for as long as it fails; ``trials`` counts the judgements."""

    def __init__(self, configuration: Configuration, fails: Fails) -> None:
        self.configuration = configuration
        self.trials = 0
        self._fails = fails
        self._known: dict[Configuration, bool] = {configuration: True}

    def fails(self, configuration: Configuration) -> bool:
        """Whether the kernel fails there; unknown, and no, when all trials are used up."""
        if configuration not in self._known:
            if self.trials >= TRIALS:
                return False
            self.trials += 1
            self._known[configuration] = self._fails(configuration)
        return self._known[configuration]

    def shrink(self) -> Configuration:
        """The smallest that was found: kinds usual, layouts contiguous, layers and sizes few."""
        before = None
        while before != self.configuration and self.trials < TRIALS:
            before = self.configuration
            for simpler in SIMPLER:
                self._take(simpler(self.configuration))
            while any(self._take(fewer) for fewer in _fewer_layers(self.configuration)):
                pass
            for dimension in range(len(self.configuration.layers) + 1):
                self._lower(dimension)
        return self.configuration

    def _take(self, configuration: Configuration) -> bool:
        if configuration != self.configuration and self.fails(configuration):
            self.configuration = configuration
            return True
        return False

    def _lower(self, dimension: int) -> None:
        """A size as low as it fails at: the little ones first, then between those that pass and those that fail."""
        size = _size(self.configuration, dimension)
        divisors = [n for n in range(6, size) if size % n == 0]
        for little in (2, 3, 1, 4, 5, *divisors[:MOST_DIVISORS]):
            if little < size and self._take(_with_size(self.configuration, dimension, little)):
                return
        low, high = min(5, size), size
        while high - low > 1 and self.trials < TRIALS:
            middle = (low + high) // 2
            if self.fails(_with_size(self.configuration, dimension, middle)):
                high = middle
            else:
                low = middle
        if high < size:
            self._take(_with_size(self.configuration, dimension, high))

    def where(self) -> list[str]:
        """For people: what of the configuration matters, a sentence for each thing, such as ``from batch 513 on; 512 passes``."""
        configuration = self.configuration
        unusual = [(name, getattr(configuration, name)) for name in VALUES if getattr(configuration, name) != USUAL]
        found = [f"only with {name} {value!r}: {USUAL} ones pass" for name, value in unusual]
        calls = [f"{when} {getattr(configuration, name)}" for name, when in CALLS.items() if getattr(configuration, name) != NONE]
        found += [f"only {call}" for call in calls]
        for name, kinds in (("theta", VECTOR_KINDS), ("x", MATRIX_KINDS), ("y", MATRIX_KINDS)):
            if getattr(configuration, f"{name}_layout") != "contiguous":
                failing = [kind for kind in kinds if self.fails(replace(configuration, **{f"{name}_layout": kind}))]  # type: ignore[arg-type]
                found.append(f"only with {name} laid out otherwise than contiguous: {', '.join(failing)}")
        if len(self.configuration.layers) > 3:
            found.append(f"not with fewer than {len(self.configuration.layers) - 1} layers of weights")
        for dimension in range(len(self.configuration.layers) + 1):
            size = _size(self.configuration, dimension)
            if size > LITTLE:
                found.append(self._at_sizes(dimension, size))
        if self.configuration.network.n_parameters > MANY:
            found.append(f"it has {self.configuration.network.n_parameters:,} parameters")
        return found

    def _at_sizes(self, dimension: int, size: int) -> str:
        name = _name(self.configuration, dimension)
        tried = {
            n: self.fails(_with_size(self.configuration, dimension, n)) for n in (size - 1, size + 1, 2 * size, 2 * size + 1, 3 * size)
        }
        below, above, twice, beyond, thrice = tried.values()
        if not below and above and twice and beyond:
            return f"fails from {name} {size} on; {size - 1} passes"
        if not below and not above and twice and thrice:
            return f"fails where {name} is a multiple of {size}; {size - 1} and {size + 1} pass"
        if not below and not above and not twice:
            return f"fails at {name} {size}; {size - 1}, {size + 1} and {2 * size} pass"
        fails, passes = ([str(n) for n, failed in tried.items() if failed is wanted] for wanted in (True, False))
        return f"fails at {name} {', '.join([str(size), *fails])}" + (f"; passes at {', '.join(passes)}" if passes else "")


def _with_activation(name: str) -> Callable[[Configuration], Configuration]:
    """All layers alike, but for a softmax."""

    def simpler(configuration: Configuration) -> Configuration:
        output = configuration.activations[-1] if configuration.activations[-1] == "softmax" else name
        return replace(configuration, activations=(name,) * (len(configuration.activations) - 1) + (output,))

    return simpler


def _with(name: str, value: str) -> Callable[[Configuration], Configuration]:
    return lambda configuration: replace(configuration, **{name: value})  # type: ignore[arg-type]


SIMPLER = [
    *(_with(name, "contiguous") for name in LAYOUTS),
    *(_with(name, USUAL) for name in VALUES),
    *(_with(name, NONE) for name in CALLS),
    _with("dtype", "float64"),
    _with_activation("sigmoid"),
    _with_activation("tanh"),
]


def _fewer_layers(configuration: Configuration) -> Iterator[Configuration]:
    """Without one of the hidden layers."""
    for at in range(1, len(configuration.layers) - 1):
        layers = configuration.layers[:at] + configuration.layers[at + 1 :]
        yield replace(configuration, layers=layers, activations=configuration.activations[: at - 1] + configuration.activations[at:])


def _size(configuration: Configuration, dimension: int) -> int:
    """The batch for 0, then the widths from the input on."""
    return configuration.layers[dimension - 1] if dimension else configuration.batch


def _with_size(configuration: Configuration, dimension: int, size: int) -> Configuration:
    if not dimension:
        return replace(configuration, batch=size)
    layers = list(configuration.layers)
    layers[dimension - 1] = size
    return replace(configuration, layers=tuple(layers))


def _name(configuration: Configuration, dimension: int) -> str:
    if not dimension:
        return "batch"
    last = len(configuration.layers) - 1
    return {1: "input width", last + 1: "output width"}.get(dimension, f"width of layer {dimension - 1}")
