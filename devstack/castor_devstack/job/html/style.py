"""The style sheet of the report, and the colours of entities."""

from __future__ import annotations

COLOURS = ("#1f5fa8", "#c2571a", "#2a8c5a", "#7b2d8b", "#a3282c", "#3b7f8f", "#8a6d1d", "#5a5f66")
"""Told apart by people with colour blindness in any pair of neighbours; every line is also named."""
POSITIVE, NEUTRAL, NEGATIVE = "#2f8f5b", "#c4c8cc", "#bf4040"

STYLE = """
:root { color-scheme: light; --ink: #1d2127; --soft: #5b626b; --line: #dfe3e7; --pale: #f5f7f9; }
* { box-sizing: border-box; }
body { margin: 0; color: var(--ink); background: #fff; font: 16px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
main { max-width: 62rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.6rem 0 .4rem; padding-top: .9rem; border-top: 2px solid var(--ink); }
h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.soft, figcaption, small { color: var(--soft); font-size: .88rem; }
.warning { background: #fff6e0; border-left: 4px solid #d9932b; padding: .7rem 1rem; max-width: none; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8rem, 1fr)); gap: 1rem; margin: 1.4rem 0;
  padding: 0; list-style: none; }
.figures b { display: block; font-size: 1.6rem; line-height: 1.2; font-variant-numeric: tabular-nums; }
.figures span { color: var(--soft); font-size: .88rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: right; padding: .4rem .6rem; border-bottom: 1px solid var(--line); vertical-align: top; }
th { font-weight: 600; color: var(--soft); border-bottom: 1px solid var(--ink); }
th:first-child, td:first-child, td.text, th.text { text-align: left; }
td small { display: block; white-space: nowrap; }
.dot { display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; margin-right: .45rem; }
figure { margin: 1rem 0; }
svg { display: block; width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
svg text.name { fill: var(--ink); font-weight: 600; }
blockquote { margin: .8rem 0; padding: .6rem 1rem; border-left: 3px solid var(--line); background: var(--pale); }
blockquote mark { background: #ffe9a8; }
blockquote footer { color: var(--soft); font-size: .88rem; margin-top: .3rem; }
.multiples { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1rem 1.6rem; }
li { margin: .3rem 0; max-width: 46rem; }
a { color: #1f5fa8; }
@media print { main { padding: 0; } h2 { break-after: avoid; } figure, table, blockquote { break-inside: avoid; } }
"""
