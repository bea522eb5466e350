"""Ways to draw a graph, one module each."""
