from __future__ import annotations

import threading
from contextlib import closing

import numpy as np
import pytest
import torch

from embeddings.models import PosterNet, build_model
from embeddings.streams import Looks, Streams

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def net() -> PosterNet:
    torch.manual_seed(0)
    return build_model("custom_cnn", 4, 16).eval()


@pytest.mark.parametrize("n_streams", [1, 2, 5])
@pytest.mark.parametrize("n", [1, 3, 8, 21])
def test_any_number_of_streams_gives_the_rows_of_one_pass_in_their_order(
    n_streams: int, n: int, net: PosterNet
) -> None:
    pixels = np.random.default_rng(n).integers(0, 255, (n, 48, 32, 3), dtype=np.uint8)
    with torch.inference_mode():
        expected = net(torch.from_numpy(pixels).permute(0, 3, 1, 2))
    embeddings, logits = Streams(net, CPU, n_streams, piece_pixels=4 * 48 * 32).start(pixels)()
    assert np.abs(embeddings - expected.embedding.numpy()).max() < 1e-5
    assert np.abs(logits - expected.logits.numpy()).max() < 1e-5


@pytest.mark.parametrize(("piece_pixels", "largest"), [(3 * 48 * 32, 3), (48 * 32 - 1, 1)])
def test_a_piece_has_so_many_posters_as_its_pixels_allow_but_one_at_least(
    piece_pixels: int, largest: int, net: PosterNet
) -> None:
    seen: list[int] = []

    class Spy(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> object:
            seen.append(len(x))
            return net(x)

    Streams(Spy(), CPU, 2, piece_pixels).start(np.zeros((12, 48, 32, 3), np.uint8))()
    assert sum(seen) == 12 and max(seen) == largest


def test_several_batches_may_run_before_the_first_is_asked_for(net: PosterNet) -> None:
    rng = np.random.default_rng(1)
    batches = [rng.integers(0, 255, (6, 48, 32, 3), dtype=np.uint8) for _ in range(3)]
    streams = Streams(net, CPU, 2)
    answers = [streams.start(batch) for batch in batches]
    for batch, answer in reversed(list(zip(batches, answers, strict=True))):
        assert np.array_equal(answer()[0], streams.start(batch)()[0])


def test_streams_use_one_core_each_and_leave_the_caller_its_own(net: PosterNet) -> None:
    before = torch.get_num_threads()
    seen: list[int] = []

    class Spy(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> object:
            seen.append(torch.get_num_threads())
            return net(x)

    Streams(Spy(), CPU, 3).start(np.zeros((24, 48, 32, 3), np.uint8))()
    assert seen == [1, 1, 1]
    assert torch.get_num_threads() == before


def test_lone_posters_of_many_callers_are_encoded_in_the_streams(net: PosterNet) -> None:
    seen: list[str] = []

    class Spy(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> object:
            seen.append(threading.current_thread().name)
            return net(x)

    streams = Streams(Spy(), CPU, 2)
    poster = np.zeros((1, 48, 32, 3), np.uint8)
    callers = [threading.Thread(target=lambda: streams.start(poster)()) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(seen) == 4 and set(seen) <= {"encode_0", "encode_1"}


def test_an_error_in_a_stream_reaches_who_waits_for_it(net: PosterNet) -> None:
    answer = Streams(net, CPU, 2).start(np.zeros((4, 48, 32, 5), np.uint8))
    with pytest.raises(RuntimeError):
        answer()


def test_a_look_in_streams_sees_what_one_look_at_everything_sees(net: PosterNet) -> None:
    images = torch.rand(2 * 7, 3, 480, 320, generator=torch.Generator().manual_seed(1))
    asked: list[tuple[int, bool]] = []

    def look(part: torch.Tensor) -> torch.Tensor:
        asked.append((len(part), torch.is_inference_mode_enabled()))
        return net.forward_features(part)

    with closing(Looks(look, CPU)) as looks:
        seen = looks(images)
    with torch.inference_mode():
        expected = net.forward_features(images)
    assert (seen - expected).abs().max() < 1e-5
    assert len(asked) >= 7
    assert all(n_images <= 2 and without_gradients for n_images, without_gradients in asked)
