"""Rendering a spec: its project (`project`), from any version (`history`), and its diagram."""
