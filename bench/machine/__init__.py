"""The machine: its CPU, threads, memory, peak and BLAS, and what disturbs a run."""
