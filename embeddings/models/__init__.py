"""Architectures by name: a backbone, a neck that makes the embedding, a genre head."""

from embeddings.models.backbone import Backbone
from embeddings.models.groups import freeze_backbone, param_groups
from embeddings.models.poster_net import NetSpec, PosterNet, PosterOutput
from embeddings.models.registry import architecture_names, build_model
from embeddings.models.summary import summary

__all__ = [
    "Backbone",
    "NetSpec",
    "PosterNet",
    "PosterOutput",
    "architecture_names",
    "build_model",
    "freeze_backbone",
    "param_groups",
    "summary",
]
