"""From declared flows to nodes, edges and layers."""
