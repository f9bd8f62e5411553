import torch
from values import values


def add(options):
    a = values([options["n"]], 1).requires_grad_(options["grad"])
    b = values([options["n"]], 2)
    return lambda: torch.add(a, b)


FAMILIES = {"add": add}
