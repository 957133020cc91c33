"""Everything that decides a training run, in one frozen value.

A run can be written down as TOML, with a section for each part::

    epochs = 12
    [model]
    arch = "mobilenet_v2"
    init = "../shared/data/weights/mobilenet_v2_onnx_in1k.safetensors"
    [optim]
    lr = 1e-3
"""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    ValidationError,
    field_validator,
    model_validator,
)

from embeddings.errors import TrainingError
from embeddings.training.own_defaults import own_defaults

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Pixels = Annotated[int, Field(ge=8, le=2048)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=(), allow_inf_nan=False)


class ModelConfig(_Frozen):
    """Which net, and what it reads."""

    arch: str = "mobilenet_v2"
    """Architecture by name; ``A+B`` looks with both."""
    init: str = "auto"
    """``auto`` (``imagenet`` for torchvision's nets, ``none`` for those trained from scratch), ``imagenet``,
    ``none``, a torchvision weight name, a safetensors file (``A+B`` for a pair), or the folder of a
    checkpoint to go on from."""
    embedding_dim: Annotated[int, Field(ge=1, le=65_536)] = 256
    """Width of the embedding."""
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.2
    """Share of the features dropped before the neck."""
    norm: Literal["batch", "layer", "none"] = "batch"
    """Normalisation of the neck."""
    activation: Literal["relu", "gelu", "silu", "none"] = "silu"
    """Activation of the neck."""
    levels: bool = False
    """Let the neck also read mean and deviation of every channel where a depth of the backbone ends."""
    width: Pixels = 160
    """Pixels of the input."""
    height: Pixels = 240
    """Pixels of the input; posters are 2:3."""
    fit: Literal["stretch", "pad", "crop"] = "stretch"
    """What happens to posters of another shape."""
    interpolation: Literal["bilinear", "bicubic", "lanczos", "box"] = "bilinear"
    """How posters are resampled."""


class DataConfig(_Frozen):
    """Which movies take part, and on which side."""

    min_support: Annotated[int, Field(ge=1)] = 50
    """Genres with fewer training movies are not learnt."""
    genres: tuple[str, ...] = ()
    """The vocabulary, where it is fixed beforehand, as by teachers; empty takes ``min_support``."""
    fractions: tuple[float, float, float] = (0.70, 0.15, 0.15)
    """Shares of train, validation and test."""
    split_seed: Seed = 0
    """Which of the equally good splits."""
    split_file: Path | None = None
    """A split written before; None makes one."""
    folds: Annotated[int, Field(ge=0)] = 0
    """Number of parts of k-fold training; 0 trains once."""
    fold: Annotated[int, Field(ge=0)] = 0
    """Which part is held out for validation, in [0, folds)."""
    cache_dir: Path | None = None
    """Where decoded posters are kept; None keeps them under the run."""
    limit: Annotated[int, Field(ge=0)] = 0
    """Use only so many movies (a stratified part); 0 uses all."""

    @field_validator("genres")
    @classmethod
    def _each_genre_once(cls, genres: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(genres)) != len(genres) or not all(genres):
            raise ValueError("each genre stands once and has a name")
        return genres

    @model_validator(mode="after")
    def _fold_exists(self) -> DataConfig:
        if self.folds == 1 or (self.folds and self.fold >= self.folds):
            raise ValueError(f"folds is 0 or at least 2 and fold below it, got {self.folds} and {self.fold}")
        return self


