/** How far a group's forecast was off on later data. Net promoter scores in points, outcomes in probability. */
export interface GroupError {
  /** Of the level that all customers share: never less than what later data showed it to be off by. */
  readonly standardError: number
  /** Standard deviation of what one customer does around the forecast. */
  readonly spread: number
}

export interface GroupForecast {
  readonly value: number
  /** Null where the error is not known. */
  readonly ci95: readonly [number, number] | null
}

const normalQuantile = 1.96

/**
 * The mean forecast of a group with the 95% interval of what would be counted, were all of its customers counted.
 *
 * Two errors add up: that of the common level, which no size of group averages out, and chance within the group. Does
 * not know of customers who never answer and feel differently.
 *
 * @param customers how many the mean is over.
 */
export function forecastGroup(
  mean: number,
  customers: number,
  { error, range }: { error: GroupError | null; range: readonly [number, number] },
): GroupForecast {
  if (error === null || customers === 0) return { value: mean, ci95: null }
  const half = normalQuantile * Math.sqrt(error.standardError ** 2 + error.spread ** 2 / customers)
  return { value: mean, ci95: [Math.max(range[0], mean - half), Math.min(range[1], mean + half)] }
}
