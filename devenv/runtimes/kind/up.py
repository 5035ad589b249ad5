"""`up --k8s`: the steps, in order, and what they hand to each other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from devenv import output
from devenv.compose import Compose, input_files
from devenv.doctor.checks import inotify
from devenv.doctor.programs import ensure_programs
from devenv.environment import ensure_secrets, environment, read_env
from devenv.errors import DevenvError
from devenv.images.certificates import ca_bundle
from devenv.kubernetes import endpoints, workloads
from devenv.ports import process_on
from devenv.project import write_whole
from devenv.runtimes import record, runtime
from devenv.runtimes.found_images import FILE as IMAGES_FILE
from devenv.runtimes.holdings import refuse_half_restored
from devenv.runtimes.kind import tilt
from devenv.runtimes.kind.certificate import put_certificate
from devenv.runtimes.kind.cluster import NODE_HTTPS
from devenv.runtimes.kind.context import KindUp
from devenv.runtimes.kind.images import build_and_push, find_images, node_image, service_images
from devenv.runtimes.kind.manifests import folder_of, render, write_overlay, write_secrets
from devenv.runtimes.kind.reach import wait_until_reached
from devenv.runtimes.kind.registry import PORT as REGISTRY_PORT
from devenv.runtimes.kind.seeding import seed_once
from devenv.tls import authority

PROGRAMS = ("kind", "kubectl")


def read_files(up: KindUp) -> None:
    """Read the Compose files and render the manifests."""
    refuse_half_restored(up.project)
    ensure_programs(PROGRAMS, up.runner, up.engine, up.project.state / "logs")
    up.sources = input_files(up.project)
    ensure_secrets(up.project, up.engine)
    (up.project.state / IMAGES_FILE).unlink(missing_ok=True)
    up.compose = Compose(up.project, up.runner, environment(up.project, up.sources, ca_bundle()))
    up.model = up.compose.model()
    folder = folder_of(up.project, up.request.as_built)
    write_secrets(up.project.root / "k8s" / "overlays" / "local", read_env(up.project.state / "secrets.env"))
    up.overlay = render(up.runner, folder)
    roots = sorted((up.project.root / "k8s" / "addons").glob("*/local/kustomization.yaml"))
    up.addons = tuple(render(up.runner, path.parent) for path in roots)


def check_cluster(up: KindUp) -> None:
    """Check that the cluster's name and ports are free, or ours, and which Tilt is here."""
    up.with_tilt = tilt.is_there(up.runner, up.project)
    if up.cluster.own_container(up.engine) is not None:
        return
    limits = inotify()
    if not limits.ok:
        up.notes.append(f"{limits.found}: with too little, pods end with `too many open files`; {limits.next}")
    offset = up.project.checkout.port_offset
    wanted = {int(port["hostPort"]): "the cluster" for node in up.cluster.configuration().get("nodes") or []
              for port in node.get("extraPortMappings") or []}
    if not up.registry.exists():
        wanted[REGISTRY_PORT + offset] = "the registry"
    taken = [f"port {port} (wanted by {what}) is used by {owner}" for port, what in wanted.items()
             if (owner := process_on(port, up.engine))]
    if taken:
        raise DevenvError("; ".join(taken), "stop that program, or move this checkout's ports: "
                          "`devenv up --k8s --port-offset 100`")


def make_cluster(up: KindUp) -> None:
    """Make the cluster and its registry, and build and push the images meanwhile."""
    with ThreadPoolExecutor(max_workers=2) as pool:
        cluster = pool.submit(_cluster, up)
        images = pool.submit(build_and_push, up)
        for job in (cluster, images):
            job.result()
    up.registry.connect()


def _cluster(up: KindUp) -> None:
    cluster, image = up.cluster, up.images[node_image(up.project)].reference
    if not cluster.is_whole():
        cluster.end_creation(image)
    container = cluster.container(up.engine)
    if container is not None and not cluster.is_whole():
        output.say("  the cluster was cut off while it was made: making it again")
        cluster.delete()
        container = None
    if container is None:
        cluster.create(image)
    elif container["State"] != "running":
        up.engine.post(f"/containers/{container['Id']}/start", timeout_s=60)
    cluster.wait_for_api()