class AugmentConfig(_Frozen):
    """How a poster is changed each time it is seen; 0 switches a change off."""

    flip: Share = 0.5
    """Chance of mirroring."""
    crop: Share = 0.25
    """Largest share of the area that is cut away before scaling back."""
    stretch: Annotated[float, Field(ge=0.0, le=0.9)] = 0.15
    """Largest relative change of the aspect."""
    rotate: Annotated[float, Field(ge=0.0, le=180.0)] = 3.0
    """Largest turn, in degrees."""
    shift: Share = 0.0
    """Largest shift, as a share of the side."""
    zoom_out: Share = 0.0
    """Largest share by which the poster shrinks, leaving edges."""
    shear: Annotated[float, Field(ge=0.0, le=45.0)] = 0.0
    """Largest shear, in degrees."""
    brightness: Share = 0.2
    """Largest relative change."""
    contrast: Share = 0.2
    """Largest relative change."""
    saturation: Share = 0.3
    """Largest relative change."""
    hue: Annotated[float, Field(ge=0.0, le=0.5)] = 0.02
    """Largest turn of the colour circle."""
    greyscale: Share = 0.03
    """Chance of losing all colour."""
    border: Share = 0.1
    """Chance of a plain frame around the poster."""
    jpeg: Share = 0.2
    """Chance of one more JPEG compression, of quality 25 to 90."""
    low_resolution: Share = 0.2
    """Chance of having passed through a smaller size, down to a third."""
    blur: Share = 0.05
    """Chance of a Gaussian blur."""
    erase: Share = 0.0
    """Chance of a random rectangle being erased."""
    randaugment_ops: Annotated[int, Field(ge=0, le=8)] = 0
    """Operations of RandAugment for each poster."""
    randaugment_magnitude: Annotated[int, Field(ge=0, le=30)] = 9
    """Their strength."""
    mixup: Annotated[float, Field(ge=0.0)] = 0.0
    """Alpha of mixup."""
    cutmix: Annotated[float, Field(ge=0.0)] = 0.0
    """Alpha of CutMix."""
    mix_chance: Share = 0.5
    """Share of batches that are mixed, where mixup or CutMix is on."""


class OptimConfig(_Frozen):
    """How fast what learns."""

    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """AdamW; Adam, whose weight decay is part of the gradient; or SGD with Nesterov momentum 0.9."""
    lr: Annotated[float, Field(gt=0.0)] = 1e-3
    """Peak learning rate of neck and head."""
    backbone_lr_scale: Annotated[float, Field(ge=0.0)] = 0.3
    """The backbone's share of it; 1 where the backbone begins with random weights."""
    weight_decay: Annotated[float, Field(ge=0.0)] = 0.02
    """Of matrices and filters."""
    schedule: str = "cosine"
    """constant, step, exponential, cosine, one_cycle or plateau."""
    warmup_epochs: Annotated[float, Field(ge=0.0)] = 0.5
    """Epochs of linear warm-up before the schedule."""
    schedule_options: dict[str, float] = {}
    """Further arguments of the schedule."""
    gradient_clip: Annotated[float, Field(ge=0.0)] = 1.0
    """Largest norm of the gradient; 0 does not clip."""
    head_epochs: Annotated[int, Field(ge=0)] = 0
    """First epochs in which only neck and head learn."""
    unfreeze_epochs: Annotated[int, Field(ge=0)] = 0
    """Epochs over which the backbone's stages join after that, from the output back."""
    freeze_stages: Annotated[int, Field(ge=0)] = 0
    """First stages that never learn."""
    frozen_views: Annotated[int, Field(ge=0, le=32)] = 0
    """Work out what the first ``freeze_stages`` stages (0: all) see once, for so many views; 0: never."""
    head_dropout: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of the neck's output dropped before the head, where nothing but neck and head learns."""
    ema_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.999
    """Decay of the moving average of the weights, which is what is judged and kept; 0 switches it off."""
    blend_with_start: bool = False
    """Keep the best weights by validation between those of the checkpoint gone on from and the learnt."""


class LossConfig(_Frozen):
    """What is minimised."""

    name: str = "bce"
    """bce, weighted_bce, focal, asl, soft_f1, sigmoid_f1 or distribution_balanced."""
    options: dict[str, float] = {}
    """Arguments of the loss."""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """How far targets are drawn towards each genre's share of the training movies."""
    soft_labels: tuple[Path, ...] = ()
    """Teachers' probabilities, as ``write_soft_labels`` leaves them, averaged; none: labels alone."""
    distill_weight: Share = 0.5
    """Share of the teachers' say, where a movie has both."""
    distill_temperature: Annotated[float, Field(gt=0.0)] = 1.0
    """Softens teacher and student alike."""
    contrastive_weight: Annotated[float, Field(ge=0.0)] = 0.0
    """Weight of the term that draws posters with like genres together in the embedding; 0 leaves it out."""
    contrastive_temperature: Annotated[float, Field(gt=0.0)] = 0.1
    """Temperature of that term; lower looks at the nearest only."""
    use_unlabelled: bool = True
    """Learn too from posters that only teachers have labelled."""

    @field_validator("soft_labels", mode="before")
    @classmethod
    def _one_file_is_a_list(cls, value: object) -> object:
        return (value,) if isinstance(value, (str, Path)) else value


