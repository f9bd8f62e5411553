import torch
from values import values

FUNCTIONS = {
    "sum over rows": lambda x: x.sum(0), "sum over columns": lambda x: x.sum(1), "mean over rows": lambda x: x.mean(0),
    "mean over columns": lambda x: x.mean(1), "softmax": lambda x: torch.softmax(x, 1),
    "layer norm": lambda x: torch.nn.functional.layer_norm(x, [x.shape[1]])}


def reduce(options):
    f = FUNCTIONS[options["f"]]
    x = values(options["shape"], 1)
    return lambda: f(x)


FAMILIES = {"reduce": reduce}
