"""The same job as outlines.ts with scikit-image: label image -> contours per object -> GeoJSON file. Prints seconds, bytes, peak memory."""

import json
import resource
import sys
import time

import numpy as np
import skimage
from skimage.measure import find_contours, regionprops

path, side, out = sys.argv[1], int(sys.argv[2]), sys.argv[3]
labels = np.fromfile(path, np.int32).reshape(side, side)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
start = time.perf_counter()
cpu = time.process_time()
with open(out, "w", encoding="utf-8") as file:
    file.write('{"type":"FeatureCollection","features":[')
    for index, region in enumerate(regionprops(labels)):
        top, left = region.bbox[:2]
        contours = find_contours(np.pad(region.image, 1).astype(np.float32), 0.5)
        rings = [np.round((c[:, ::-1] + (left - 0.5, top - 0.5)) * 2, 2).tolist() for c in contours]
        feature = {
            "type": "Feature",
            "id": f"00000000-0000-8000-8000-{index:012x}",
            "geometry": {"type": "Polygon", "coordinates": rings},
            "properties": {
                "objectType": "detection",
                "classification": {"name": "Nucleus", "color": [160, 90, 160]},
                "measurements": {"SAMPO score": 0.5},
            },
        }
        file.write(("," if index else "") + json.dumps(feature, separators=(",", ":")))
    file.write("]}")
    size = file.tell()
seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"library": f"scikit-image {skimage.__version__}", "seconds": seconds, "cpuSeconds": cpu_seconds, "bytes": size, "peakMegabytes": peak, "ofWhichBeforeStart": before}))
