"""`callscreen serve`, `core`, `gateway` and `edge`: running the parts."""

import asyncio
import os
from collections.abc import Mapping
from pathlib import Path

import click

from .options import (
    EPILOG,
    data_option,
    format_option,
    grpc_option,
    hep_options,
    http_option,
    log_option,
    mask_option,
    memory_option,
    metrics_option,
    name_option,
    products_option,
    proxies_option,
    public_option,
    secure_option,
    segmentation_option,
    sip_option,
    spin_option,
    state_option,
    stir_options,
    stream_options,
    threads_option,
    token_option,
    workers_option,
)
from .running import (
    emit,
    fail,
    instruments_of,
    run_part,
    run_until_stopped,
    service_token,
)
from .supervise import Child, ChildFailed, supervise

__all__ = ["core", "edge", "gateway", "port_after", "serve"]


@click.command(epilog=EPILOG)
@data_option
@grpc_option
@http_option
@sip_option
@products_option
@name_option
@workers_option
@threads_option
@stir_options
@stream_options
@mask_option
@proxies_option
@secure_option
@public_option
@metrics_option
@log_option
@format_option
def serve(
    data: str,
    grpc: str,
    http: str,
    sip: str,
    products: str,
    name: str,
    workers: int,
    identity_threads: int,
    no_tcp: bool,
    sips: str,
    tls_certificate: str,
    tls_key: str,
    tls_client_ca: str,
    trust: str,
    peers: str,
    ceiling: int,
    mode: str,
    via: str,
    mask_authorization: bool,
    proxies: str,
    secure_cookies: bool,
    public_url: str,
    metrics: str | None,
    log_level: str,
    log_format: str,
    **stir: str,
) -> None:
    """Runs the core, the gateway and the edge in one process tree.

    Prints "ready http=... grpc=... sip=..." when all three answer. Ends on SIGTERM or SIGINT with
    status 0. At the first start the administrators' password is taken from
    CALLSCREEN_ADMIN_PASSWORD, or made and printed once.
    """
    instruments_of("serve", log_level, log_format)
    logs = ("--log-level", log_level, "--log-format", log_format)

    def shown(place: int) -> tuple[str, ...]:
        return ("--metrics", port_after(metrics, place)) if metrics else ()

    def others(core: Child) -> list[Child]:
        token = (Path(data) / "service.token").read_text().strip()
        both = ("--grpc", core.address, "--products", products, *logs)
        mask = ("--mask-authorization",) if mask_authorization else ()
        secure = ("--secure-cookies",) if secure_cookies else ()
        rest = ("--proxies", proxies, *mask, *secure, *shown(1))
        named = ("--name", name) if name else ()
        streams = {
            "--sips": sips,
            "--tls-certificate": tls_certificate,
            "--tls-key": tls_key,
            "--tls-client-ca": tls_client_ca,
            "--trust": trust,
            "--peers": peers,
            "--ceiling": ceiling and str(ceiling),
            "--mode": "" if mode == "redirect" else mode,
            "--via": via,
            **{f"--{name.replace('_', '-')}": value for name, value in stir.items()},
        }
        given = [word for pair in streams.items() if pair[1] for word in pair]
        own = (
            *given,
            *(("--no-tcp",) if no_tcp else ()),
            "--state",
            str(Path(data) / "edge"),
            "--workers",
            str(workers),
            "--identity-threads",
            str(identity_threads),
            *named,
            *shown(2),
        )
        return [
            Child("gateway", "http", http, (*both, *rest)),
            Child("edge", "sip", sip, (*both, *own), {"CALLSCREEN_TOKEN": token}),
        ]

    def ready(addresses: Mapping[str, str]) -> None:
        emit(" ".join(["ready", *(f"{key}={addresses[key]}" for key in ("http", "grpc", "sip"))]))

    async def run(stop: asyncio.Event) -> None:
        public = ("--public-url", public_url)
        who = (f"--{name.replace('_', '-')}={value}" for name, value in stir.items() if value)
        core = Child("core", "grpc", grpc, ("--data", data, *public, *who, *logs, *shown(0)))
        await supervise(core, others, ready, emit, stop)

    try:
        run_until_stopped(run)
    except ChildFailed as error:
        fail(str(error))


