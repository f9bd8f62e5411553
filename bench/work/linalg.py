import torch
from values import values

FUNCTIONS = {
    "inv": torch.linalg.inv, "solve": lambda a: torch.linalg.solve(a, a), "cholesky": torch.linalg.cholesky,
    "qr": lambda a: torch.linalg.qr(a)[1].abs(), "svd": lambda a: torch.linalg.svd(a)[1],
    "eigh": lambda a: torch.linalg.eigh(a)[0]}


def linalg(options):
    n = options["shape"][-1]
    half = values(options["shape"], 1)
    a = half @ half.mT / n + torch.eye(n)
    f = FUNCTIONS[options["f"]]
    return lambda: f(a)


FAMILIES = {"linalg": linalg}
