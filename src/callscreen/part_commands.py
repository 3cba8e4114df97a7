"""`callscreen core`, `gateway` and `edge`: running the parts, each by itself."""

import os
from pathlib import Path
from typing import Any

import click

from .edge_options import edge_options, stir_options
from .grpc_options import asking_options, client_tls, server_tls, serving_options
from .options import (
    EPILOG,
    data_option,
    format_option,
    http_option,
    log_option,
    mask_option,
    metrics_option,
    products_option,
    proxies_option,
    public_option,
    secure_option,
    sign_rate_option,
    sip_option,
    state_option,
    token_option,
)
from .running import fail, instruments_of, run_part, service_token

__all__ = ["core", "edge", "gateway"]


@click.command(epilog=EPILOG)
@data_option
@serving_options
@public_option
@stir_options
@sign_rate_option
@metrics_option
@log_option
@format_option
def core(
    data: str,
    grpc: str,
    public_url: str,
    sign_rate: int,
    metrics: str | None,
    log_level: str,
    log_format: str,
    **more: Any,
) -> None:
    """Runs the core: owns the data and answers gRPC.

    Prints "ready grpc=..." when it answers. At the first start the administrators' password is
    taken from CALLSCREEN_ADMIN_PASSWORD, or made and printed once.
    """
    from .core.errors import CallscreenError
    from .core.origin import told
    from .core.server import serve
    from .core.wiring import CoreConfig
    from .identity_options import identity_config

    instruments = instruments_of("core", log_level, log_format, told)
    config = CoreConfig(
        data=Path(data),
        grpc=grpc,
        admin_password=os.environ.get("CALLSCREEN_ADMIN_PASSWORD"),
        public_url=public_url,
        tls=server_tls(more),
        identity=identity_config(more, Path(data) / "identity"),
        sign_rate=sign_rate,
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
@asking_options
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
    **tls: Any,
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
        tls=client_tls(tls),
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


@click.group(epilog=EPILOG, invoke_without_command=True)
@sip_option
@asking_options
@data_option
@token_option
@products_option
@state_option
@edge_options
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
    branch_secret_file: str,
    hep: str,
    hep_id: int,
    hep_key: str,
    metrics: str | None,
    log_level: str,
    log_format: str,
    **more: Any,
) -> None:
    """Runs the edge: answers SIP from an index that follows the core.

    Prints "ready sip=..." when it answers. Keeps answering while the core is gone. `edge top` runs
    none: it shows what one does that runs.
    """
    if click.get_current_context().invoked_subcommand:
        return
    from .edge.capturing import CaptureConfig
    from .edge.server import EdgeConfig, serve
    from .edge.streaming import StreamConfig
    from .identity_options import identity_config

    instruments = instruments_of("edge", log_level, log_format)
    config = EdgeConfig(
        sip=sip,
        grpc=grpc,
        tls=client_tls(more),
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
        branch_secret=branch_secret_file,
        identity=identity_config(more, Path(state) / "identity" if state else None),
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
