"""What a rehearsal needs around it: the copy, the images, a cluster with a registry, a mocked AWS, the add-ons."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from devenv import output
from devenv.doctor.programs import ensure_programs
from devenv.errors import DevenvError, UsageError
from devenv.images import recipes
from devenv.images.contents import definitions
from devenv.images.registry import bare_name, manifest
from devenv.images.resolve import build_recipes, resolve
from devenv.kubernetes import workloads
from devenv.ports import process_on
from devenv.rehearsal import files
from devenv.rehearsal.context import Rehearsal
from devenv.rehearsal.environment import early
from devenv.runtimes.found_images import stand_in_notes
from devenv.runtimes.kind.certificate import put_certificate
from devenv.runtimes.kind.cluster import NODE_HTTPS
from devenv.runtimes.kind.images import REGISTRY_IMAGE, node_image
from devenv.runtimes.kind.manifests import render
from devenv.terraform import Terraform, mock
from devenv.terraform import rehearsal as mocked

PROGRAMS = ("kind", "kubectl")


def check(rehearsal: Rehearsal) -> None:
    """Look for what stands against it, the receipt above all, before anything is made."""
    ensure_programs(PROGRAMS, rehearsal.runner, rehearsal.engine, rehearsal.project.state / "logs")
    asked, problems = early(rehearsal)
    rehearsal.ours = frozenset(bare_name(rehearsal.project, one.reference) for one in asked.local.values())
    if rehearsal.environment.terraform:
        folder = rehearsal.project.root / rehearsal.environment.terraform
        Terraform(rehearsal.runner, folder, rehearsal.folder).require()
    if problems:
        listed = "\n".join(f"  - {one}" for one in problems)
        raise DevenvError(f"`{rehearsal.environment.name}` cannot be rehearsed; nothing was made:\n{listed}",
                          details={"cause": "preflight", "problems": problems})


def copy_files(rehearsal: Rehearsal) -> None:
    """Copy manifests and Terraform, and lay over them what stands in for the cloud."""
    project, copy, environment = rehearsal.project, rehearsal.copy, rehearsal.environment
    settings: dict[str, str] = {}
    if rehearsal.terraform is None:
        mocked.copy(project.root, copy.root, folder="k8s")
    else:
        copied = mocked.copy(project.root, copy.root, "k8s", folder=rehearsal.terraform.name)
        if not (copied / "bootstrap").is_dir():
            raise UsageError(f"`{rehearsal.terraform.name}/bootstrap` is not there: what an empty account gets first",
                             "docs/guides/promote.md says how Terraform is laid out for a rehearsal")
        file, keys = mocked.stand_ins(copied)
        cluster = rehearsal.cluster
        ours = cluster.host_port(NODE_HTTPS)
        settings = files.settings_of(copy.root / file, {ours - copy.checkout.port_offset: ours})
        rehearsal.left_out = mocked.left_out(copied)
        rehearsal.settings = mocked.by_backend(settings, keys)
    folder = files.lay_over(copy.root, environment.overlay, settings, {})
    rehearsal.overlay = render(rehearsal.runner, folder)
    local, waiting = files.addon_folders(copy.root)
    rehearsal.addons = tuple(render(rehearsal.runner, one) for one in local)
    rehearsal.waiting_addons = tuple(render(rehearsal.runner, one) for one in waiting)
    pods = sorted(one["metadata"]["name"] for one in rehearsal.overlay.objects if one["kind"] == "StatefulSet")
    output.say(f"  kind stands in for the cluster of `{environment.context}`"
               + (", Moto for AWS" if rehearsal.terraform else "")
               + (f", pods for {', '.join(pods)}" if pods else ""))
    if rehearsal.left_out:
        output.say(f"  left out of Terraform, as Moto lacks them: {', '.join(rehearsal.left_out)}")


def check_ports(rehearsal: Rehearsal) -> None:
    """Check that its ports are free."""
    wanted = {int(port["hostPort"]) for node in rehearsal.cluster.configuration().get("nodes") or []
              for port in node.get("extraPortMappings") or []} | {int(rehearsal.registry.host.rpartition(":")[2])}
    taken = [f"port {port} is used by {owner}" for port in sorted(wanted)
             if (owner := process_on(port, rehearsal.engine))]
    if taken:
        raise DevenvError("; ".join(taken), "stop that program, or move this checkout's ports: "
                          "`devenv up --port-offset 100`; a rehearsal's are 50 above them")


def find_images(rehearsal: Rehearsal) -> None:
    """Find third-party images: local, pulled, or built from packages."""
    wanted = [image for one in (rehearsal.overlay, *rehearsal.addons, *rehearsal.waiting_addons)
              for image in one.images if image not in rehearsal.ours]
    surroundings = [REGISTRY_IMAGE, node_image(rehearsal.copy), *([mock.IMAGE] if rehearsal.terraform else [])]
    logs = rehearsal.project.state / "logs"
    rehearsal.images = resolve(dict.fromkeys([*wanted, *surroundings]), engine=rehearsal.engine,
                               runner=rehearsal.runner, offline=False, logs=logs)
    for note in stand_in_notes(rehearsal.images):
        output.say(f"  {note}")
    for one in rehearsal.waiting_addons:
        # Upstream's images do not carry the definitions of what they serve; ours do.
        known = [recipe for image in one.images if (recipe := recipes.find(image))]
        build_recipes(known, engine=rehearsal.engine, runner=rehearsal.runner, logs=logs)


def make_surroundings(rehearsal: Rehearsal) -> None:
    """Make the cluster, and meanwhile the registry with its images and an AWS account."""
    with ThreadPoolExecutor(max_workers=3) as pool:
        cluster = pool.submit(rehearsal.cluster.create, rehearsal.images[node_image(rehearsal.copy)].reference)
        jobs = [cluster, pool.submit(_registry, rehearsal)]
        if rehearsal.terraform:
            jobs.append(pool.submit(_account, rehearsal))
        for job in jobs:
            job.result()
    rehearsal.cluster.wait_for_api()
    rehearsal.registry.connect()
    if rehearsal.account:
        rehearsal.account = replace(rehearsal.account, endpoint=rehearsal.mock.join("kind"))


def apply_addons(rehearsal: Rehearsal) -> None:
    """Apply the cluster's add-ons, the definitions of custom resources first."""
    kubectl = rehearsal.cluster.kubectl()
    for one in rehearsal.waiting_addons:
        for recipe in filter(None, map(recipes.find, one.images)):
            kinds = definitions(recipe.reference, rehearsal.runner)
            kubectl.apply(kinds)
            kubectl.read("wait", "--for=condition=Established", "--timeout=60s", "--filename", "-", stdin=kinds)
        kubectl.apply_folder(one.folder, take_over=True)
        # Under the name by which the add-on asks for it.
        kubectl.apply(json.dumps({
            "apiVersion": "v1", "kind": "Service", "metadata": {"name": "aws", "namespace": one.namespace},
            "spec": {"type": "ExternalName", "externalName": rehearsal.mock.name}}))
    for one in rehearsal.addons:
        kubectl.apply_folder(one.folder, take_over=True)
    put_certificate(rehearsal.cluster, rehearsal.overlay)
    for one in rehearsal.addons:
        workloads.wait(kubectl.within(one.namespace), rehearsal.project.config.timeout_s,
                       only=[each["metadata"]["name"] for each in one.objects if each["kind"] == "Deployment"])


