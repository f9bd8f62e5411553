# PyTorch's side of the comparison: a JSON request a line on standard input, an answer a line on standard output.
import importlib
import json
import os
import sys
import time

WORK = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "work")
sys.dont_write_bytecode = True
sys.path.insert(0, WORK)

import torch

STEPS_BEFORE = 2
LONG = 1000
MOST_REPETITIONS = 2000
FAMILIES = {}
for file in sorted(os.listdir(WORK)):
    if file.endswith(".py"):
        FAMILIES.update(getattr(importlib.import_module(file[:-3]), "FAMILIES", {}))


def prepare(family, options):
    step = FAMILIES[family](options)
    digests = []
    for i in range(STEPS_BEFORE + 1):
        start = time.perf_counter()
        y = step()
        milliseconds = (time.perf_counter() - start) * 1e3
        if i != 1:
            y = y.detach().double()
            digests.append([y.mean().item(), y.abs().mean().item()])
        if i == 0 and milliseconds > LONG:
            return step, {"digests": digests, "long": milliseconds}
    return step, {"digests": digests}


def times(step, repeat, milliseconds):
    spent = []
    end = time.perf_counter() + milliseconds / 1e3
    while True:
        start = time.perf_counter()
        for _ in range(repeat):
            step()
        now = time.perf_counter()
        spent.append((now - start) * 1e3 / repeat)
        if now >= end or len(spent) == MOST_REPETITIONS:
            return spent


torch.set_num_threads(int(os.environ["CHAINRULE_BENCH_THREADS"]))
print(json.dumps({"name": "PyTorch", "version": torch.__version__}), flush=True)
step = None
for line in sys.stdin:
    request = json.loads(line)
    try:
        if "prepare" in request:
            step, answer = prepare(**request["prepare"])
        else:
            answer = {"times": times(step, **request["time"])}
    except Exception as error:
        answer = {"absent": repr(error)}
    print(json.dumps(answer), flush=True)
