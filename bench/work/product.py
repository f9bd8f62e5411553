from values import values


def matmul(options):
    a = values([options["m"], options["k"]], 1)
    b = values([options["k"], options["n"]], 2)
    return lambda: a @ b


FAMILIES = {"matmul": matmul}
