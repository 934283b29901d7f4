//! Minimal version selection, graph pruning and workspaces over a requirements trait. Pure.
