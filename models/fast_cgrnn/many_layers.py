"""Layers of many networks at a time, with gradients written out: what `models.fast_cgrnn.many` is made of.

Everything is laid out (networks, units, steps, batch): the batch lies innermost, so that a gate, a step or a
shift by a sample is a run of neighbouring numbers, and every product is one call for all networks.  Gradients
are written by hand because recording each small operation costs more than computing it: half of what is
gained by training together would be lost (``python -m tools.bench.many``).
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function


class ConvolvePoolRelu(Function):
    """Convolution over time ("same" padding), the largest of every few samples, and relu.

    The input gets no gradient: it is the first layer, and windows are not learnt.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, size: int) -> Tensor:
        """Of (M, channels, times, batch) to (M, filters, steps, batch)."""
        m, channels, times, batch = x.shape
        filters, kernel = weight.shape[1], weight.shape[3]
        left = (kernel - 1) // 2  # as torch pads "same": what is uneven goes to the end
        steps = times // size
        x = x.contiguous()
        columns = x.new_zeros(m, channels, kernel, steps * size, batch)
        for j in range(kernel):
            first, last = max(left - j, 0), min(times + left - j, steps * size)
            columns[:, :, j, first:last] = x[:, :, first + j - left : last + j - left]
        columns = columns.view(m, channels * kernel, steps * size * batch)
        out = torch.bmm(weight.reshape(m, filters, channels * kernel), columns)
        parts = out.view(m, filters, steps, size, batch).unbind(3)
        top = parts[0]
        for part in parts[1:]:
            top = torch.maximum(top, part)
        # A bias shifts all alike, so it can wait until the largest is known.
        result = torch.relu_(top + bias[:, :, None, None])
        ctx.save_for_backward(columns, out, top, result)
        ctx.shape = weight.shape
        ctx.size = size
        return result

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Only the largest sample of each few that came through the relu gets the gradient."""
        columns, out, top, result = ctx.saved_tensors
        m, filters, steps, batch = grad.shape
        through = grad * (result > 0)
        # In place, and as numbers rather than truth values: a third of the time. `out` serves nothing else.
        parts = out.view(m, filters, steps, ctx.size, batch)
        parts.eq_(top.unsqueeze(3)).mul_(through.unsqueeze(3))
        weight = torch.bmm(out, columns.transpose(1, 2))
        return None, weight.view(ctx.shape), through.sum(dim=(2, 3)), None


class GRU(Function):
    """Gated recurrent units; gates in torch's order: reset, update, new."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, w_in: Tensor, w_own: Tensor, b_in: Tensor, b_own: Tensor) -> Tensor:
        """(M, size, steps, batch) to the last state, (M, units, batch)."""
        m, _, steps, batch = x.shape
        units = w_own.shape[2]
        b_in, b_own = b_in.unsqueeze(2), b_own.unsqueeze(2)
        states = x.new_zeros(steps + 1, m, units, batch)
        gates = x.new_empty(steps, 4, m, units, batch)  # reset, update, new, and what the state gives to new
        for t in range(steps):
            own = torch.baddbmm(b_own, w_own, states[t])
            step = torch.baddbmm(b_in, w_in, x[:, :, t])
            reset, update, new, given = gates[t].unbind(0)
            torch.sigmoid(step[:, :units].add_(own[:, :units]), out=reset)
            torch.sigmoid(step[:, units : 2 * units].add_(own[:, units : 2 * units]), out=update)
            given.copy_(own[:, 2 * units :])
            torch.tanh(step[:, 2 * units :].addcmul_(reset, given), out=new)
            torch.lerp(new, states[t], update, out=states[t + 1])
        ctx.save_for_backward(x, w_in, w_own, states, gates)
        return states[steps]

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> Any:
        """Back through the steps, summing the weights' gradients on the way."""
        x, w_in, w_own, states, gates = ctx.saved_tensors
        m, _, steps, batch = x.shape
        units = w_own.shape[2]
        at_x = torch.empty_like(x)
        at_own = x.new_empty(m, 3 * units, batch)
        at_in = x.new_empty(m, 3 * units, batch)
        g_in, g_own = torch.zeros_like(w_in), torch.zeros_like(w_own)
        g_b_in, g_b_own = x.new_zeros(m, 3 * units), x.new_zeros(m, 3 * units)
        in_back, own_back = w_in.transpose(1, 2), w_own.transpose(1, 2)
        for t in range(steps - 1, -1, -1):
            reset, update, new, given = gates[t].unbind(0)
            kept = 1.0 - update
            at_new = at_in[:, 2 * units :]
            torch.mul(grad * kept, torch.addcmul(_ONE, new, new, value=-1.0), out=at_new)
            torch.mul(at_new, reset, out=at_own[:, 2 * units :])
            torch.mul(at_new * given, reset * (1.0 - reset), out=at_own[:, :units])
            torch.mul(grad * (states[t] - new), update * kept, out=at_own[:, units : 2 * units])
            at_in[:, : 2 * units] = at_own[:, : 2 * units]
            at_x[:, :, t] = torch.bmm(in_back, at_in)
            g_in.baddbmm_(at_in, x[:, :, t].transpose(1, 2))
            g_own.baddbmm_(at_own, states[t].transpose(1, 2))
            g_b_in += at_in.sum(dim=2)
            g_b_own += at_own.sum(dim=2)
            grad = torch.baddbmm(grad * update, own_back, at_own)
        return at_x, g_in, g_own, g_b_in, g_b_own


_ONE = torch.ones(())
