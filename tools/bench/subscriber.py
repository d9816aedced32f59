"""The subscriber: notes when each decision was in its hand, and what it was."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from pathlib import Path

import aiomqtt
import pylsl

from tools.bench.child import listen, settings, tell


async def run() -> None:
    """Subscribe to all conditions until asked to stop, then write down what came."""
    given = settings()
    loop = asyncio.get_running_loop()
    came: list[tuple[float, str, bytes]] = []

    async def receive() -> None:
        async with aiomqtt.Client(
            given["host"], given["port"], protocol=aiomqtt.ProtocolVersion.V5
        ) as client:
            for topic in given["topics"]:
                await client.subscribe(topic, qos=1)
            await client.subscribe(given["status"], qos=1)
            tell("ready")
            async for message in client.messages:
                now = pylsl.local_clock()
                name, payload = str(message.topic), message.payload
                assert isinstance(payload, bytes)
                if name == given["status"]:
                    tell(f"status {json.loads(payload)['state']}")
                else:
                    came.append((now, name, payload))

    task = asyncio.create_task(receive())

    def report() -> None:
        lines = [json.dumps([at, name, payload.decode("latin-1")]) for at, name, payload in list(came)]
        Path(given["out"]).write_text("\n".join(lines), encoding="utf-8")
        tell("reported", messages=len(lines))

    def soon(call: Callable[[], object]) -> Callable[[], None]:
        def hand_over() -> None:
            loop.call_soon_threadsafe(call)

        return hand_over

    listen(soon(task.cancel), report=soon(report))
    with contextlib.suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    asyncio.run(run())
