from torch import nn
from train import inference, training
from values import fill, labels, values


def mlp(options):
    sizes, batch, optimizer = options["sizes"], options["batch"], options["optimizer"]
    layers = []
    for i in range(1, len(sizes)):
        if i > 1:
            layers.append(nn.Tanh() if sizes[-1] == 1 else nn.ReLU())
        layers.append(nn.Linear(sizes[i - 1], sizes[i]))
    model = fill(nn.Sequential(*layers))
    x = values([batch, sizes[0]], 100)
    if optimizer == "none":
        return inference(model, x)
    y = values([batch, 1], 101) if sizes[-1] == 1 else labels([batch], 101, sizes[-1])
    return training(model, x, y, optimizer)


FAMILIES = {"mlp": mlp}
