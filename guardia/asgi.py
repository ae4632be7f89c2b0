"""The portal's one process: pages and API by Django, live runs by Channels.

The source address and the scheme are the peer's own, unless the peer is a proxy that GUARDIA_TRUSTED_PROXIES names:
then they are what it forwards. So the ASGI server itself must believe no header (`uvicorn --no-proxy-headers`).
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guardia.settings")

from django.core.asgi import get_asgi_application

django_app = get_asgi_application()

from channels.auth import AuthMiddlewareStack  # noqa: E402 - models must be loaded
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402 - after what must come first
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402 - after what must come first
from django.conf import settings  # noqa: E402 - after what must come first
from django.urls import path, re_path  # noqa: E402 - after what must come first
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware  # noqa: E402 - after what must come first

from execution.consumers import NowhereConsumer, RunConsumer  # noqa: E402 - after what must come first
from guardia.common.doors import BoundedBody  # noqa: E402 - after what must come first

_doors = ProtocolTypeRouter(
    {
        "http": django_app,
        "websocket": AllowedHostsOriginValidator(
            AuthMiddlewareStack(
                URLRouter([path("ws/runs/<int:pk>/", RunConsumer.as_asgi()), re_path("", NowhereConsumer.as_asgi())])
            )
        ),
    }
)
application = ProxyHeadersMiddleware(BoundedBody(_doors), trusted_hosts=settings.GUARDIA_TRUSTED_PROXIES)
