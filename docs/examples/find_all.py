"""Find all nuclei like three clicked ones, judge, refine, and run the intent over more pictures.   (pip install napari-sampo tqdm)"""
import sys
from tqdm import tqdm
import sampo_client

image, out = sys.argv[1:3]
with sampo_client.connect() as session:
    found = session.find_all(image, clicks=[(289, 260), (397, 247), (141, 200)], intent="Lymphocyte")
    doubtful = session.review(found, 10)
    session.judge(found, accept=doubtful.ids[:5], reject=doubtful.ids[5:])
    print(found, session.refine(found, seconds=5).verdict, sep="\n")
    for path in tqdm(sys.argv[1:2] + sys.argv[3:]):
        session.find_all(path, intent="Lymphocyte").to_geojson(f"{out}/{path.split('/')[-1]}.geojson")
