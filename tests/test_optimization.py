"""Rates and optimizers, on this device and from another one."""

import torch

from fmnist.training.optimization import restore, set_rate


def test_a_rate_that_is_a_tensor_is_set_where_it_is() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    rate = torch.tensor(0.5)
    optimizer = torch.optim.SGD([weight], rate)
    optimizer.param_groups[0]["initial_lr"] = 0.5
    set_rate([optimizer], 0.25)
    assert optimizer.param_groups[0]["lr"] is rate and rate.item() == 0.125


def test_a_run_from_another_device_leaves_the_optimizer_as_this_one_needs_it() -> None:
    weight = torch.nn.Parameter(torch.ones(2))
    there, here = torch.optim.AdamW([weight], 0.1), torch.optim.AdamW([weight], 0.1, fused=True)
    weight.grad = torch.ones(2)
    there.step()
    here.param_groups[0]["lr"] = torch.tensor(0.1)
    restore(here, there.state_dict())
    group = here.param_groups[0]
    assert group["fused"] is True and isinstance(group["lr"], torch.Tensor)
    torch.testing.assert_close(here.state[weight]["exp_avg"], there.state[weight]["exp_avg"])
    here.step()
