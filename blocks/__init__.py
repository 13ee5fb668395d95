"""Prefect blocks of the project, and the commands that write them."""

from blocks.spotify import SpotifyCredentials

__all__ = ["SpotifyCredentials"]
