import torch
from values import values

OPTIMIZERS = {
    "momentum": lambda params: torch.optim.SGD(params, lr=0.1, momentum=0.9),
    "Adam": lambda params: torch.optim.Adam(params, lr=0.1),
    "AdamW": lambda params: torch.optim.AdamW(params, lr=0.1, weight_decay=0.1)}


def optimizer(options):
    sizes = options["sizes"]
    shapes = [shape for i, n in enumerate(sizes[1:]) for shape in ([n, sizes[i]], [n])]
    params = []
    for k, shape in enumerate(shapes):
        p = torch.nn.Parameter(values(shape, 2 * k + 1, 0, 1))
        p.grad = values(shape, 2 * k + 2, -0.25, 1)
        params.append(p)
    optimizer = OPTIMIZERS[options["optimizer"]](params)

    def step():
        optimizer.step()
        return params[0]

    return step


FAMILIES = {"optimizer": optimizer}
