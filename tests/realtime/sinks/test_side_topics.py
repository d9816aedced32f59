"""The other topics over a real broker: what passes is dropped rather than kept, commands are answered."""

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import aiomqtt

import tools
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


def test_the_shipped_access_list_lets_the_desk_alone_ask(
    mosquitto_path: str, tmp_path: Path, soon: Soon
) -> None:
    """Of the example for a ward: who may write commands, and what else the ward sees."""
    assets = Path(tools.__file__).parent / "assets" / "mosquitto"
    for name in ("passwords", "acl"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o700)
    (tmp_path / "acl").write_text((assets / "acl").read_text())
    tool = shutil.which("mosquitto_passwd") or str(Path(mosquitto_path).with_name("mosquitto_passwd"))
    users = ("bed-1", "bed-2", "ward", "desk")
    for user in users:
        subprocess.run([tool, "-b", str(tmp_path / "passwords"), user, "x"], check=True, capture_output=True)
    settings = f"allow_anonymous false\npassword_file {tmp_path}/passwords\nacl_file {tmp_path}/acl"
    broker = Mosquitto(mosquitto_path, tmp_path, settings)
    broker.start()
    side = [
        f"hemostream/bed-1/{what}" for what in ("alive", "alarms", "channels", "signals", "command/answer")
    ]
    asked = [f"hemostream/bed-1/command/{what}" for what in ("event", "acknowledge")]
    announced = "homeassistant/device/hemostream-bed-1/config"

    async def scenario() -> dict[str, list[tuple[str, bytes]]]:
        heard: dict[str, list[tuple[str, bytes]]] = {user: [] for user in users}

        async def listen(user: str, client: aiomqtt.Client) -> None:
            async for message in client.messages:
                assert isinstance(message.payload, bytes)
                heard[user].append((str(message.topic), message.payload))

        async with AsyncExitStack() as stack:
            clients = {}
            for user in users:
                client = aiomqtt.Client("127.0.0.1", broker.port, username=user, password="x")
                clients[user] = await stack.enter_async_context(client)
                await clients[user].subscribe("hemostream/#", qos=1)
            listening = [asyncio.create_task(listen(user, client)) for user, client in clients.items()]
            for user in users:
                for where in (*side, *asked, announced):
                    await clients[user].publish(where, user.encode(), qos=1)
            await clients["desk"].publish(asked[0], b"last", qos=1)
            await clients["bed-1"].publish(side[0], b"last", qos=1)
            await soon(lambda: (asked[0], b"last") in heard["bed-1"], "the last command")
            await soon(lambda: all((side[0], b"last") in heard[user] for user in ("ward", "desk")), "the end")
            for task in listening:
                task.cancel()
        return heard

    try:
        heard = asyncio.run(scenario())
    finally:
        broker.kill()
    assert heard["bed-2"] == []
    assert [one for one in heard["bed-1"] if one[1] != b"last"] == [(where, b"desk") for where in asked]
    for user in ("ward", "desk"):
        seen = [one for one in heard[user] if one[1] != b"last"]
        assert seen == [(where, b"bed-1") for where in side]
