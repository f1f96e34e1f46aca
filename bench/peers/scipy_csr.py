"""SciPy's CSR on the inputs of bench/native/spmv.c, told what to do in the words of bench/native/main.c.

usage: scipy_csr.py csr-layer INPUT
"""

import sys
import time

import numpy
from scipy.sparse import csr_matrix


def read_arrays(path):
    data = numpy.fromfile(path, dtype=numpy.uint8)
    word = lambda at: int(data[at : at + 8].view(numpy.uint64)[0])
    arrays = []
    at = 8
    for _ in range(word(0)):
        length = word(at)
        arrays.append(data[at + 8 : at + 8 + length])
        at += 8 + (length + 15) // 16 * 16
    return arrays


def main(path):
    numbers, starts, columns, values, x = read_arrays(path)
    inputs, outputs, batch, count = (int(number) for number in numbers.view(numpy.float64))
    matrix = csr_matrix(
        (values.view(numpy.float32), columns.view(numpy.int32), starts.view(numpy.int32)), shape=(outputs, inputs)
    )
    samples = x.view(numpy.float32).reshape(count, batch, inputs)
    products = [None] * count
    at = 0

    def run(calls):
        nonlocal at
        for _ in range(calls):
            products[at] = matrix @ samples[at, 0] if batch == 1 else (matrix @ samples[at].T).T
            at = (at + 1) % count

    for line in sys.stdin:
        verb, _, rest = line.rstrip("\n").partition(" ")
        if verb == "run":
            began = time.perf_counter_ns()
            run(int(rest))
            answer = time.perf_counter_ns() - began
        elif verb == "write":
            answer = numpy.ascontiguousarray(numpy.stack(products), dtype="<f4").tofile(rest)
        else:
            raise SystemExit(f"not understood: {line}")
        print(answer, flush=True)


main(sys.argv[2])
