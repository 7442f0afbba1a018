"""The verifier's own exam: planted bugs that it must catch, right kernels that it must not fail, and the rules of other tools.

Run it with ``python -m deltacheck.verify.exam``.
"""
