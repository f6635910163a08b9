"""Paperpost: a self-hosted e-mail newsletter and alerting service for research papers."""

__version__ = "0.1.0"
