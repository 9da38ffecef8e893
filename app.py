"""The lossviz server: Streamlit pages and, beside them, the routes that Streamlit has no word for.

Run it with `streamlit run app.py`, or with any ASGI server as `app:app`.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

import streamlit as st  # noqa: E402

from pages.ui import server  # noqa: E402
from pages.ui.live import endpoint  # noqa: E402
from pages.ui.race import endpoint as race_endpoint  # noqa: E402

app = st.App(
    ROOT / "pages" / "index.py",
    routes=server.routes([*endpoint.routes(), *race_endpoint.routes()]),
    middleware=server.middleware(),
    lifespan=server.lifespan,
    on_script_error=server.explain_failure,
)
