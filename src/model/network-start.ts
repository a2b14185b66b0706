import { uniformFloat32 } from 'pure-rand/distribution/uniformFloat32'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'
import { type AnswerLabels, answerCount, type HazardLabels } from './member.ts'
import { type NetworkShape, networkSize, networkSlots, outputsPerMember, slotView } from './network.ts'
import { thresholdParameters } from './network-heads.ts'
import type { RowLabels } from './network-labels.ts'

/** Heads start small, so that a new network says little more than the base rates. */
const headScale = 0.5

/** Parameters before learning: random trunk, outputs at the base rates of the known labels. */
export function startWeights(shape: NetworkShape, labels: RowLabels, random: RandomGenerator): Float32Array {
  const flat = new Float32Array(networkSize(shape))
  const { inputs, width } = shape
  const fill = (values: Float32Array, bound: number) => {
    for (let i = 0; i < values.length; i++) values[i] = bound * (2 * uniformFloat32(random) - 1)
  }
  for (const slot of networkSlots(shape)) {
    const values = slotView(flat, slot)
    if (slot.name === 'own') fill(values, 1 / Math.sqrt(inputs))
    else if (slot.name.startsWith('shared')) fill(values, Math.sqrt(3 / width))
    else if (slot.name.startsWith('in')) fillSigns(values, random)
    else if (slot.name.startsWith('out')) values.fill(1)
    else if (slot.name === 'heads') fill(values, headScale / Math.sqrt(width))
    else if (slot.name === 'skip') fillEachMember(values.subarray(slot.decayed), outputBiases(shape, labels))
    else if (slot.name === 'thresholds' && labels.answers !== null) {
      fillEachMember(values, thresholdParameters(baseThresholds(labels.answers)))
    }
  }
  return flat
}

/** Random signs make the members see the shared weights differently from the start (TabM, Gorishniy 2024). */
function fillSigns(values: Float32Array, random: RandomGenerator): void {
  for (let i = 0; i < values.length; i++) values[i] = uniformFloat32(random) < 0.5 ? -1 : 1
}

function fillEachMember(values: Float32Array, once: readonly number[]): void {
  for (let i = 0; i < values.length; i++) values[i] = once[i % once.length]
}

/** Logits of the base hazards; 0 for the answer's location, slope and log scale. */
function outputBiases(shape: NetworkShape, labels: RowLabels): number[] {
  const biases = labels.outcomes.flatMap(baseHazardLogits)
  return [...biases, ...Array.from({ length: outputsPerMember(shape) - biases.length }, () => 0)]
}

function baseHazardLogits({ intervals, known, happened, weight }: HazardLabels): number[] {
  return Array.from({ length: intervals }, (_, j) => {
    // Half an event and half a non-event of weight 1 keep the logit finite.
    let [events, others] = [0.5, 0.5]
    for (let row = 0, label = j; label < known.length; row++, label += intervals) {
      if (known[label] !== 1 || !(weight[row] > 0)) continue
      if (happened[label] === 1) events += weight[row]
      else others += weight[row]
    }
    return Math.log(events / others)
  })
}

/** Thresholds at which location 0 and scale 1 give the weighted shares of the answers. */
function baseThresholds({ score, weight }: AnswerLabels): number[] {
  const counts = new Array<number>(answerCount).fill(0.5)
  for (let answer = 0; answer < score.length; answer++) {
    if (weight[answer] > 0) counts[score[answer]] += weight[answer]
  }
  const total = counts.reduce((sum, count) => sum + count, 0)
  let below = 0
  return counts.slice(0, -1).map((count) => {
    below += count
    return Math.log(below / (total - below))
  })
}
