/** 1 / (1 + e^−x), without overflow. */
export function sigmoid(x: number): number {
  if (x >= 0) return 1 / (1 + Math.exp(-x))
  const e = Math.exp(x)
  return e / (1 + e)
}

/** log(1 + e^x), without overflow: the log loss of "no" at logit x. */
export function softplus(x: number): number {
  return x > 0 ? x + Math.log1p(Math.exp(-x)) : Math.log1p(Math.exp(x))
}

/** log(p / (1 − p)). */
export function logit(probability: number): number {
  return Math.log(probability / (1 - probability))
}

/** The smallest and, mirrored, the largest probability a member or calibrator says: log loss stays finite. */
export const smallestProbability = 1e-6

/** `probability` kept inside [1e-6, 1 − 1e-6]. */
export function clampProbability(probability: number): number {
  return Math.min(Math.max(probability, smallestProbability), 1 - smallestProbability)
}

/**
 * log(sigmoid(upper) − sigmoid(lower)) and its slopes, exact also far out where the difference would round to 0.
 *
 * The log probability of one answer under cumulative logits; `lower` may be −Infinity and `upper` Infinity.
 * Uses σ(a) − σ(b) = σ(a) σ(−b) (1 − e^(b − a)).
 */
export function logProbabilityBetween(
  lower: number,
  upper: number,
): { value: number; byLower: number; byUpper: number } {
  const closeness = 1 / Math.expm1(upper - lower)
  return {
    value: Math.log(-Math.expm1(lower - upper)) - softplus(-upper) - softplus(lower),
    byLower: -sigmoid(lower) - closeness,
    byUpper: sigmoid(-upper) + closeness,
  }
}
