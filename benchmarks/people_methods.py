"""The intervals that were considered for a share of rows of people, for many samples at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import betaincinv, expit, gammaincinv, gammaln, logit, ndtri, stdtrit

from audit_pipeline.statistics.design_effect import OUTCOME_CORRELATION, Contributions, DesignEffect, design_effect
from benchmarks.coverage import LEVEL, Cell, Counts, Floats, factors_at, tails, wilson_ends

_REPLICATES = 999
_TAIL = (1 - LEVEL) / 2
_Z = float(-ndtri(_TAIL))
Ends = tuple[Floats, Floats]


@dataclass(frozen=True)
class Sample:
    """[samples, people] counts, and what most methods need of them."""

    cell: Cell
    hits: Counts
    rows: Counts

    @property
    def total(self) -> Floats:
        """[samples]."""
        return np.asarray(self.rows.sum(axis=1), dtype=np.float64)

    @property
    def share(self) -> Floats:
        """[samples]."""
        return np.asarray(self.hits.sum(axis=1) / self.total)

    @property
    def residuals(self) -> Floats:
        """[samples, people] hits less those expected."""
        return np.asarray(self.hits - self.share[:, np.newaxis] * self.rows)

    @property
    def rows_a_person(self) -> Floats:
        """[samples] Σn² / Σn."""
        return np.asarray(np.square(self.rows).sum(axis=1) / self.total)

    @property
    def robust_variance(self) -> Floats:
        """[samples] cluster-robust variance CR2 of the share (Bell & McCaffrey 2002)."""
        leverage = self.rows / self.total[:, np.newaxis]
        return np.asarray((np.square(self.residuals) / (1 - leverage)).sum(axis=1) / self.total**2)

    @property
    def t(self) -> Floats:
        """[samples] quantile at Bell & McCaffrey's degrees of freedom."""
        leverage = self.rows / self.total[:, np.newaxis]
        scaled = self.rows / (1 - leverage)
        trace = (np.square(scaled) * (1 - 2 * leverage)).sum(axis=1) + (scaled * leverage).sum(axis=1) ** 2
        return np.asarray(stdtrit(self.total**2 / trace, 1 - _TAIL))


def people_ignored(sample: Sample) -> Ends:
    """Wilson's, as if rows were independent."""
    return wilson_ends(sample.share, sample.total)


def known_correlation(sample: Sample) -> Ends:
    """Effective rows at the true correlation, which nobody knows: the yardstick of width."""
    return _on_effective_rows(sample, 1 + (sample.rows_a_person - 1) * sample.cell.correlation)


def korn_graubard(sample: Sample) -> Ends:
    """Clopper-Pearson on effective rows by CR2 and t (Korn & Graubard 1998)."""
    plain = sample.share * (1 - sample.share) / sample.total
    effect = _or_one(sample.robust_variance / np.where(plain > 0, plain, 1.0), plain) * (sample.t / _Z) ** 2
    n = sample.total / np.maximum(effect, 1.0)
    hits = sample.share * n
    low = np.where(hits > 0, betaincinv(np.maximum(hits, 1e-9), n - hits + 1, _TAIL), 0.0)
    return low, np.where(hits < n, betaincinv(hits + 1, np.maximum(n - hits, 1e-9), 1 - _TAIL), 1.0)


def robust_t(sample: Sample) -> Ends:
    """Share ± t·√CR2."""
    half = sample.t * np.sqrt(sample.robust_variance)
    return np.maximum(sample.share - half, 0), np.minimum(sample.share + half, 1)


def robust_t_on_logits(sample: Sample) -> Ends:
    """The same on the logit scale; a point where nothing varies."""
    plain = sample.share * (1 - sample.share)
    half = sample.t * np.sqrt(sample.robust_variance) / np.where(plain > 0, plain, 1.0)
    middle = logit(np.clip(sample.share, 1e-12, 1 - 1e-12))
    low, high = (np.where(plain > 0, expit(middle + side * half), sample.share) for side in (-1, 1))
    return low, high


def gamma(sample: Sample) -> Ends:
    """People as weighted Poisson events (Fay & Feuer 1997), of the rarer outcome."""
    rarer = (
        np.where((sample.share > 0.5)[:, np.newaxis], sample.rows - sample.hits, sample.hits)
        / sample.total[:, np.newaxis]
    )
    mean, variance, most = rarer.sum(axis=1), np.square(rarer).sum(axis=1), sample.rows.max(axis=1) / sample.total
    seen = np.where(variance > 0, variance, 1.0)
    low = np.where(
        variance > 0, gammaincinv(np.maximum(mean**2 / seen, 1e-9), _TAIL) * seen / np.maximum(mean, 1e-12), 0
    )
    more, wider = mean + most, variance + most**2
    high = np.minimum(gammaincinv(more**2 / wider, 1 - _TAIL) * wider / more, 1)
    turned = sample.share > 0.5
    return np.where(turned, 1 - high, low), np.where(turned, 1 - low, high)


def percentile_bootstrap(sample: Sample) -> Ends:
    """Quantiles of the share over resampled people."""
    shares, _ = _resampled(sample)
    low, high = np.quantile(shares, [_TAIL, 1 - _TAIL], axis=0)
    return low, high


