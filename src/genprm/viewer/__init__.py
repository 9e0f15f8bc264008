"""The page that shows runs: `genprm view`, and `/` of `genprm serve`.

`viewer_app` is the whole of it as an ASGI application; `export_bundle` writes the page and its
data as files that open without a server.
"""
