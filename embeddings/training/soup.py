"""Between the weights that a run began with and those that it ended with there are often better ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from torch import Tensor

from embeddings.errors import TrainingError
from embeddings.training.config import TrainConfig
from embeddings.training.data import TrainingData
from embeddings.training.start import first_net, goes_on_whole
from embeddings.training.trainer import Trainer

_SHARES = np.linspace(0.0, 0.9, 10)


def check_start(config: TrainConfig, data: TrainingData) -> None:
    """Refuse, before anything is learnt, a run that is to be blended with a start that it does not have.

    Raises:
        TrainingError: It does not go on from a whole checkpoint.
    """
    if config.optim.blend_with_start and not goes_on_whole(config, data):
        raise TrainingError(
            "optim.blend_with_start needs model.init to be a checkpoint with the same genres, so that its "
            "head is kept; give one, or switch it off."
        )


def best_between(
    trainer: Trainer,
    ended: Mapping[str, Tensor],
    config: TrainConfig,
    data: TrainingData,
    judge: Callable[[Trainer], float],
) -> tuple[dict[str, Tensor], float]:
    """Weights on the straight line from a run's first to its last that the validation side likes best.

    Args:
        trainer: Its judged net takes the weights in turn.
        ended: Weights of the run's best epoch.
        config: The run's settings; they name the checkpoint that it went on from.
        data: The run's movies.
        judge: Figure of the trainer's judged net, larger is better.

    Returns:
        The weights, and the first weights' share in them, 0 to 0.9.

    Source:
        M. Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022.
    """
    began = {
        name: value.to(ended[name].device) for name, value in first_net(config, data).state_dict().items()
    }
    figures = []
    for share in _SHARES:
        trainer.judged.load_state_dict(_between(began, ended, float(share)))
        figures.append(judge(trainer))
    share = float(_SHARES[int(np.argmax(figures))])
    return _between(began, ended, share), share


def _between(began: Mapping[str, Tensor], ended: Mapping[str, Tensor], share: float) -> dict[str, Tensor]:
    """Counts of batches are the last ones'; all else is mixed, batch-norm statistics included."""
    return {
        name: last * (1 - share) + began[name] * share if last.is_floating_point() else last
        for name, last in ended.items()
    }