def _registry(rehearsal: Rehearsal) -> None:
    """The registry, with every image that is not ours; the overlay then names those by digest."""
    registry = rehearsal.registry
    registry.start(rehearsal.images[REGISTRY_IMAGE].reference)
    around = {REGISTRY_IMAGE, node_image(rehearsal.copy), mock.IMAGE}
    third = {image: one for image, one in rehearsal.images.items() if image not in around}
    registry.push((one.reference, registry.mirrored(image)) for image, one in third.items())
    named = {image: registry.mirrored(image) for image in third if image in rehearsal.overlay.images}
    digests = {image: (name.rpartition(":")[0], manifest(name, rehearsal.runner).digest)
               for image, name in named.items()}
    files.lay_over(rehearsal.copy.root, rehearsal.environment.overlay, {}, digests)


def _account(rehearsal: Rehearsal) -> None:
    assert rehearsal.terraform is not None
    labels = {"devenv.project": rehearsal.copy.name}
    # Not yet on the cluster's network, which kind makes.
    endpoint = rehearsal.mock.start(rehearsal.images[mock.IMAGE].reference, "bridge", labels)
    state = rehearsal.copy.state
    rehearsal.account = mock.open_account(rehearsal.terraform, state / "terraform", rehearsal.runner, endpoint,
                                          state / "logs" / "bootstrap.log")