def studentised_bootstrap(sample: Sample) -> Ends:
    """Share − quantiles of t·√CR2, t being that of resampled people."""
    shares, variances = _resampled(sample)
    scores = (shares - sample.share) / np.sqrt(np.maximum(variances, 1e-12))
    low, high = np.quantile(scores, [_TAIL, 1 - _TAIL], axis=0)
    error = np.sqrt(sample.robust_variance)
    return np.clip(sample.share - high * error, 0, 1), np.clip(sample.share - low * error, 0, 1)


def _resampled(sample: Sample) -> tuple[Floats, Floats]:
    """[replicates, samples] share and its cluster-robust variance; all samples share the resampling of people."""
    people = sample.rows.shape[1]
    times = np.random.default_rng(7).multinomial(people, np.full(people, 1 / people), _REPLICATES).astype(np.float64)
    hits, rows = sample.hits.astype(np.float64), sample.rows.astype(np.float64)
    total = times @ rows.T
    share = (times @ hits.T) / total
    squares = times @ np.square(hits).T - 2 * share * (times @ (hits * rows).T) + share**2 * (times @ np.square(rows).T)
    return share, np.maximum(squares, 0) / total**2 * people / (people - 1)


def averaged_design_effects(sample: Sample) -> Ends:
    """Wilson's on effective rows, the design effect averaged with that of a correlation of 0.5: the former method."""
    plain = sample.share * (1 - sample.share) / sample.total
    observed = (
        np.maximum(_or_one(sample.robust_variance / np.where(plain > 0, plain, 1.0), plain), 1.0) * (sample.t / _Z) ** 2
    )
    rarer = np.where((sample.share > 0.5)[:, np.newaxis], sample.rows - sample.hits, sample.hits).astype(np.float64)
    seen = rarer.sum(axis=1) ** 2 / np.maximum(np.square(rarer).sum(axis=1), 1)
    effect = (seen * observed + 2 * (1 + (sample.rows_a_person - 1) * 0.5)) / (seen + 2)
    return wilson_ends(sample.share, sample.total / np.maximum(effect, 1))


def beta_binomial(sample: Sample) -> Ends:
    """As chosen, but every correlation believed in as far as the beta-binomial likelihood says."""
    effect = _chosen_effect(sample)
    correlations = (effect.factors - 1) / (sample.rows_a_person[:, np.newaxis] - 1)
    mean = ((sample.hits.sum(axis=1) + 0.5) / (sample.total + 1))[:, np.newaxis]
    likelihood = np.zeros_like(correlations)
    for column, rho in enumerate(np.maximum(correlations[0], 1e-6)):
        a, b = mean * (1 / rho - 1), (1 - mean) * (1 / rho - 1)
        each = gammaln(sample.hits + a) + gammaln(sample.rows - sample.hits + b) - gammaln(sample.rows + a + b)
        likelihood[:, column] = (each - (gammaln(a) + gammaln(b) - gammaln(a + b))).sum(axis=1)
    likelihood[(sample.share == 0) | (sample.share == 1)] = 0
    nothing = Contributions(np.zeros(2), np.zeros(2), np.full(2, 2.0))
    beliefs = np.exp(likelihood - likelihood.max(axis=1, keepdims=True))
    beliefs *= design_effect(nothing, OUTCOME_CORRELATION).beliefs
    return _on_effective_rows(sample, factors_at(effect.factors, beliefs / beliefs.sum(axis=1, keepdims=True)))


def chosen(sample: Sample) -> Ends:
    """That of `Share`."""
    effect = _chosen_effect(sample)
    return _on_effective_rows(sample, factors_at(effect.factors, effect.beliefs))


def _chosen_effect(sample: Sample) -> DesignEffect:
    share = sample.share[:, np.newaxis]
    squares = sample.hits * (1 - 2 * share) + share**2 * sample.rows
    people = Contributions(sample.residuals, squares, sample.rows.astype(np.float64))
    return design_effect(people, OUTCOME_CORRELATION)


def _on_effective_rows(sample: Sample, factors: Floats) -> Ends:
    """The interval of `Share` by bisection."""
    n = sample.total / factors
    low = [np.zeros_like(n), sample.share.copy()]
    high = [sample.share.copy(), np.ones_like(n)]
    for _ in range(30):
        middle = (low[0] + low[1]) / 2, (high[0] + high[1]) / 2
        out = tails(sample.share, n, middle[0])[0] < _TAIL, tails(sample.share, n, middle[1])[1] < _TAIL
        low = [np.where(out[0], middle[0], low[0]), np.where(out[0], low[1], middle[0])]
        high = [np.where(out[1], high[0], middle[1]), np.where(out[1], middle[1], high[1])]
    return low[0], high[1]


def _or_one(ratio: Floats, plain: Floats) -> Floats:
    """A design effect, 1 where nothing varies."""
    return np.where(plain > 0, ratio, 1.0)


METHODS: dict[str, Callable[[Sample], Ends]] = {
    "correlation known (yardstick)": known_correlation,
    "people ignored (Wilson)": people_ignored,
    "percentile bootstrap of people": percentile_bootstrap,
    "studentised bootstrap of people": studentised_bootstrap,
    "cluster-robust t, CR2": robust_t,
    "cluster-robust t on logits": robust_t_on_logits,
    "Korn-Graubard": korn_graubard,
    "gamma, people as events (Fay-Feuer)": gamma,
    "beta-binomial likelihood": beta_binomial,
    "averaged design effects (former)": averaged_design_effects,
    "beliefs in every correlation (chosen)": chosen,
}
