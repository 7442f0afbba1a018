"""PyTorch: eager autograd, the derivation by hand, and the derivation compiled."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

import numpy as np
import torch

from deltacheck.bench.peers.peer import Peer
from deltacheck.kernels import Network
from deltacheck.kernels.error_text import one_line
from deltacheck.kernels.network import Array

Tensor: TypeAlias = Any  # torch.Tensor, for whom the package is installed
Calls = dict[str, Callable[[], Any]]
aten = torch.ops.aten

SIGMA = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu, "identity": lambda z: z}
IN_PLACE = {"sigmoid": torch.sigmoid_, "tanh": torch.tanh_, "relu": torch.relu_}
# δ ⊙ σ′(z) from a in one pass over memory: what autograd itself calls, and the public functions have no name for.
DSIGMA: dict[str, Any] = {
    "sigmoid": aten.sigmoid_backward,
    "tanh": aten.tanh_backward,
    "relu": lambda delta, a: aten.threshold_backward(delta, a, 0),
}
DSIGMA_IN_PLACE: dict[str, Any] = {
    "sigmoid": lambda delta, a: aten.sigmoid_backward.grad_input(delta, a, grad_input=delta),
    "tanh": lambda delta, a: aten.tanh_backward.grad_input(delta, a, grad_input=delta),
    "relu": lambda delta, a: aten.threshold_backward.grad_input(delta, a, 0, grad_input=delta),
}


class TorchPeer(Peer):
    """What the three have in common: the conversions."""

    def array(self, tensor: Tensor) -> Array:
        """The tensor's memory."""
        array: Array = tensor.detach().numpy()
        return array

    def parameters(self, theta: Array) -> list[Tensor]:
        """w_0, b_0, w_1, …, each with memory of its own."""
        w, b = self.network.unpack(theta)
        return [tensor(array) for pair in zip(w, b, strict=True) for array in pair]


def tensor(array: Array) -> Tensor:
    """A copy, in C order."""
    return torch.from_numpy(np.array(array, order="C"))


class TorchAutograd(TorchPeer):
    """The usual idiom: write the cost, have it differentiated."""

    def native_calls(self, theta: Array, x: Array, y: Array) -> Calls:
        """Forward (recorded, as the step does it) and step."""
        parameters = [p.requires_grad_() for p in self.parameters(theta)]
        data, targets = tensor(x), tensor(y)
        hidden = self.network.activations[:-1]
        last = self.network.activations[-1]

        def z_of_output() -> Tensor:
            a = data
            for i, sigma in enumerate(hidden):
                a = SIGMA[sigma](torch.addmm(parameters[2 * i + 1], a, parameters[2 * i]))
            return torch.addmm(parameters[-1], a, parameters[-2])

        def forward() -> Tensor:
            z = z_of_output()
            return torch.softmax(z, 1) if last == "softmax" else SIGMA[last](z)

        def step() -> tuple[Tensor, Sequence[Tensor]]:
            z = z_of_output()
            if last == "softmax":
                cost = -(targets * torch.log_softmax(z, 1)).sum()
            else:
                cost = 0.5 * torch.nn.functional.mse_loss(SIGMA[last](z), targets, reduction="sum")
            return cost, torch.autograd.grad(cost, parameters)

        return {"forward": forward, "step": step}


