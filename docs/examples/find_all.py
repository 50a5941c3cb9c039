"""Find all nuclei like three clicked ones, judge, refine, and run the intent over all pictures given.   (pip install plugins/napari-py tqdm)

python find_all.py OUT IMAGE [IMAGE ...]
"""
import sys
import sampo_client

out, *images = sys.argv[1:]
with sampo_client.connect() as session:
    found = session.find_all(images[0], clicks=[(289, 260), (397, 247), (141, 200)], intent="Lymphocyte")
    doubtful = session.review(found, 10)
    session.judge(found, accept=doubtful.ids[:5], reject=doubtful.ids[5:])
    print(found, session.refine(found, seconds=5).verdict, sep="\n")
    print(session.batch(images, "Lymphocyte", out))
