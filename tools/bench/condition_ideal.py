"""Condition c, the floor: the three bare hops in sequence, and nothing else.

One blocking pull, one forward on a prepared tensor, one QoS 1 publish written straight to the
socket by a bare paho client without thread or loop.  No program that does the work can be faster.
"""

import socket
import struct
import threading

import paho.mqtt.client as mqtt
import pylsl
import torch
from paho.mqtt.enums import CallbackAPIVersion

from models.bundle import read_bundle
from tools.bench.child import listen, settings, tell
from tools.bench.stream import LENGTH

PAYLOAD = 900
"""Bytes, about those of a decision."""
HEAD = struct.Struct("<qddd")
"""Index and stamp of the completing sample; when it was in hand, and when it was classified."""


def main() -> None:
    given = settings()
    step, offset = int(given["step"]), int(given["offset"])
    torch.set_num_threads(1)
    network = read_bundle(given["bundle"]).network
    stopped = threading.Event()
    listen(stopped.set)
    found = pylsl.resolve_byprop("source_id", given["source_id"], timeout=30.0)
    inlet = pylsl.StreamInlet(found[0], processing_flags=0)
    inlet.open_stream(timeout=10.0)
    batch = torch.zeros(1, inlet.channel_count, LENGTH)
    client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
    client.connect(given["host"], given["port"], keepalive=600)
    while not client.is_connected():
        client.loop(timeout=0.1)
    connection = client.socket()
    assert isinstance(connection, socket.socket)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    rest = bytes(PAYLOAD - HEAD.size)
    with torch.inference_mode():
        for _ in range(10):
            network(batch)
        tell("ready")
        index = -1
        while not stopped.is_set():
            sample, stamp = inlet.pull_sample(timeout=1.0)
            if sample is None:
                continue
            index += 1
            if index < LENGTH - 1 or index % step != offset:
                continue
            got = pylsl.local_clock()
            network(batch)
            client.publish(given["topic"], HEAD.pack(index, stamp, got, pylsl.local_clock()) + rest, qos=1)
            client.loop(timeout=0.005)  # the acknowledgement, after the decision is on its way
    client.disconnect()


if __name__ == "__main__":
    main()
