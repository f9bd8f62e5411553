import torch
from values import values

FUNCTIONS = {
    "exp": torch.exp, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "log": torch.log, "gelu": torch.nn.functional.gelu,
    "erf": torch.erf, "relu": torch.relu, "pow": lambda x: torch.pow(x, 2.5), "sin": torch.sin}


def unary(options):
    f = FUNCTIONS[options["f"]]
    x = values([options["n"]], 1, options["low"], options["high"])
    return lambda: f(x)


def broadcast(options):
    x = values(options["shape"], 1)
    row = values(options["shape"][1:], 2)
    return lambda: x + row


FAMILIES = {"unary": unary, "broadcast": broadcast}
