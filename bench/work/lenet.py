from torch import nn
from train import inference, training
from values import fill, labels, values


def lenet(options):
    model = fill(nn.Sequential(
        nn.Conv2d(1, 20, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(20, 50, 5), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(800, 500), nn.ReLU(), nn.Linear(500, 10)))
    x = values([options["batch"], 1, 28, 28], 100)
    return training(model, x, labels([options["batch"]], 101, 10), "momentum") if options["train"] else inference(model, x)


FAMILIES = {"lenet": lenet}
