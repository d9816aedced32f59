"""Condition b, the peer: the loop that most scripts are.

A blocking pull, a numpy ring that counts samples, a z-score, the same network, aiomqtt at QoS 1.
It filters nothing, keeps nothing, checks nothing and does nothing at a gap, and it has every
advantage that is fair: one thread, small packets sent at once, the network warm before the first.
"""

import asyncio
import json
import socket
import threading

import aiomqtt
import numpy as np
import pylsl
import torch

from models.bundle import read_bundle
from tools.bench.child import listen, settings, tell
from tools.bench.stream import LABELS, LENGTH


async def run() -> None:
    """Pull, predict, publish."""
    given = settings()
    step, offset = int(given["step"]), int(given["offset"])
    torch.set_num_threads(1)
    network = read_bundle(given["bundle"]).network
    stopped = threading.Event()
    listen(stopped.set)
    found = pylsl.resolve_byprop("source_id", given["source_id"], timeout=30.0)
    inlet = pylsl.StreamInlet(found[0], processing_flags=0)
    inlet.open_stream(timeout=10.0)
    opened = pylsl.local_clock()
    ring = np.zeros((inlet.channel_count, LENGTH))
    with torch.inference_mode():
        for _ in range(10):
            network(torch.zeros(1, *ring.shape))
    nodelay = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    async with aiomqtt.Client(
        given["host"], given["port"], protocol=aiomqtt.ProtocolVersion.V5, socket_options=nodelay
    ) as client:
        tell("ready", opened=opened)
        index = -1
        while not stopped.is_set():
            sample, stamp = inlet.pull_sample(timeout=1.0)
            if sample is None:
                continue
            got = pylsl.local_clock()
            index += 1
            ring[:, :-1] = ring[:, 1:]
            ring[:, -1] = sample
            if index < LENGTH - 1 or index % step != offset:
                continue
            scores = (ring - ring.mean(axis=1, keepdims=True)) / ring.std(axis=1, keepdims=True)
            with torch.inference_mode():
                batch = torch.from_numpy(scores.astype(np.float32))[None]
                shares = torch.softmax(network(batch)[0], dim=0).tolist()
            values = {"index": index, "stamp": stamp, "got": got, "made": pylsl.local_clock()}
            text = json.dumps({**values, "probabilities": dict(zip(LABELS, shares, strict=True))})
            await client.publish(given["topic"], text, qos=1)


if __name__ == "__main__":
    asyncio.run(run())
