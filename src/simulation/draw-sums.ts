import type { FeatureFrame } from '../features/features.ts'
import type { Drawn } from './draws.ts'
import type { Forecast } from './forecast.ts'
import type { Scope } from './scope.ts'

/** One draw of the random choices of a scenario. */
export interface Replication {
  /** Mean difference over the population. [quantities] */
  readonly mean: Float64Array
  /** The same as each member alone would have it. [members][quantities] */
  readonly byMember: readonly Float64Array[]
  /** Contacts that were not made, a customer. */
  readonly contactsAvoided: number
  /** Customers of the sample whose behaviour was changed. */
  readonly edited: number
}

/** A part of those studied as it is. */
export interface PartAsItIs {
  /** Row in `studied` of each row of the part. */
  readonly studied: Int32Array
  readonly frame: FeatureFrame
}

/** Draws of a part, and what is forecast of those whom they edit. */
export interface ForecastDraws {
  readonly part: PartAsItIs
  readonly drawn: Drawn
  readonly forecast: Forecast
}

/** Adds up draws, part by part. */
export class DrawSums {
  readonly #asItIs: Forecast
  readonly #scope: Pick<Scope, 'sampled'>
  /** Differences, and their squares, summed over the draws. [quantities][customers] */
  readonly #sums: readonly Float64Array[]
  readonly #squares: readonly Float64Array[]
  readonly #draws: { -readonly [Key in keyof Replication]: Replication[Key] }[] = []
  readonly #isEdited: Uint8Array
  /** Another draw of each so manieth customer; null: there is none. */
  #pilot: { readonly every: number; readonly moved: readonly Float64Array[] } | null = null

  constructor(asItIs: Forecast, scope: Pick<Scope, 'sampled'>) {
    this.#asItIs = asItIs
    this.#scope = scope
    this.#sums = asItIs.list.map(() => new Float64Array(scope.sampled))
    this.#squares = asItIs.list.map(() => new Float64Array(scope.sampled))
    this.#isEdited = new Uint8Array(scope.sampled)
  }

  /** @param first number of the first of the draws; those of every part have the same. */
  add({ part, drawn, forecast }: ForecastDraws, first: number): void {
    const { draw, contactsAvoided } = drawn
    const customer = drawn.customer.map((row) => part.studied[row])
    for (const [place, avoided] of contactsAvoided.entries()) {
      this.#draws[first + place] ??= this.#nothing()
      this.#draws[first + place].contactsAvoided += avoided / this.#scope.sampled
    }
    for (const place of draw) this.#draws[first + place].edited++
    for (const row of customer) this.#isEdited[row] = 1
    for (const [quantity, values] of forecast.blend.entries()) {
      const [sums, squares] = [this.#sums[quantity], this.#squares[quantity]]
      this.#addMeans({ draw, customer, first }, [values, this.#asItIs.blend[quantity]], (own, moved, row) => {
        this.#draws[own].mean[quantity] += moved / this.#scope.sampled
        sums[row] += moved
        squares[row] += moved * moved
      })
    }
    for (const [member, quantities] of forecast.members.entries())
      for (const [quantity, values] of quantities.entries())
        this.#addMeans(
          { draw, customer, first },
          [values, this.#asItIs.members[member][quantity]],
          (own, moved) => {
            this.#draws[own].byMember[member][quantity] += moved / this.#scope.sampled
          },
        )
  }

  /**
   * Adds another draw of each so manieth customer, by which the error of a single draw is told. The first of all must
   * have been added, of the same part.
   */
  addPilot({ part, drawn, forecast }: ForecastDraws, every: number): void {
    const { list, blend } = this.#asItIs
    this.#pilot ??= { every, moved: list.map(() => new Float64Array(this.#scope.sampled)) }
    for (const [quantity, values] of forecast.blend.entries())
      for (const [at, row] of drawn.customer.entries()) {
        const studied = part.studied[row]
        this.#pilot.moved[quantity][studied] = values[at] - blend[quantity][studied]
      }
  }

  #addMeans(
    { draw, customer, first }: { draw: Int32Array; customer: Int32Array; first: number },
    [would, is]: readonly [would: Float64Array, is: Float64Array],
    add: (draw: number, moved: number, row: number) => void,
  ): void {
    for (let at = 0; at < customer.length; at++)
      add(first + draw[at], would[at] - is[customer[at]], customer[at])
  }

  #nothing(): Replication {
    const { list, members } = this.#asItIs
    const means = () => new Float64Array(list.length)
    return { mean: means(), byMember: members.map(means), contactsAvoided: 0, edited: 0 }
  }

  /** What all draws so far add up to. */
  total() {
    const count = Math.max(1, this.#draws.length)
    const { sampled } = this.#scope
    return {
      /** Mean over the draws. [quantities][customers] */
      difference: this.#sums.map((sum) => sum.map((value) => value / count)),
      replications: this.#draws as readonly Replication[],
      drawVariance: this.#sums.map(
        (_, quantity) => this.#sumOfVariances(quantity, count) / (sampled * sampled * count),
      ),
      editedAtOnce: this.#draws.reduce((sum, { edited }) => sum + edited, 0) / count,
      edited: Int32Array.from(this.#isEdited.keys()).filter((row) => this.#isEdited[row] === 1),
    }
  }

  /** Variances of single draws of each customer, added up. */
  #sumOfVariances(quantity: number, draws: number): number {
    const sums = this.#sums[quantity]
    if (draws > 1) return sumOfVariances(sums, this.#squares[quantity], draws)
    if (this.#pilot === null) return 0
    const { every, moved } = this.#pilot
    let total = 0
    let customers = 0
    for (let row = 0; row < sums.length; row += every, customers++)
      total += (sums[row] - moved[quantity][row]) ** 2 / 2
    return (total * sums.length) / customers
  }
}

/** Variances of the draws of each customer, added up. */
function sumOfVariances(sums: Float64Array, squares: Float64Array, draws: number): number {
  let total = 0
  for (let row = 0; row < sums.length; row++)
    total += Math.max(0, squares[row] - (sums[row] * sums[row]) / draws) / (draws - 1)
  return total
}
