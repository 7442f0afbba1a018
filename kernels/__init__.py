"""One multi-layer perceptron, and interchangeable kernels of its forward and backward pass."""

from kernels.network import ACTIVATIONS, COSTS, Network
from kernels.protocol import BUILT_IN, Kernel, KernelLike, load, value_and_grad_of

__all__ = ["ACTIVATIONS", "BUILT_IN", "COSTS", "Kernel", "KernelLike", "Network", "load", "value_and_grad_of"]
