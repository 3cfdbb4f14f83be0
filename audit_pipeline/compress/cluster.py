"""Weight sharing: every layer's weights take a few values, by tensorflow-model-optimization.

Han, Mao & Dally 2016, "Deep Compression", section 3: weights are replaced by the nearest of their layer's centroids,
which are then trained. A .tflite stores every weight in full, so this frees no flash; it makes the file compress
better, for an update over the air or a device that unpacks its model.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.compress.lesson import Lesson
from audit_pipeline.compress.training import copied, fit, trained_part
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import StepPart
from audit_pipeline.model.runtime import keras, quiet
from audit_pipeline.policy.steps import Cluster
from audit_pipeline.progress import Progress

_FEWEST_WITH_ZEROS = 3
"""Centroids that TFMOT needs to keep one of them at zero."""


def cluster(model: Any, settings: Cluster, lesson: Lesson, seed: int, progress: Progress) -> tuple[Any, StepPart]:
    """Share weights and fine-tune.

    Centroids start where k-means++ puts them (Arthur & Vassilvitskii 2007), by TFMOT's own fixed seed. Where a layer
    has zeros, one centroid is zero and stays so.

    Args:
        model: an uncompiled tf_keras model; it is not changed.
        settings: the step as the policy writes it.
        lesson: what to fine-tune on, and the loss.
        seed: of the order of the rows, of dropout and of who is held out.
        progress: told the share of epochs that are done.

    Returns:
        The model with shared weights, and the step as it was carried out.

    Raises:
        InputError: `compress.nothing-to-cluster`: TFMOT can cluster no layer; or as `fit`.
    """
    with quiet():
        import tensorflow_model_optimization as tfmot

        wrapped, untouched = _wrapped(copied(model, seed), settings.clusters, tfmot.clustering.keras)
        notes = fit(wrapped, settings, lesson, seed, progress, "cluster and fine-tune")
        shared = copied(tfmot.clustering.keras.strip_clustering(wrapped), seed)
    return shared, trained_part("cluster", settings, lesson, (*_notes(model, shared), *notes, *_left(untouched)))


def _wrapped(copy: Any, clusters: int, tfmot: Any) -> tuple[Any, list[str]]:
    """A model over the layers of a copy, with every layer wrapped that can be.

    Returns:
        The model; the layers that have a kernel and cannot be clustered.
    """
    untouched: list[str] = []
    sharing = 0

    def wrap(layer: Any) -> Any:
        nonlocal sharing
        kernels = [weight.numpy() for weight in layer.trainable_weights if len(weight.shape) > 1]
        if not kernels or all(kernel.size <= clusters for kernel in kernels):
            return layer
        wrapper = _wrapper(layer, kernels, clusters, tfmot)
        if wrapper is None:
            untouched.append(layer.name)
            return layer
        sharing += 1
        return wrapper

    wrapped = keras().models.clone_model(copy, clone_function=wrap)
    if not sharing:
        raise InputError(
            "compress.nothing-to-cluster",
            "tensorflow-model-optimization can cluster no layer of this model",
            hint="leave cluster out of the recipe",
        )
    return wrapped, untouched


def _wrapper(layer: Any, kernels: list[NDArray[np.float32]], clusters: int, tfmot: Any) -> Any:
    """The layer in TFMOT's wrapper, which takes centroids from the weights that it has now; None where it has none."""
    # k-means++ finds no more centroids than there are values: a layer may share its weights already.
    number = max(2, min(clusters, *(len(np.unique(kernel)) for kernel in kernels)))
    zeros = number >= _FEWEST_WITH_ZEROS and any((kernel == 0).any() for kernel in kernels)
    start = tfmot.CentroidInitialization.KMEANS_PLUS_PLUS
    try:
        wrapper = tfmot.cluster_weights(layer, number, start, preserve_sparsity=zeros)
    except ValueError:
        return None
    known: list[Any] = getattr(getattr(wrapper, "layer", None), "get_clusterable_weights", list)()
    return wrapper if known else None


def _notes(before: Any, after: Any) -> tuple[str, ...]:
    notes = [
        "every weight is still stored in full: flash does not shrink, only the zipped size does",
        "a later step that trains parts the weights again",
    ]
    zeros = [sum(int((w == 0).sum()) for w in model.get_weights() if w.ndim > 1) for model in (before, after)]
    if zeros[1] < zeros[0]:
        notes.append(f"{zeros[0] - zeros[1]} of {zeros[0]} zeros of an earlier step are lost: it takes three clusters")
    return tuple(notes)


def _left(untouched: list[str]) -> tuple[str, ...]:
    if not untouched:
        return ()
    return (f"left as they are, as tensorflow-model-optimization does not cluster them: {', '.join(untouched)}",)
