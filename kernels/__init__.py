"""One multi-layer perceptron, and interchangeable kernels of its forward and backward pass."""

from deltacheck.kernels.loading import BUILT_IN, load
from deltacheck.kernels.network import ACTIVATIONS, COSTS, Network
from deltacheck.kernels.protocol import Kernel, KernelLike, value_and_grad_of

__all__ = ["ACTIVATIONS", "BUILT_IN", "COSTS", "Kernel", "KernelLike", "Network", "load", "value_and_grad_of"]