class TorchByHand(TorchPeer):
    """The derivation in PyTorch's operations, each writing into memory that is there already.

    No tensor asks for its gradient, so nothing is recorded: ``torch.no_grad`` would only cost its 2 us.
    """

    def native_calls(self, theta: Array, x: Array, y: Array) -> Calls:
        """Forward, backward, step. Results are overwritten by the next call."""
        parameters, targets = self.parameters(theta), tensor(y)
        w, b = parameters[0::2], parameters[1::2]
        activations = self.network.activations
        a = [tensor(x), *(torch.empty(len(x), n, dtype=targets.dtype) for n in self.network.layer_sizes[1:])]
        z = torch.empty_like(a[-1])  # of the output, where the softmax needs it beside a
        delta = [torch.empty_like(a_i) for a_i in a]
        gradient = [torch.empty_like(p) for p in parameters]
        dw, db = gradient[0::2], gradient[1::2]
        layers = range(len(w))

        def forward() -> Tensor:
            for i in layers:
                out = z if activations[i] == "softmax" else a[i + 1]
                torch.addmm(b[i], a[i], w[i], out=out)  # (2)
                if activations[i] == "softmax":
                    torch.softmax(z, 1, out=a[-1])
                elif activations[i] != "identity":
                    IN_PLACE[activations[i]](out)  # (3)
            return a[-1]

        def backward() -> list[Tensor]:
            if activations[-1] == "softmax":
                torch.mul(a[-1], targets.sum(1, keepdim=True), out=delta[-1]).sub_(targets)
            else:
                torch.sub(a[-1], targets, out=delta[-1])  # (7)
            for i in reversed(layers):
                if activations[i] in DSIGMA_IN_PLACE:
                    DSIGMA_IN_PLACE[activations[i]](delta[i + 1], a[i + 1])  # (11), (12)
                torch.mm(a[i].t(), delta[i + 1], out=dw[i])  # (13)
                torch.sum(delta[i + 1], 0, out=db[i])  # (14)
                if i:
                    torch.mm(delta[i + 1], w[i].t(), out=delta[i])
            return gradient

        def step() -> tuple[Tensor, list[Tensor]]:
            forward()
            if activations[-1] == "softmax":
                cost = -torch.dot(targets.view(-1), torch.log_softmax(z, 1).view(-1))
            else:
                error = torch.sub(a[-1], targets, out=delta[-1]).view(-1)
                cost = 0.5 * torch.dot(error, error)  # (5)
            return cost, backward()

        forward()
        return {"forward": forward, "backward": backward, "step": step}


class TorchCompile(TorchPeer):
    """The derivation by hand, without places for results, through ``torch.compile``; a compiler that gives up is ``unsupported``."""

    @classmethod
    def prepare(cls, threads: int) -> None:
        """Forget what was compiled before: for other shapes, and for other numbers of threads, which the code has in it."""
        torch.compiler.reset()

    def __init__(self, network: Network) -> None:
        super().__init__(network)
        options = {"cpp.threads": torch.get_num_threads()}
        self._forward = torch.compile(derived_forward, dynamic=False, fullgraph=True, options=options)
        self._step = torch.compile(derived_step, dynamic=False, fullgraph=True, options=options)

    def native_calls(self, theta: Array, x: Array, y: Array) -> Calls:
        """Forward and step, each compiled here."""
        parameters, data, targets = self.parameters(theta), tensor(x), tensor(y)
        activations = self.network.activations

        def forward() -> Any:
            return self._forward(activations, parameters, data)[-1]

        def step() -> Any:
            return self._step(activations, parameters, data, targets)

        try:
            forward()
            step()
        except (Exception, SystemExit) as error:  # whatever its many parts raise, without the advice that follows
            raise NotImplementedError(f"torch.compile: {one_line(error).partition(' Set TORCHDYNAMO')[0]}") from error
        return {"forward": forward, "step": step}


def derived_forward(activations: tuple[str, ...], parameters: Sequence[Tensor], x: Tensor) -> list[Tensor]:
    """x, a_1, …, and the z of the output before the output itself."""
    a = [x]  # (1)
    for i, sigma in enumerate(activations):
        z = torch.addmm(parameters[2 * i + 1], a[-1], parameters[2 * i])  # (2)
        if i == len(activations) - 1:
            a.append(z)
        a.append(torch.softmax(z, 1) if sigma == "softmax" else SIGMA[sigma](z))  # (3)
    return a


def derived_step(activations: tuple[str, ...], parameters: Sequence[Tensor], x: Tensor, y: Tensor) -> tuple[Tensor, list[Tensor]]:
    """The cost and the gradient, w_0, b_0, w_1, …"""
    *a, z, output = derived_forward(activations, parameters, x)
    if activations[-1] == "softmax":
        cost = -(y * torch.log_softmax(z, 1)).sum()
        delta = output * y.sum(1, keepdim=True) - y
    else:
        error = output - y
        cost = 0.5 * (error * error).sum()  # (5)
        delta = DSIGMA[activations[-1]](error, output) if activations[-1] in DSIGMA else error  # (11)
    gradient: list[Tensor] = []
    for i in reversed(range(len(a))):
        gradient = [torch.mm(a[i].t(), delta), delta.sum(0), *gradient]  # (13), (14)
        if i:
            delta = torch.mm(delta, parameters[2 * i].t())
            delta = DSIGMA[activations[i - 1]](delta, a[i]) if activations[i - 1] in DSIGMA else delta  # (12)
    return cost, gradient


PEERS: dict[str, type[Peer]] = {"torch-autograd": TorchAutograd, "torch-by-hand": TorchByHand, "torch-compile": TorchCompile}
