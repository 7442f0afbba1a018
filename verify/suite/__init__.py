"""What ``pytest verify/`` runs: every kernel at every case."""
