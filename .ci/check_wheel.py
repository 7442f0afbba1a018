"""Check that a wheel holds every tracked file, in one namespace: paths on standard input, the wheel as argument."""

import sys
import zipfile
from pathlib import PurePosixPath

tracked = {path if path.startswith("deltacheck/") else f"deltacheck/{path}" for path in sys.stdin.read().split()}
held = {name for name in zipfile.ZipFile(sys.argv[1]).namelist() if ".dist-info/" not in name}
problems = [f"missing: {path}" for path in sorted(tracked - held)] + [f"not tracked: {path}" for path in sorted(held - tracked)]
problems += [f"outside deltacheck/: {path}" for path in held if PurePosixPath(path).parts[0] != "deltacheck"]
sys.exit("\n".join(problems) or None)
