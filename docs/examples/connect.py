"""Connects, opens an image, runs an ONNX model with progress, and cancels it.

python connect.py STATE_FOLDER IMAGE MODEL   (pip install websockets)
MODEL has one float32 input of shape [n, n] called x and one int64 scalar called times, e.g. test/fixtures/onnx/slow.onnx
"""
import base64, json, struct, sys
from pathlib import Path
from websockets.sync.client import connect

state, image, model = sys.argv[1:]
info = json.loads((Path(state) / "connection.json").read_text())
headers = {"Authorization": f"Bearer {info['token']}"}

with connect(info["url"], additional_headers=headers, subprotocols=["sampo.v1"], max_size=None) as socket:
    def send(method, params, **id):
        socket.send(json.dumps({"jsonrpc": "2.0", **id, "method": method, "params": params}))

    def answer(id, progress=lambda value: None):
        while (message := json.loads(socket.recv())).get("id") != id:
            if message.get("method") == "$/progress":
                progress(message["params"]["value"])
        return message.get("error") or message["result"]

    def call(id, method, params):
        send(method, params, id=id)
        return answer(id)

    call(1, "initialize", {"protocolVersion": "1.0", "client": {"name": "connect.py"}})
    send("initialized", {})
    opened = call(2, "image/open", {"uri": image, "source": "file"})
    print("image", opened["width"], "x", opened["height"])
    graph = call(3, "model/load", {"base64": base64.b64encode(Path(model).read_bytes()).decode()})
    tensor = lambda type, dims, raw: {"tensor": {"type": type, "dims": dims, "base64": base64.b64encode(raw).decode()}}
    feeds = {"x": tensor("float32", [2, 2], struct.pack("<4f", 1, 0, 0, 1)), "times": tensor("int64", [], struct.pack("<q", 1))}
    done = call(4, "model/run", {"modelId": graph["modelId"], "feeds": feeds, "repeat": 3})
    print("runs", done["runs"])

    send("model/run", {"modelId": graph["modelId"], "feeds": feeds, "repeat": 100000}, id=5)
    cancel = lambda value: value["kind"] == "begin" and send("$/cancelRequest", {"id": 5})
    print("cancelled", answer(5, cancel)["code"])
