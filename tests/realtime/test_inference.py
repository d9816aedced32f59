"""Windows in, logits out: padded, recorded, and each as if it were alone."""

import json
import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from models.bundle import Bundle
from models.cards.window_card import WindowCard
from models.errors import HemostreamError, SignalError
from models.networks.registry import NETWORKS, make_model
from models.probabilities import probabilities
from realtime.inference import NOT_PREDICTED, Inference, available_devices, predict
from realtime.quality.policy import WHOLE, Reason
from realtime.windows import Window

CHANNELS, SAMPLES = 5, 35


def make_bundle(name: str = "cgrnn") -> Bundle:
    network: dict[str, Any] = {
        "kind": name,
        "params": {},
        "n_chans": CHANNELS,
        "n_times": SAMPLES,
        "n_outputs": 3,
    }
    card = WindowCard(
        model=network,
        input={},
        pipeline=[],
        rate=5.0,
        window={"length_s": 7.0, "step_s": 1.0},
        labels=["a", "b", "c"],
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Bundle(card, make_model(**network).eval())


def windows(count: int, seed: int = 0) -> np.ndarray:
    draws = np.random.default_rng(seed)
    return draws.standard_normal((count, CHANNELS, SAMPLES), dtype=np.float32)


@pytest.fixture(scope="module")
def on_cpu() -> Inference:
    return Inference(make_bundle(), device="cpu")


@pytest.mark.parametrize(
    ("count", "expected"),
    [(1, [1]), (2, [8] * 2), (8, [8] * 8), (9, [64] * 9), (65, [64] * 64 + [1]), (70, [64] * 64 + [8] * 6)],
)
def test_pads_to_the_smallest_size_and_says_which(on_cpu: Inference, count: int, expected: list[int]) -> None:
    logits, sizes = on_cpu.logits(windows(count))
    assert sizes.tolist() == expected
    assert logits.shape == (count, 3)
    assert logits.dtype == np.float32


def test_agrees_with_the_bare_network(on_cpu: Inference) -> None:
    data = windows(70)
    with torch.inference_mode():
        bare = make_bundle().network(torch.from_numpy(data)).numpy()
    np.testing.assert_allclose(on_cpu.logits(data)[0], bare, rtol=0, atol=1e-5)
    with torch.inference_mode():
        alone = make_bundle().network(torch.from_numpy(data[:1])).numpy()
    np.testing.assert_allclose(on_cpu.logits(data[:1])[0], alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NETWORKS)
@settings(max_examples=25, deadline=None)
@given(counts=st.lists(st.integers(1, 80), min_size=1, max_size=4), seed=st.integers(0, 2**16))
def test_computed_again_alone_at_the_recorded_size_is_bitwise_the_same(
    name: str, counts: list[int], seed: int
) -> None:
    """What `classify JOURNAL` does: each window by itself, padded as it was live."""
    inference = Inference(make_bundle(name), device="cpu")
    live = []
    for i, count in enumerate(counts):
        data = windows(count, seed + i)
        live += list(zip(data, *inference.logits(data), strict=True))
    for window, row, size in live[::5]:
        again, (used,) = inference.logits(window[np.newaxis], size=int(size))
        assert used == size
        np.testing.assert_array_equal(again[0], row)


def test_what_was_given_stays_and_what_came_out_is_kept(on_cpu: Inference) -> None:
    data = windows(3)
    before = data.copy()
    first, _ = on_cpu.logits(data)
    kept = first.copy()
    on_cpu.logits(windows(3, seed=9))
    np.testing.assert_array_equal(data, before)
    np.testing.assert_array_equal(first, kept)


def test_no_window_gives_no_logits(on_cpu: Inference) -> None:
    logits, sizes = on_cpu.logits(windows(0))
    assert logits.shape == (0, 3)
    assert sizes.shape == (0,)


def test_the_bundles_own_network_is_left_alone() -> None:
    bundle = make_bundle()
    Inference(bundle, device="cpu")
    assert all(parameter.requires_grad for parameter in bundle.network.parameters())


def test_a_window_that_is_not_finite_harms_only_itself(on_cpu: Inference) -> None:
    data = windows(4)
    expected, _ = on_cpu.logits(data)
    spoilt = data.copy()
    spoilt[2, 0, 5] = np.nan
    logits, _ = on_cpu.logits(spoilt)
    assert not np.isfinite(logits[2]).all()
    np.testing.assert_array_equal(logits[[0, 1, 3]], expected[[0, 1, 3]])
    again, _ = on_cpu.logits(data)
    np.testing.assert_array_equal(again, expected)


def test_calls_from_many_threads_do_not_mix(on_cpu: Inference) -> None:
    data = windows(12)
    expected = [on_cpu.logits(window[np.newaxis])[0] for window in data]
    wrong: list[int] = []

    def work(i: int) -> None:
        for _ in range(20):
            if not np.array_equal(on_cpu.logits(data[i : i + 1])[0], expected[i]):
                wrong.append(i)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(data))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_wrong_shapes_and_sizes_are_refused(on_cpu: Inference) -> None:
    with pytest.raises(SignalError, match=r"5 channels, 35 samples"):
        on_cpu.logits(windows(2)[:, :4])
    with pytest.raises(HemostreamError, match=r"size 7.*\(1, 8, 64\)"):
        on_cpu.logits(windows(2), size=7)


