"""The documented REST APIs, turned into gRPC calls.

The gateway holds no rights and no data of its own: its callers' tokens say what may be done.
"""

from .app import create_app
from .config import GatewayConfig
from .server import serve

__all__ = ["GatewayConfig", "create_app", "serve"]
