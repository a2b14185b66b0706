const zero = '0'.charCodeAt(0)
const mostDigits = 32

/**
 * Puts a text together from pieces that are UTF-8 already: one that grows bit by bit is a tree of bits, which costs more
 * to clear away than to make.
 */
export class TextBytes {
  #bytes = Buffer.allocUnsafe(4096)
  #length = 0

  get isEmpty(): boolean {
    return this.#length === 0
  }

  add(piece: Uint8Array): void {
    this.#makeRoom(piece.length)
    this.#bytes.set(piece, this.#length)
    this.#length += piece.length
  }

  /**
   * Adds a number that is whole in such units as decimals: several times faster than what JavaScript does for any number.
   *
   * @param places decimals, 1 to 9; all are written unless all are 0.
   */
  addDecimals(value: number, places: number): void {
    const units = 10 ** places
    const whole = Math.round(Math.abs(value) * units)
    if (!(whole < 2 ** 31)) {
      this.add(Buffer.from(JSON.stringify(value)))
      return
    }
    this.#makeRoom(mostDigits)
    if (value < 0 && whole > 0) this.#bytes[this.#length++] = minus
    const before = Math.floor(whole / units)
    this.#addDigits(before, digitsOf(before))
    const after = whole - before * units
    if (after === 0) return
    this.#bytes[this.#length++] = point
    this.#addDigits(after, places)
  }

  /** What was added since it was last taken. */
  take(): string {
    const text = this.#bytes.toString('utf8', 0, this.#length)
    this.#length = 0
    return text
  }

  #addDigits(number: number, digits: number): void {
    let left = number
    for (let at = this.#length + digits - 1; at >= this.#length; at--) {
      const rest = Math.floor(left / 10)
      this.#bytes[at] = zero + left - rest * 10
      left = rest
    }
    this.#length += digits
  }

  #makeRoom(more: number): void {
    if (this.#length + more <= this.#bytes.length) return
    const larger = Buffer.allocUnsafe(2 * (this.#length + more))
    larger.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = larger
  }
}

const minus = '-'.charCodeAt(0)
const point = '.'.charCodeAt(0)

function digitsOf(number: number): number {
  let digits = 1
  for (let least = 10; number >= least; least *= 10) digits++
  return digits
}
