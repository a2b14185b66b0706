/** The part of jStat that is used here; the package brings no types. */
declare module 'jstat' {
  const jStat: {
    readonly normal: {
      cdf(x: number, mean: number, standardDeviation: number): number
      inv(probability: number, mean: number, standardDeviation: number): number
    }
    readonly studentt: { inv(probability: number, degreesOfFreedom: number): number }
    readonly chisquare: { cdf(x: number, degreesOfFreedom: number): number }
    readonly binomial: { cdf(successes: number, trials: number, probability: number): number }
  }
  export default jStat
}
