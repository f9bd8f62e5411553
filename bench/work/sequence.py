from torch import nn
from values import fill, values


def backward(model, outputs, x):
    x.requires_grad_()

    def step():
        model.zero_grad(set_to_none=True)
        x.grad = None
        outputs(x).square().sum().backward()
        return x.grad

    return step


def recurrent(options):
    model = fill(getattr(nn, options["kind"])(options["inputs"], options["units"]))
    return backward(model, lambda x: model(x)[0], values([options["steps"], options["batch"], options["inputs"]], 100))


def encoder(options):
    model = fill(nn.TransformerEncoderLayer(
        options["features"], options["heads"], options["hidden"], dropout=0, batch_first=True))
    return backward(model, model, values([options["batch"], options["steps"], options["features"]], 100))


FAMILIES = {"recurrent": recurrent, "encoder": encoder}