def test_the_device_is_chosen_and_reported() -> None:
    assert available_devices()[-1] == "cpu"
    assert Inference(make_bundle()).device_name.startswith(available_devices()[0])
    with pytest.raises(HemostreamError, match="available: "):
        Inference(make_bundle(), device="tpu")


@settings(deadline=None)
@given(
    logits=arrays(np.float32, (4, 3), elements=st.floats(-1e4, 1e4, width=32)),
    temperature=st.floats(0.1, 10),
)
def test_probabilities_add_up_and_keep_the_order(logits: np.ndarray, temperature: float) -> None:
    result = probabilities(logits, temperature)
    assert result.dtype == np.float64
    np.testing.assert_allclose(result.sum(axis=1), 1.0, rtol=0, atol=1e-12)
    order = np.argsort(logits, axis=1, kind="stable")
    assert (np.diff(np.take_along_axis(result, order, axis=1), axis=1) >= 0).all()
    np.testing.assert_allclose(probabilities(logits + 64, temperature), result, rtol=0, atol=0.02)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_gpu_agrees_with_the_cpu(name: str) -> None:
    if available_devices()[0] == "cpu":
        pytest.skip("No GPU here: the GPU path (the same code) was not tested on this machine.")
    data = windows(70)
    expected, sizes = Inference(make_bundle(name), device="cpu").logits(data)
    gpu = Inference(make_bundle(name))
    logits, gpu_sizes = gpu.logits(data)
    assert gpu_sizes.tolist() == sizes.tolist()
    np.testing.assert_allclose(probabilities(logits), probabilities(expected), rtol=0, atol=1e-5)
    np.testing.assert_array_equal(gpu.logits(data)[0], logits)


@pytest.mark.parametrize("sizes", [(), (0, 8), (8, -1)])
def test_a_batch_holds_at_least_one_window(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected at least one, each 1 or more"):
        Inference(make_bundle(), device="cpu", sizes=sizes)


def test_sizes_rise_whatever_their_order() -> None:
    assert Inference(make_bundle(), device="cpu", sizes=(8, 2, 8)).sizes == (2, 8)


def test_one_window_on_the_cpu_has_a_form_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = np.array([1.0, 2.0, 3.0], dtype=np.float32)
    monkeypatch.setattr("realtime.inference.one_window_form", lambda *_: lambda window: answer)
    inference = Inference(make_bundle(), device="cpu")
    assert inference.logits(windows(1))[0].tolist() == [[1.0, 2.0, 3.0]]
    assert not np.array_equal(inference.logits(windows(2))[0][0], answer)


def test_the_cpu_knows_that_it_is_one(on_cpu: Inference) -> None:
    assert on_cpu.on_cpu
    assert on_cpu.device_name == "cpu"


class SumOfTheBatch(torch.nn.Module):
    """Shows what else is in a batch, as no network of ours does."""

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        return batch.sum().expand(len(batch), 3)


def test_the_rest_of_a_batch_is_zero_whatever_was_there() -> None:
    inference = Inference(Bundle(make_bundle().card, SumOfTheBatch()), device="cpu", sizes=(4,))
    ones = np.ones((4, CHANNELS, SAMPLES), dtype=np.float32)
    for count in (1, 4, 2, 3, 1):
        logits, sizes = inference.logits(ones[:count])
        assert logits.tolist() == [[count * CHANNELS * SAMPLES] * 3] * count
        assert sizes.tolist() == [4] * count


def window(data: np.ndarray | None, *reasons: Reason) -> Window:
    return Window(0, 1, 0.0, 7.0, data, WHOLE, reasons)


def test_only_usable_windows_are_predicted_and_each_keeps_its_place(on_cpu: Inference) -> None:
    inputs = windows(4, seed=5)
    given = [
        window(inputs[0]),
        window(inputs[1], Reason.FLAT),
        window(None, Reason.GAP),
        window(inputs[2]),
        window(None),
        window(inputs[3]),
    ]
    outputs = predict(given, on_cpu)
    logits, sizes = on_cpu.logits(inputs[[0, 2, 3]])
    assert [output is NOT_PREDICTED for output in outputs] == [False, True, True, False, True, False]
    for output, row, size in zip([outputs[i] for i in (0, 3, 5)], logits, sizes, strict=True):
        np.testing.assert_array_equal(output.logits, row)
        assert output.batch == size == 8


def test_a_single_window_is_a_batch_of_one(on_cpu: Inference) -> None:
    inputs = windows(1, seed=6)
    (output,) = predict([window(inputs[0])], on_cpu)
    np.testing.assert_array_equal(output.logits, on_cpu.logits(inputs)[0][0])
    assert output.batch == 1


def test_no_usable_window_asks_nothing_of_the_network(on_cpu: Inference) -> None:
    assert NOT_PREDICTED == (None, 0)
    assert predict([window(None), window(windows(1)[0], Reason.STALE)], on_cpu) == [NOT_PREDICTED] * 2
    assert predict([], on_cpu) == []


def test_one_thread_holds_for_torch_and_for_the_products_of_numpy() -> None:
    code = (
        "import json, threadpoolctl, torch\n"
        "from realtime.inference import one_thread\n"
        "one_thread()\n"
        "pools = threadpoolctl.threadpool_info()\n"
        "blas = [pool['num_threads'] for pool in pools if pool['user_api'] == 'blas']\n"
        "print(json.dumps([torch.get_num_threads(), *blas]))\n"
    )
    more = {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, **more}
    )
    threads = json.loads(done.stdout)
    assert len(threads) > 1
    assert set(threads) == {1}
