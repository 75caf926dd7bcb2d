"""Checkpoints: what calls change in the workspace is found and kept, and brought back when a person wants it."""

from __future__ import annotations
