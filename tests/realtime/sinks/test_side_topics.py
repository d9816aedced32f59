"""The other topics over a real broker: what passes is dropped rather than kept, commands are answered."""

import asyncio
from collections.abc import Awaitable, Callable

import aiomqtt

from realtime.messages.commands import Answer
from realtime.sinks.mqtt.outbox import Letter
from realtime.sinks.mqtt.sink import MqttSink
from realtime.status import Status
from tests.realtime.sinks.support import Mosquitto, some_decision

Soon = Callable[..., Awaitable[None]]
COMMANDS = ("command/event", "command/acknowledge")


def a_sink(url: str) -> MqttSink:
    return MqttSink(
        url,
        session="bed-1",
        last_will=Status.lost("bed-1", 1).to_json(),
        on_trouble=lambda _: None,
        environ={},
    )


def test_signals_pass_alarms_stay_and_commands_are_answered(mosquitto: Mosquitto, soon: Soon) -> None:
    async def scenario() -> None:
        came: list[tuple[str, bytes, bool]] = []
        sink = a_sink(mosquitto.url)

        def received(name: str, payload: bytes, retained: bool) -> None:
            came.append((name, payload, retained))
            answer = Answer(session="bed-1", run=1, id="a", command=name, ok=True)
            sink.side.answer(answer.to_json())

        sink.side.listen(COMMANDS, received)
        sink.side.retain("alarms", "old")
        async with aiomqtt.Client("127.0.0.1", mosquitto.port) as ear:
            heard: list[aiomqtt.Message] = []
            await ear.subscribe("hemostream/bed-1/#", qos=1)

            async def listen() -> None:
                async for message in ear.messages:
                    heard.append(message)

            listening = asyncio.create_task(listen())
            async with sink:
                await soon(lambda: sink.connected, "the broker")
                sink.side.retain("alarms", "latest")
                assert sink.side.send("signals", "one")
                assert not sink.side.send("signals", "two")  # the first is still on its way
                await soon(lambda: any(str(m.topic).endswith("signals") for m in heard), "signals")
                while not came:  # until the subscription is there
                    await ear.publish("hemostream/bed-1/command/event", b"{}", qos=1)
                    await asyncio.sleep(0.02)
                await soon(lambda: any(str(m.topic).endswith("answer") for m in heard), "the answer")
                sink.side.pause(True)
                await soon(lambda: not sink.side.listening, "silence")
                before = len(came)
                await ear.publish("hemostream/bed-1/command/event", b"{}", qos=1)
                await ear.publish("hemostream/bed-1/marker", b"", qos=1)
                await soon(lambda: any(str(m.topic).endswith("marker") for m in heard), "the marker")
                assert len(came) == before
                sink.side.pause(False)
                await soon(lambda: sink.side.listening, "listening")
                assert await sink.drain()
            listening.cancel()
        assert came[0] == ("event", b"{}", False)
        assert sink.side.dropped["signals"] == 1
        assert sink.side.sent["signals"] == 1
        kept = [m.payload for m in heard if str(m.topic).endswith("alarms")]
        assert kept[-1] == b"latest"
        assert not any(m.retain for m in heard if str(m.topic).endswith("signals"))
        (answer, *_) = [m for m in heard if str(m.topic).endswith("answer")]
        assert Answer.from_json(bytes(answer.payload)).ok  # type: ignore[arg-type]

    asyncio.run(scenario())


def test_without_a_broker_what_passes_is_counted_and_decisions_wait(mosquitto: Mosquitto, soon: Soon) -> None:
    async def scenario() -> None:
        mosquitto.kill()
        sink = a_sink(mosquitto.url)
        async with sink:
            for i in range(5):
                assert not sink.side.send("signals", "x")
                decision = some_decision(i)
                sink.publish(Letter(1, i, decision.to_json()))
            sink.side.answer("x")
            assert sink.side.dropped == {"signals": 5, "command/answer": 1}
            assert sink.waiting == 5
            mosquitto.start()
            await soon(lambda: sink.connected and not sink.waiting, "the decisions", within_s=20.0)
            assert sink.side.send("signals", "x")
            await soon(lambda: sink.side.sent["signals"] == 1, "signals")

    asyncio.run(scenario())
