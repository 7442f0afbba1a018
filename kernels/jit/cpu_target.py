"""What compiled code is made for: the CPU that Numba compiles for, its vectors, and the register tile that suits them."""

from __future__ import annotations

from typing import Any

from numba import config
from numba.core.registry import cpu_target

JIT_DISABLED = bool(config.DISABLE_JIT)  # type: ignore[attr-defined]
BOUNDS_CHECKED = bool(config.BOUNDSCHECK)  # type: ignore[attr-defined]


def _target() -> tuple[str, str, frozenset[str]]:
    """Machine, CPU name and features as Numba compiles for them; NUMBA_CPU_NAME and NUMBA_CPU_FEATURES count."""
    triple, cpu, features = cpu_target.target_context.codegen().magic_tuple()
    return triple.partition("-")[0], cpu, frozenset(name[1:] for name in features.split(",") if name.startswith("+"))


MACHINE, CPU, FEATURES = _target()

# The widest vectors: AVX-512, AVX, else the 16 bytes that every 64-bit CPU has (SSE2, NEON).
VECTOR_BYTES = 64 if "avx512f" in FEATURES else 32 if "avx" in FEATURES else 16

# The tile's sums stay in registers: 12 × 2 of the 32 that AVX-512 and ARM have, 6 × 2 of 16. Beside them, two vectors of the
# right matrix and one number of the left one, spread over a vector.
TILE_ROWS = 12 if VECTOR_BYTES == 64 or MACHINE in ("aarch64", "arm64") else 6
TILE_VECTORS = 2


def about() -> dict[str, Any]:
    """The path taken, for a run's description: CPU, bits of a vector, rows × vectors of the register tile, whether JIT is on."""
    return {"numba_cpu": CPU, "vector_bits": 8 * VECTOR_BYTES, "register_tile": f"{TILE_ROWS}x{TILE_VECTORS}", "jit": not JIT_DISABLED}
