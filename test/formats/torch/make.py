"""Makes the files of this folder, as PyTorch itself writes them: python3 test/formats/torch/make.py (made with torch 2.13).

Elements count up from 0 in row-major order, so that the tests know what to expect.
"""

import argparse
import collections
import os

import numpy
import torch

HERE = os.path.dirname(os.path.abspath(__file__))


def counting(*shape, dtype=torch.float32):
    count = int(numpy.prod(shape))
    return torch.arange(count).to(dtype).reshape(shape)


def save(value, name, **options):
    torch.save(value, os.path.join(HERE, name + ".pt"), **options)
    torch.save(value, os.path.join(HERE, name + ".legacy.pt"), _use_new_zipfile_serialization=False, **options)


flat = counting(6)
base = counting(4, 6)
weight = torch.nn.Parameter(counting(3, 2))
weight.note = "a parameter with attributes"
model = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
with torch.no_grad():
    for tensor in model.state_dict().values():
        tensor.copy_(counting(*tensor.shape, dtype=tensor.dtype))
metadata = dict(
    epoch=3,
    best=numpy.float64(91.5),
    rng=numpy.arange(4),
    args=argparse.Namespace(lr=0.1, device=torch.device("cpu")),
    milestones=collections.Counter([1, 2]),
    dtype=torch.float32,
    big=10**20,
    blob=b"bytes",
)
save(
    dict(
        **metadata,
        state_dict=model.state_dict(),
        optimizer=dict(state=collections.defaultdict(dict, {0: dict(step=torch.tensor(0.0), exp_avg=counting(2, 1, 3, 3))})),
        parameter=weight,
        items=[counting(2), (counting(3),)],
        tied=[base, base],
        base=base,
        row=base[1],
        transposed=counting(5, 3).t().contiguous().t(),
        channels=counting(2, 3, 2, 2).to(memory_format=torch.channels_last),
        halves=[flat[:2].reshape(1, 2), flat[2:].reshape(2, 2)],
        expanded=counting(1, 3).expand(2, 3),
        part=counting(2000)[10:12],
        empty=torch.zeros(0, 3),
        scalar=torch.tensor(0.0),
    ),
    "checkpoint",
)
save(
    {
        str(dtype)[6:]: counting(2, 3, dtype=dtype)
        for dtype in [
            *[torch.float16, torch.bfloat16, torch.float64, torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8],
            *[torch.bool, torch.complex64, torch.complex128, torch.uint16, torch.uint32, torch.uint64],
            *[torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e4m3fnuz, torch.float8_e5m2fnuz],
        ]
    },
    "dtypes",
)
save(model.state_dict(), "protocol4", pickle_protocol=4)
# The old format would hold the source of its classes.
torch.save(model, os.path.join(HERE, "module.pt"))
torch.serialization.set_crc32_options(False)
torch.save(model.state_dict(), os.path.join(HERE, "unchecked.pt"))
