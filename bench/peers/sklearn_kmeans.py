"""scikit-learn's KMeans on a file of float32 values, from even steps: prints one line of JSON.

usage: sklearn_kmeans.py FILE CENTROIDS RUNS
"""

import json
import sys
import time
import warnings

import numpy
import sklearn
from sklearn.cluster import KMeans
from threadpoolctl import threadpool_limits

MOST_ITERATIONS = 300


def main(path, centroids, runs):
    values = numpy.fromfile(path, dtype="<f4").astype(numpy.float64).reshape(-1, 1)
    start = numpy.linspace(values.min(), values.max(), centroids).reshape(-1, 1)
    seconds = []
    with threadpool_limits(limits=1), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(runs):
            model = KMeans(n_clusters=centroids, init=start, n_init=1, max_iter=MOST_ITERATIONS, algorithm="lloyd")
            began = time.perf_counter()
            model.fit(values)
            seconds.append(time.perf_counter() - began)
    print(
        json.dumps(
            {
                "version": sklearn.__version__,
                "seconds": seconds,
                "iterations": int(model.n_iter_),
                "inertia": float(model.inertia_),
                "centroids": sorted(model.cluster_centers_.ravel().tolist()),
            }
        )
    )


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
