"""Charts as SVG made on the server: plain Python, no styles inline, no script. Colours come from charts/charts.css.

Places along x are per cent and texts are pixels, so that one drawing fits a phone and a wide screen.
"""
