# The PyTorch side of the benchmarks: reads a JSON request a line, answers with milliseconds of each repetition.
import json
import sys
import time

import torch
from torch import nn


def lenet_step(batch):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9)
    x = torch.randn(batch, 1, 28, 28)
    y = torch.randint(0, 10, (batch,))

    def step():
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()

    return step


def recurrent_step(kind, batch):
    torch.manual_seed(0)
    model = getattr(nn, kind)(128, 256)
    x = torch.randn(50, batch, 128, requires_grad=True)

    def step():
        model.zero_grad()
        x.grad = None
        model(x)[0].sum().backward()

    return step


def linalg_call(name, batch, n):
    torch.manual_seed(0)
    half = torch.randn(*([n, n] if batch == 1 else [batch, n, n]))
    a = half @ half.mT / n + torch.eye(n)
    call = getattr(torch.linalg, name)
    return (lambda: call(a, a)) if name == "solve" else (lambda: call(a))


def linalg_work(name):
    return lambda request: linalg_call(name, request["batch"], request["n"])


WORK = {
    "lenet": lambda request: lenet_step(request["batch"]),
    "LSTM": lambda request: recurrent_step("LSTM", request["batch"]),
    "GRU": lambda request: recurrent_step("GRU", request["batch"]),
}
for function in ["inv", "solve", "cholesky", "qr", "svd", "eigh"]:
    WORK["linalg." + function] = linalg_work(function)
made = {}


def answer(request):
    torch.set_num_threads(request["threads"])
    key = json.dumps({k: v for k, v in request.items() if k != "repetitions"}, sort_keys=True)
    if key not in made:
        made[key] = WORK[request["name"]](request)
        for _ in range(5):
            made[key]()
    times = []
    for _ in range(request["repetitions"]):
        start = time.perf_counter()
        made[key]()
        times.append((time.perf_counter() - start) * 1e3)
    return times


print(json.dumps({"version": torch.__version__}), flush=True)
for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
