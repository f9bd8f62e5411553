from torch.nn import functional
from values import values


def conv(options):
    backward = options["backward"]
    x = values(options["x"], 1).requires_grad_(backward)
    w = values(options["w"], 2).requires_grad_(backward)
    b = values([options["w"][1 if options["transposed"] else 0]], 3)
    rest = {name: options[name] for name in ["stride", "padding", "dilation", "groups"]}
    call = functional.conv_transpose2d if options["transposed"] else functional.conv2d
    if not backward:
        return lambda: call(x, w, b, **rest)

    def step():
        x.grad = None
        w.grad = None
        call(x, w, b, **rest).sum().backward()
        return w.grad

    return step


FAMILIES = {"conv": conv}
