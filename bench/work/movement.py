import torch
from values import labels, values


def movement(options):
    rows, columns = options["shape"]
    x = values([rows, columns], 1)
    if options["f"] == "transpose":
        return lambda: x.t().contiguous()
    if options["f"] == "cat":
        other = values([rows, columns], 2)
        return lambda: torch.cat([x, other], 1)
    if options["f"] == "gather":
        index = labels([rows, columns], 2, columns)
        return lambda: torch.gather(x, 1, index)
    index = labels([rows], 2, rows)
    return lambda: torch.index_select(x, 0, index)


def embedding(options):
    weight = values([options["rows"], options["columns"]], 1).requires_grad_()
    index = labels([options["n"]], 2, options["rows"])

    def step():
        weight.grad = None
        torch.nn.functional.embedding(index, weight).sum().backward()
        return weight.grad

    return step


FAMILIES = {"movement": movement, "embedding": embedding}
