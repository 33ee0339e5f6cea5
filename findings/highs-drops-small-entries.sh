#!/bin/bash
# scipy's HiGHS drops matrix entries of 1e-9 or less without a word, so that a bounded program is reported as unbounded.
#
#     maximise t  with  1e-9 t <= x,  x <= 1,  x, t >= 0
#
# has the optimum t = 1e9 (x = 1). With 1.1e-9 in place of 1e-9 the answer is right.
# Exits 0 while this is so, and 1 when the answer has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -q scipy==1.17.1
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys

import scipy
from scipy.optimize import linprog


def optimum(entry):
    return linprog([0.0, -1.0], A_ub=[[-1.0, entry]], b_ub=[0.0], bounds=[(0, 1), (0, None)], method="highs-ds")


kept, dropped = optimum(1.1e-9), optimum(1e-9)
print("scipy", scipy.__version__)
print("entry 1.1e-9: expected status 0, t = 9.09e+08; found status", kept.status, "t =", None if kept.x is None else kept.x[1])
print("entry 1e-9:   expected status 0, t = 1e+09;    found status", dropped.status, dropped.message)
sys.exit(0 if (kept.status, dropped.status) == (0, 3) else 1)
PYTHON
