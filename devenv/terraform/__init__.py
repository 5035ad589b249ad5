"""One door to Terraform.

    terraform = Terraform(runner, root / "terraform/envs/staging", data=project.state / "terraform" / "staging")
    terraform.require()                          # 1.11 or newer, or a DevenvError that says what to do
    terraform.init({"bucket": "...", "region": "..."})   # free where nothing has changed since the last one
    plan = terraform.plan()                      # LockedError with holder and age where the state is locked
    plan.changes                                 # (Change(address, actions), ...); empty: nothing to apply
    terraform.apply(plan)                        # exactly that plan, progress on standard error
    outputs = terraform.outputs()                # name -> value
    backends_env(outputs)                        # devenv.terraform.outputs: the overlay's `backends.env`

Working data, plans included, stay in `data`, never in the repository. Providers come from where the person's own
configuration says, else from a mirror on this machine, else on line (devenv.terraform.providers). For a mocked AWS:
devenv.terraform.rehearsal (a copy, stand-ins, what is left out) and devenv.terraform.mock (its container, an account).
Whether overlays and outputs fit each other: devenv.terraform.contract.
"""

from devenv.terraform.program import Change, Plan, Terraform

__all__ = ["Change", "Plan", "Terraform"]