class TrainConfig(_Frozen):
    """One training run.

    A setting that is not given takes the net's own default (``own_defaults``), then the one below.
    """

    # Another net brings other defaults: what was given must be known apart from them.
    _given: dict[str, Any] = PrivateAttr(default_factory=dict)

    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    augment: AugmentConfig = AugmentConfig()
    optim: OptimConfig = OptimConfig()
    loss: LossConfig = LossConfig()
    epochs: Annotated[int, Field(ge=1)] = 12
    """Times that every poster is seen."""
    batch_size: Annotated[int, Field(ge=2)] = 32
    """Posters per step, over all processes together."""
    sampler: str = "none"
    """none, inverse_frequency or compound_genres."""
    monitor: Literal["mean_average_precision", "macro_f1", "micro_f1", "val_loss", "val_brier"] = (
        "mean_average_precision"
    )
    """Validation figure that picks the best epoch; ``val_loss`` and ``val_brier`` are minimised."""
    patience: Annotated[int, Field(ge=0)] = 5
    """Epochs without a better figure before training stops; 0 never stops."""
    seed: Seed = 0
    """Of weights, order and augmentation."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the forward pass; ``auto`` is bfloat16 where the hardware multiplies it."""
    compile: bool = False
    """Run the net through ``torch.compile``."""
    keep_epochs: bool = False
    """Keep a checkpoint of every epoch."""
    tensorboard: bool = False
    """Write TensorBoard events beside the CSV history."""
    stored_as: Literal["float32", "float16", "int8"] = "float16"
    """How the checkpoint stores filters and matrices."""

    @model_validator(mode="wrap")
    @classmethod
    def _take_own_defaults(cls, given: Any, validate: ModelWrapValidatorHandler[Self]) -> Self:
        config = validate(given)
        if not isinstance(given, Mapping):
            return config
        plain = {
            name: part.model_dump(exclude_unset=True) if isinstance(part, BaseModel) else part
            for name, part in given.items()
        }
        tree = copy.deepcopy(plain)
        own = own_defaults(config.model.arch, config.model.init, config.optim.schedule)
        for name, value in own.items():
            *section, leaf = name.split(".")
            branch = tree.setdefault(section[0], {}) if section else tree
            branch.setdefault(leaf, value)
        config = validate(tree)
        config._given = copy.deepcopy(plain)
        return config

    def with_values(self, values: Mapping[str, Any]) -> TrainConfig:
        """Change settings by dotted name, such as ``{"model.arch": "resnet18", "epochs": 3}``.

        Raises:
            TrainingError: A name is unknown or a value unfit.
        """
        known, given = self.model_dump(), copy.deepcopy(self._given)
        for name, value in values.items():
            *parents, leaf = name.split(".")
            branch: Any = known
            for parent in parents:
                branch = branch.get(parent) if isinstance(branch, dict) else None
            if not isinstance(branch, dict) or (leaf not in branch and parents[-1:] not in _FREE_TABLES):
                raise TrainingError(
                    f"there is no training setting {name!r}; see docs/training.md for their names."
                )
            said = given
            for parent in parents:
                said = said.setdefault(parent, {})
            said[leaf] = value
        return parse_config(given, "training settings")


_FREE_TABLES = (["options"], ["schedule_options"])


def parse_config(tree: Mapping[str, Any], where: str) -> TrainConfig:
    """Check a tree of settings.

    Raises:
        TrainingError: A key is unknown or a value unfit; the message names the first.
    """
    try:
        return TrainConfig.model_validate(tree)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "settings"
        raise TrainingError(f"{where}: {name}: {first['msg']} (got {first['input']!r}).") from error


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file of settings.

    Raises:
        TrainingError: It is missing or no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise TrainingError(f"{path} cannot be read as TOML: {error}.") from error
