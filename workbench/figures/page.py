"""What pages that open without a network have in common."""

NAME = "report.html"
STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #ccc; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e8; --paper: #181818; --line: #555; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem;
  margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; } caption { text-align: left; font-weight: bold; }
th, td { border: 1px solid var(--line); padding: .3rem .6rem; vertical-align: top; }
img { max-width: 100%; background: #fff; } pre { overflow-x: auto; border: 1px solid var(--line); padding: .5rem; }
.jp-InputPrompt, .jp-OutputPrompt, .anchor-link { display: none; }
"""