@click.command(epilog=EPILOG)
@data_option
@grpc_option
@public_option
@stir_options
@metrics_option
@log_option
@format_option
def core(
    data: str,
    grpc: str,
    public_url: str,
    metrics: str | None,
    log_level: str,
    log_format: str,
    **stir: str,
) -> None:
    """Runs the core: owns the data and answers gRPC.

    Prints "ready grpc=..." when it answers. At the first start the administrators' password is
    taken from CALLSCREEN_ADMIN_PASSWORD, or made and printed once.
    """
    from .core.errors import CallscreenError
    from .core.origin import told
    from .core.server import CoreConfig, serve
    from .identity_options import identity_config

    instruments = instruments_of("core", log_level, log_format, told)
    config = CoreConfig(
        data=Path(data),
        grpc=grpc,
        admin_password=os.environ.get("CALLSCREEN_ADMIN_PASSWORD"),
        public_url=public_url,
        identity=identity_config(stir, Path(data) / "identity"),
        instruments=instruments,
    )
    run_part(
        "grpc",
        lambda ready, stop: serve(config, ready, stop),
        CallscreenError,
        instruments=instruments,
        metrics=metrics,
        traced=True,
    )


@click.command(epilog=EPILOG)
@http_option
@grpc_option
@products_option
@mask_option
@proxies_option
@secure_option
@metrics_option
@log_option
@format_option
def gateway(
    http: str,
    grpc: str,
    products: str,
    mask_authorization: bool,
    proxies: str,
    secure_cookies: bool,
    metrics: str | None,
    log_level: str,
    log_format: str,
) -> None:
    """Runs the gateway: answers the documented REST APIs by asking the core.

    Prints "ready http=..." when it answers.
    """
    from .gateway.origin import networks
    from .gateway.server import GatewayConfig, serve

    instruments = instruments_of("gateway", log_level, log_format)
    try:
        listed = networks(filter(None, map(str.strip, proxies.split(","))))
    except ValueError as error:
        fail(str(error))
    config = GatewayConfig(
        http=http,
        grpc=grpc,
        mask_authorization=mask_authorization,
        proxies=listed,
        secure_cookies=secure_cookies,
        instruments=instruments,
    )
    if products != "both":
        config.products = (products,)
    run_part(
        "http",
        lambda ready, stop: serve(config, ready, stop),
        instruments=instruments,
        metrics=metrics,
        traced=True,
    )


@click.command(epilog=EPILOG)
@sip_option
@grpc_option
@data_option
@token_option
@name_option
@products_option
@state_option
@memory_option
@workers_option
@threads_option
@stir_options
@segmentation_option
@spin_option
@stream_options
@hep_options
@metrics_option
@log_option
@format_option
def edge(
    sip: str,
    grpc: str,
    data: str,
    token: str | None,
    name: str,
    products: str,
    state: str,
    memory_limit: int,
    workers: int,
    identity_threads: int,
    no_segmentation: bool,
    spin: int,
    no_tcp: bool,
    sips: str,
    tls_certificate: str,
    tls_key: str,
    tls_client_ca: str,
    trust: str,
    peers: str,
    ceiling: int,
    mode: str,
    via: str,
    hep: str,
    hep_id: int,
    hep_key: str,
    metrics: str | None,
    log_level: str,
    log_format: str,
    **stir: str,
) -> None:
    """Runs the edge: answers SIP from an index that follows the core.

    Prints "ready sip=..." when it answers. Keeps answering while the core is gone.
    """
    from .edge.capturing import CaptureConfig
    from .edge.server import EdgeConfig, serve
    from .edge.streaming import StreamConfig
    from .identity_options import identity_config

    instruments = instruments_of("edge", log_level, log_format)
    config = EdgeConfig(
        sip=sip,
        grpc=grpc,
        token=service_token(data, token),
        name=name,
        product=products,
        state=state,
        memory_limit=memory_limit,
        workers=workers,
        segmentation=not no_segmentation,
        spin=spin,
        trust=trust,
        peers=peers,
        ceiling=ceiling,
        mode=mode,
        via=via,
        identity=identity_config(stir, Path(state) / "identity" if state else None),
        identity_threads=identity_threads,
        streams=StreamConfig(not no_tcp, sips, tls_certificate, tls_key, tls_client_ca),
        capture=CaptureConfig(hep, hep_id, hep_key),
        instruments=instruments,
    )
    run_part(
        "sip",
        lambda ready, stop: serve(config, ready, stop),
        instruments=instruments,
        metrics=metrics,
    )


def port_after(address: str, place: int) -> str:
    """HOST:PORT with a port so much higher; port 0 stays: any that is free."""
    host, _, port = address.rpartition(":")
    if int(port) + place > 65535:
        fail(f"--metrics {address} leaves no port for each part")
    return f"{host}:{int(port) and int(port) + place}"
