"""The Jupyter Server extension behind the JupyterLab panel: studies, runs and the queue over HTTP.

It shows what the other rooms know and starts nothing in its own process: a run is a job of the queue and has a
process of its own. Neither torch nor papermill nor a plotting library is loaded here. The interface is written down in
``openapi.json`` beside this file.
"""
