"""How fast is it? Kernels timed side by side, each verified before it is timed."""
