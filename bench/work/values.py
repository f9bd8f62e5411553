# The numbers the work is done on, as work.ts makes them.
import numpy as np
import torch

PRIME = 2147483647


def numbers(size, seed, low=-1.0, high=1.0):
    h = (np.arange(size, dtype=np.int64) * 48271 + seed * 7919 + 1) % PRIME
    return (low + (high - low) * (h * (h % 65536) % PRIME) / PRIME).astype(np.float32)


def values(shape, seed, low=-1.0, high=1.0):
    return torch.from_numpy(numbers(int(np.prod(shape)), seed, low, high)).reshape(shape)


def labels(shape, seed, n):
    return torch.from_numpy(np.minimum(n - 1, numbers(int(np.prod(shape)), seed, 0, n).astype(np.int64))).reshape(shape)


def fill(model):
    for k, p in enumerate(model.parameters()):
        bound = (p.numel() / p.shape[0]) ** -0.5 if p.dim() > 1 else 0.1
        p.data = values(list(p.shape), k + 1, -bound, bound)
    return model
