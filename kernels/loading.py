"""How a kernel is found: by a built-in name, in a file, in a module."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeGuard

from deltacheck.kernels.error_text import one_line
from deltacheck.kernels.network import Network
from deltacheck.kernels.protocol import Kernel, KernelLike

BUILT_IN = {
    "naive": "deltacheck.kernels.naive:NaiveKernel",
    "numpy": "deltacheck.kernels.vectorised:NumpyKernel",
    "numba": "deltacheck.kernels.jit:NumbaKernel",
}


def load(name: str) -> Callable[[Network], KernelLike]:
    """The kernel class that ``name`` stands for: ``naive``, ``numpy``, ``numba``, a path to a file, a dotted module.

    A path or module may end in ``:ClassName``; without it, it must hold exactly one class with ``forward`` and
    ``backward``. Raises ``ValueError`` with one line that says what was looked for and what was found.
    """
    where, class_name = split_name(BUILT_IN.get(name, name))
    module = _from_file(Path(where)) if where.endswith(".py") or os.sep in where else _from_module(where)
    if class_name:
        found = getattr(module, class_name, None)
        if not inspect.isclass(found) or not _is_kernel(found):
            came = "which is not there" if found is None else "which is no class with forward and backward"
            raise ValueError(f"kernel: got {name!r}; it names {class_name}, {came}{_offer(module)}")
        return found
    kernels = _kernels_in(module)
    if len(kernels) != 1:
        came = "holds no class with forward(theta, x) and backward(theta, a, y)" if not kernels else f"holds {len(kernels)} kernels"
        raise ValueError(f"kernel: {where} {came}{_offer(module)}")
    return kernels[0]


def split_name(name: str) -> tuple[str, str]:
    """Where a kernel lies, and the class that is named, if one is."""
    head, colon, tail = name.rpartition(":")
    return (head, tail) if colon and len(head) > 1 and tail.isidentifier() else (name, "")  # C:\k.py has a drive, not a class


def _offer(module: ModuleType) -> str:
    names = [kernel.__name__ for kernel in _kernels_in(module)]
    return f"; add {' or '.join(':' + name for name in names)}" if names else ""


def _kernels_in(module: ModuleType) -> list[type[KernelLike]]:
    """The kernels a module defines; those it merely imports count when it defines none (a package that re-exports)."""
    classes: list[type[KernelLike]] = [c for c in vars(module).values() if inspect.isclass(c) and c is not Kernel and _is_kernel(c)]
    return [c for c in classes if c.__module__ == module.__name__] or classes


def _is_kernel(cls: type) -> TypeGuard[type[KernelLike]]:
    return (
        not inspect.isabstract(cls)
        and not getattr(cls, "_is_protocol", False)
        and all(
            callable(getattr(cls, method, None)) and getattr(cls, method) is not getattr(Kernel, method)
            for method in ("forward", "backward")
        )
    )


def _from_module(name: str) -> ModuleType:
    known = f"{', '.join(BUILT_IN)}, a path to a .py file, or a dotted module"
    if not all(part.isidentifier() for part in name.split(".")):
        raise ValueError(f"kernel: got {name!r}; expected {known}")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise ValueError(f"kernel: got {name!r}, which is neither a built-in name nor a module; expected {known}") from None
        raise ValueError(f"kernel: importing {name} failed: {one_line(error)}") from error
    except (Exception, SystemExit) as error:
        raise ValueError(f"kernel: importing {name} failed: {one_line(error)}") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ValueError(f"kernel: {f'{path} is a folder' if path.is_dir() else f'no file at {path}'}; expected a path to a .py file")
    path = path.resolve()
    # A name of its own for each path, so that two files called my_kernel.py never meet.
    name = f"{path.stem}_{hashlib.sha256(str(path).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ValueError(f"kernel: {path} is no Python file; expected a path that ends in .py")
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # last, so that its neighbours can be imported and shadow nothing
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # pickle, dataclasses and Numba's cache look it up there
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ValueError(f"kernel: importing {path} failed: {one_line(error)}") from error
    return module
