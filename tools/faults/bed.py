"""One bed under one fault: broker, session, outlets and subscriber, real processes all of them."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.bundle import read_bundle
from models.errors import HemostreamError
from realtime.inference import Inference, one_thread
from realtime.rerun import predict_journal
from realtime.sinks.journal.journal import read_decisions
from tools.faults.broker import Broker, end
from tools.faults.hearing import Ear, Heard
from tools.faults.measure import OutletTruth, Shown, Timed, shown, timed

ROOT = Path(__file__).resolve().parents[2]
SESSION = "bed"
PATIENCE_S = 90.0
"""Longest wait for what must come, local s."""


@dataclass(eq=False)
class FaultyOutlet:
    """A running ``tools.faults.device``.

    Parameters
    ----------
    process : subprocess.Popen
        Of it.
    truth : path
        What it writes of what it did.
    stdout : path
        Its standard output.
    """

    process: subprocess.Popen[bytes]
    truth: Path
    stdout: Path

    def event_at(self, event: str) -> float | None:
        """Local time (s) of an event that it reported; None where it did not (yet)."""
        for line in self.stdout.read_text().splitlines():
            if line.startswith("{") and (values := json.loads(line))["event"] == event:
                return float(values["local"])
        return None


@dataclass(frozen=True, slots=True, eq=False)
class BedOutcome:
    """What became of a bed.

    Parameters
    ----------
    times : Timed
        Of the samples.
    shown : Shown
        As current.
    heard : tuple of Heard
        Decisions as they arrived.
    statuses : tuple of (float, mapping)
        When (s since 1970), and the status.
    journaled : tuple of str
        The decisions that the journal holds.
    again : tuple of str
        The decisions that follow from the journal, in another process than the session's.
    stderr : str
        What the session wrote on its error stream.
    marks : mapping of str to float
        When something was done, s since 1970.
    code : int
        Exit status of the session.
    """

    times: Timed
    shown: Shown
    heard: tuple[Heard, ...]
    statuses: tuple[tuple[float, Mapping[str, Any]], ...]
    journaled: tuple[str, ...]
    again: tuple[str, ...]
    stderr: str
    marks: Mapping[str, float]
    code: int

    def states(self, since: float = 0.0) -> list[str]:
        """The states that were published from a moment on, without repetitions."""
        states = [values["state"] for at, values in self.statuses if at >= since]
        return [state for number, state in enumerate(states) if number == 0 or states[number - 1] != state]

    def reasons(self) -> set[str]:
        """Everything that decisions gave as a reason."""
        return {reason for text in self.journaled for reason in json.loads(text)["reasons"]}


@dataclass(eq=False)
class FaultyBed:
    """What a row of the table needs; an asynchronous context.

    Parameters
    ----------
    folder : path
        Of its own.
    bundle : path
        The classifier.
    speed : float
        Stream seconds a local second.
    rate : float
        True rate of the outlets, Hz.
    pairs : int
        Source-detector pairs of the outlets.
    max_age_s, least_share : float
        The bundle's policy.
    environment : mapping
        Added to the session's.
    """

    folder: Path
    bundle: Path
    speed: float
    rate: float
    pairs: int
    max_age_s: float
    least_share: float = 0.9
    environment: Mapping[str, str] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    outlets: list[FaultyOutlet] = field(default_factory=list)
    session: subprocess.Popen[bytes] | None = None

    async def __aenter__(self) -> "FaultyBed":
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o777)
        config = self.folder / "lsl_api.cfg"
        config.write_text(
            f"[multicast]\nResolveScope = machine\n[lab]\nSessionID = faults-{uuid.uuid4().hex}\n"
            # The default range of ports holds the outlets of a few beds only.
            "[ports]\nPortRange = 400\n[log]\nlevel = -2\n",
            encoding="utf-8",
        )
        self._env = {**os.environ, "LSLAPICFG": str(config), "OMP_NUM_THREADS": "1"}
        self.broker = Broker(self.folder)
        self.broker.start()
        self.ear = Ear(self.broker.port)
        self._listening = asyncio.create_task(self.ear.listen())
        # A row that stops the broker at once would leave no subscriber for whom it keeps decisions.
        await asyncio.wait_for(self.ear.listening.wait(), PATIENCE_S)
        return self

    async def __aexit__(self, *_: object) -> None:
        for process in (self.session, *(outlet.process for outlet in self.outlets)):
            if process is not None:
                process.send_signal(signal.SIGCONT) if process.poll() is None else None
                await asyncio.to_thread(end, process)
        self._listening.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._listening
        self.broker.stop()

    @property
    def environ(self) -> dict[str, str]:
        """What processes on this bed need to find its streams and no others."""
        return dict(self._env)

    @property
    def journal(self) -> Path:
        """The session's."""
        return self.folder / "bed.hemostream"

    def mark(self, what: str) -> None:
        """Note when something was done."""
        self.marks[what] = time.time()

    def live(self, *more: str, through: Sequence[str] = ()) -> None:
        """Start the session; ``through`` are options of `tools.faults.runner`."""
        runner = ["tools.faults.runner", *through, "--"] if through else ["tools.cli"]
        command = [sys.executable, "-m", *runner, "live", "--quiet", "--allow-replay", "--wait", "60"]
        command += ["--model", str(self.bundle), "--session", SESSION, "--journal", str(self.journal)]
        command += ["--broker", self.broker.url, *more]
        with (self.folder / "live.err").open("ab") as err, (self.folder / "live.out").open("ab") as out:
            self.session = subprocess.Popen(
                command, cwd=ROOT, env={**self._env, **self.environment}, stdout=out, stderr=err
            )

    def outlet(self, *options: str, seconds: float) -> FaultyOutlet:
        """Start an outlet that sends for so many stream seconds."""
        number = len(self.outlets)
        truth, stdout = self.folder / f"truth-{number}.jsonl", self.folder / f"outlet-{number}.out"
        command = [
            sys.executable,
            "-m",
            "tools.faults.device",
            "--source-id",
            "device",
            "--seconds",
            str(seconds),
        ]
        command += ["--speed", str(self.speed), "--pairs", str(self.pairs)]
        if "--rate" not in options:
            command += ["--rate", str(self.rate)]
        with stdout.open("wb") as out:
            process = subprocess.Popen(
                [*command, "--truth", str(truth), *options], cwd=ROOT, env=self._env, stdout=out
            )
        self.outlets.append(FaultyOutlet(process, truth, stdout))
        return self.outlets[-1]

    async def until(self, holds: Any, what: str) -> None:
        """Wait for a condition.

        Raises
        ------
        HemostreamError
            It does not come true in time.
        """
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            if time.monotonic() > deadline:
                raise HemostreamError(f"Waited {PATIENCE_S:g} s in vain for {what}: {self.stderr()}")
            await asyncio.sleep(0.02)

    async def labelled(self, more: int = 3) -> None:
        """Wait until so many further decisions with a label were shown as current."""
        until = self._labelled() + more
        await self.until(lambda: self._labelled() >= until, f"{more} labelled decisions")

    def _labelled(self) -> int:
        return sum(
            one.topic == "decision" and '"label":"abstain"' not in one.text for one in self.ear.heard[SESSION]
        )

    def state(self) -> str:
        """The latest state that was published."""
        statuses = self.ear.statuses[SESSION]
        return str(json.loads(statuses[-1][1])["state"]) if statuses else ""

    def failing(self) -> bool:
        """Whether the latest status says that the journal cannot be written."""
        statuses = self.ear.statuses[SESSION]
        return bool(statuses) and bool((json.loads(statuses[-1][1])["journal"] or {}).get("failing"))

    def refused(self) -> int:
        """How many commands the session has refused, by the latest status."""
        statuses = self.ear.statuses[SESSION]
        return int((json.loads(statuses[-1][1])["commands"] or {}).get("refused", 0)) if statuses else 0

    def stderr(self) -> str:
        """What the session wrote on its error stream so far."""
        path = self.folder / "live.err"
        return path.read_text() if path.exists() else ""

    async def played(self) -> None:
        """Wait until the last outlet has sent everything, and its last decision can have come."""
        last = self.outlets[-1].process
        while last.poll() is None:
            if self.session is not None and self.session.poll() is not None:
                raise HemostreamError(
                    f"The session ended by itself (exit status {self.session.returncode}): {self.stderr()}"
                )
            await asyncio.sleep(0.1)
        await asyncio.sleep(0.5)

    async def end(self) -> BedOutcome:
        """End the session, classify its journal again, and measure."""
        assert self.session is not None
        await asyncio.to_thread(end, self.session)
        await asyncio.sleep(0.3)
        truths = [OutletTruth.read(outlet.truth) for outlet in self.outlets if outlet.truth.stat().st_size]
        again = await asyncio.to_thread(classified_again, self.journal, self.bundle)
        heard = tuple(self.ear.heard[SESSION])
        return BedOutcome(
            times=timed(self.journal, truths),
            shown=shown(
                heard,
                truths,
                max_age_s=self.max_age_s,
                least_share=self.least_share,
                slack_s=0.5 * self.speed,
            ),
            heard=heard,
            statuses=tuple((at, json.loads(text)) for at, text in self.ear.statuses[SESSION]),
            journaled=tuple(read_decisions(self.journal)),
            again=again,
            stderr=self.stderr(),
            marks=dict(self.marks),
            code=self.session.returncode,
        )


def classified_again(journal: Path, bundle: Path) -> tuple[str, ...]:
    """What `hemostream classify` makes of a journal, without the seconds in which a process imports it."""
    one_thread()
    classifier = read_bundle(bundle)
    left_out: list[str] = []
    decisions = predict_journal(journal, classifier, Inference(classifier), report=left_out.append)
    return tuple(decision.to_json() for decision in decisions)
