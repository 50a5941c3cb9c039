"""Clicks in, all nuclei of the type out: opens an image, makes an intent, segments, and writes GeoJSON.

python segment.py STATE_FOLDER IMAGE OUT.geojson CLASS X,Y [X,Y ...]   (pip install websockets)
"""
import json, sys
from itertools import count
from pathlib import Path
from websockets.sync.client import connect

state, image, out, name, *places = sys.argv[1:]
info = json.loads((Path(state) / "connection.json").read_text())
headers = {"Authorization": f"Bearer {info['token']}"}

with connect(info["url"], additional_headers=headers, subprotocols=["sampo.v1"], max_size=None) as socket:
    ids = count(1)

    def send(method, params, **id):
        socket.send(json.dumps({"jsonrpc": "2.0", **id, "method": method, "params": params}))

    def call(method, params, progress=lambda value: None):
        id = next(ids)
        send(method, params, id=id)
        while (message := json.loads(socket.recv())).get("id") != id:
            if message.get("method") == "$/progress":
                progress(message["params"]["value"])
        if "error" in message:
            sys.exit(f"{message['error']['message']} ({message['error']['data']['hint']})")
        return message["result"]

    call("initialize", {"protocolVersion": "1.0", "client": {"name": "segment.py"}})
    send("initialized", {})
    opened = call("image/open", {"uri": str(Path(image).resolve()), "source": "file"})
    print("image", opened["width"], "x", opened["height"])
    intent = call("intent/create", {"name": name})["intent"]

    clicks = [dict(zip("xy", map(float, place.split(",")))) for place in places]
    streamed = []
    # Objects come tile by tile, the clicked tiles first; a viewer draws them at once.
    found = call(
        "segment/prompt",
        {
            "imageId": opened["imageId"],
            "intents": [{"intentId": intent["intentId"], "clicks": clicks}],
            "extent": {"type": "image"},
        },
        progress=lambda value: streamed.extend(value.get("objects", [])),
    )
    for warning in found["warnings"]:
        print("note:", warning["message"])
    for tile in found["tiles"]["failed"]:
        print(f"failed at {tile['x']}, {tile['y']}: {tile['error']}")
    # The first tiles were answered before the others were known: the answer is what counts.
    print("streamed", len(streamed), "answered", len(found["featureCollection"]["features"]))
    Path(out).write_text(json.dumps(found["featureCollection"]), encoding="utf-8")
