"""The page that shows runs: `genprm view`, and `/` of `genprm serve`.

`viewer_app` is the complete ASGI application; `export_bundle` writes the page and its data as files
that can be opened without a server.
"""