def apply_addons(up: KindUp) -> None:
    """Apply the cluster's add-ons."""
    for addon in up.addons:
        up.cluster.kubectl().apply_folder(addon.folder, take_over=True)


def apply_certificate(up: KindUp) -> None:
    """Give the ingress a certificate of the development authority."""
    ours = put_certificate(up.cluster, up.overlay)
    up.notes.append(f"`{ours.certificate}` signed the certificate; browsers warn until you trust it")


def roll_out(up: KindUp) -> None:
    """Roll the platform out: by Tilt where it is, otherwise by devenv itself."""
    https = _usual_port(up)
    images = {one.bare: one.name for one in service_images(up)}
    up.applied = write_overlay(up.project, up.overlay, {} if up.with_tilt else images,
                               {https: up.cluster.host_port(NODE_HTTPS)})
    if up.with_tilt:
        program = tilt.Tilt(up.cluster, up.runner)
        # The Tiltfile calls Compose and bake by hand: `.env` points their image variables at what was found.
        by_hand = {**up.compose.environment, **read_env(up.project.root / ".env")}
        variables = program.environment(up.applied.relative_to(up.project.root), by_hand)
        if up.ci:
            program.ci(variables)
        else:
            program.up(variables)
            up.notes.append(f"Tilt's screen: {program.url}")
        return
    up.notes.append("Tilt is not installed: devenv built, pushed and applied the same overlay; live reload works")
    _delete_changed_jobs(up)
    # The cluster is this checkout's alone: what Tilt or a person applied before gives way.
    up.cluster.kubectl().apply_folder(up.applied, take_over=True)


def wait(up: KindUp) -> None:
    """Wait until everything is usable."""
    since = up.cluster.started(up.engine)
    for addon in up.addons:
        workloads.wait(up.cluster.kubectl(addon.namespace), up.project.config.timeout_s, since=since,
                       only=[one["metadata"]["name"] for one in addon.objects if one["kind"] == "Deployment"])
    workloads.wait(up.kubectl, up.project.config.timeout_s, since=since, report=lambda name: output.say(f"  {name}"),
                   only=[one["metadata"]["name"] for one in up.overlay.objects
                         if one["kind"] in ("Deployment", "StatefulSet", "Job")])
    endpoints.wait(up.kubectl, up.project.config.timeout_s)
    for endpoint in up.endpoints():
        wait_until_reached(endpoint["url"], authority(up.runner).certificate, up.project.config.timeout_s)


def seed(up: KindUp) -> None:
    """Load the demo data into a new platform."""
    seed_once(up.cluster, up.kubectl, up.overlay)


def remember(up: KindUp) -> None:
    """Remember what runs."""
    runtime.remember(up.project, runtime.KIND)
    write_whole(up.cluster.state / "up.json", record.dumps({
        "namespace": up.overlay.namespace, "as_built": up.request.as_built, "url": up.cluster.url(),
        "paths": up.overlay.paths,
    }))


K8S_UP = (read_files, check_cluster, find_images, make_cluster, apply_addons, apply_certificate, roll_out, wait, seed,
          remember)


def _delete_changed_jobs(up: KindUp) -> None:
    """A Job's template cannot be changed: one with another image is deleted, so that it is made and run again."""
    fresh = render(up.runner, up.applied)
    there = {one["metadata"]["name"]: one for one in up.kubectl.items("jobs")}
    for one in fresh.objects:
        name = one["metadata"]["name"]
        if one["kind"] == "Job" and name in there:
            images = [each["image"] for each in one["spec"]["template"]["spec"]["containers"]]
            if images != [each["image"] for each in there[name]["spec"]["template"]["spec"]["containers"]]:
                up.kubectl.read("delete", "job", name, "--wait")


def _usual_port(up: KindUp) -> int:
    return up.cluster.host_port(NODE_HTTPS) - up.project.checkout.port_offset
