"""Prefect blocks of the project."""

from blocks.spotify import SpotifyCredentials

__all__ = ["SpotifyCredentials"]
