"""The U-Net keeps an image's size, looks far, and its blocks are what they are called."""

import pytest
import torch

from models.networks.dilated_dense_unet import DilatedDenseBlock, DilatedDenseUNet, PlainBlock


@pytest.mark.parametrize("dilations", [(), (1, 2, 4)])
@pytest.mark.parametrize("levels", [1, 3])
def test_logits_lie_on_the_voxels_of_the_image(dilations: tuple[int, ...], levels: int) -> None:
    network = DilatedDenseUNet(3, width=4, levels=levels, dilations=dilations).eval()
    assert network.multiple == 2 ** (levels - 1)
    with torch.inference_mode():
        assert network(torch.randn(2, 1, 8, 12, 16)).shape == (2, 3, 8, 12, 16)


def test_images_of_a_batch_do_not_see_each_other() -> None:
    network = DilatedDenseUNet(2, width=4, levels=2).eval()
    x = torch.randn(2, 1, 8, 8, 8)
    with torch.inference_mode():
        torch.testing.assert_close(network(x)[:1], network(x[:1]), rtol=1e-4, atol=1e-5)


def test_a_dense_block_gives_every_convolution_what_all_before_it_found() -> None:
    block = DilatedDenseBlock(4, 6, growth=2, dilations=(1, 2, 4))
    assert [layer[0].in_channels for layer in block.layers] == [4, 6, 8]
    assert [layer[0].dilation for layer in block.layers] == [(1, 1, 1), (2, 2, 2), (4, 4, 4)]
    assert block.join.in_channels == 10


def test_dilation_widens_what_a_block_sees() -> None:
    def reach(block: torch.nn.Module) -> int:
        x = torch.randn(1, 2, 31, 3, 3, requires_grad=True)
        for each in block.modules():  # normalisation sees the whole image: it is set aside
            if isinstance(each, torch.nn.InstanceNorm3d):
                each.forward = lambda values: values  # type: ignore[method-assign]
        block(x)[0, 0, 15, 1, 1].backward()
        seen = torch.nonzero(x.grad.abs().sum(dim=(0, 1, 3, 4))).flatten()
        return int(seen.max() - seen.min()) + 1

    assert reach(PlainBlock(2, 2)) == 5
    assert reach(DilatedDenseBlock(2, 2, growth=2, dilations=(1, 2, 4))) == 15


def test_sizes_below_one_are_refused() -> None:
    with pytest.raises(ValueError, match="width 0"):
        DilatedDenseUNet(2, width=0)
