import * as tf from '@tensorflow/tfjs-core'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import { beforeAll, describe, expect, it } from 'vitest'
import { startBackend } from '../../src/model/backend.ts'
import { answerCount, type LearningSet } from '../../src/model/member.ts'
import { type NetworkShape, networkSize, networkSlots, outputsPerMember } from '../../src/model/network.ts'
import { fitNetwork } from '../../src/model/network-fit.ts'
import { indexLabels, taskStrengths } from '../../src/model/network-labels.ts'
import { lossGradient } from '../../src/model/network-loss.ts'
import { restoreNetwork } from '../../src/model/network-member.ts'
import { measureLearning, networkSettings } from '../../src/model/network-settings.ts'
import { startWeights } from '../../src/model/network-start.ts'
import { batchGradient } from '../../src/model/network-step.ts'
import { backends } from './backends.ts'
import {
  bytesOf,
  chance,
  expectedLoss,
  interactionHazards,
  leadsOf,
  logit,
  mean,
  small,
  someFeatures,
  trueAnswer,
  withoutInteraction,
  world,
} from './network-world.ts'

for (const { backend, title, isHere } of backends)
  describe.skipIf(!isHere)(title, () => {
    beforeAll(async () => {
      await startBackend(backend)
    })

    describe('gradients', () => {
      const learning = world(40, 3)
      const labels = indexLabels(learning)
      const shape: NetworkShape = {
        inputs: 4,
        members: 3,
        width: 6,
        layers: 3,
        outcomes: [{ name: 'churn', intervals: 2 }],
        answers: true,
      }
      const rows = labels.labelledRows
      const strengths = taskStrengths(labels)

      it('of the loss heads agree with finite differences', () => {
        const draw = chance(4)
        const noise = (length: number) => Float32Array.from({ length }, () => 2 * draw() - 1)
        const logits = noise(rows.length * 3 * outputsPerMember(shape))
        const thresholds = noise(3 * 10).map((value) => value / 2 - 1)
        const input = { shape, labels, strengths, rows, logits, thresholds }
        const gradient = lossGradient(input)
        for (const name of ['logits', 'thresholds'] as const) {
          for (let i = 0; i < input[name].length; i += name === 'logits' ? 7 : 1) {
            const at = (step: number) => lossGradient({ ...input, [name]: moved(input[name], i, step) }).loss
            expect(gradient[name][i], `${name} ${i}`).toBeCloseTo((at(2 ** -7) - at(-(2 ** -7))) / 2 ** -6, 4)
          }
        }
      })

      it('of every parameter agree with finite differences along random directions', () => {
        const weights = startWeights(shape, labels, xoroshiro128plus(5))
        const draw = chance(6)
        for (let i = 0; i < weights.length; i++) weights[i] += 0.2 * (draw() - 0.5)
        const batch = { shape, labels, strengths, rows, features: learning.features, dropout: null }
        const { gradient } = batchGradient(batch, weights)
        for (const { name, offset, length } of networkSlots(shape)) {
          const direction = Float32Array.from({ length }, () => (draw() < 0.5 ? -1 : 1))
          const step = 2 ** -9 / Math.sqrt(length)
          const along = (sign: number) => {
            const elsewhere = weights.slice()
            for (let i = 0; i < length; i++) elsewhere[offset + i] += sign * step * direction[i]
            return batchGradient(batch, elsewhere).loss
          }
          const expected = direction.reduce((sum, sign, i) => sum + sign * gradient[offset + i], 0)
          const error = Math.abs(expected - (along(1) - along(-1)) / (2 * step))
          expect(error, name).toBeLessThan(0.003 * (Math.abs(expected) + 0.1))
        }
        expect(gradient.length).toBe(networkSize(shape))
      })

      function moved(values: Float32Array, index: number, step: number): Float32Array {
        const copy = values.slice()
        copy[index] += step
        return copy
      }
    })

    describe('a fitted network', () => {
      it('recovers a hazard with an interaction that no logistic regression can', async () => {
        const [learning, validation, later] = [world(4000, 11), world(1500, 12), world(2000, 13)]
        const settings = {
          ...networkSettings(measureLearning(learning)),
          members: 4,
          width: 32,
          maxEpochs: 25,
        }
        const { member, trace } = await fitNetwork(learning, { seed: 1, settings, validation })
        const truth = interactionHazards(later.features)
        const { hazards, answers } = member.predict(later.features, leadsOf(2000, 0, 90))
        const additive = withoutInteraction(later.features)
        const floor = expectedLoss(truth, truth)
        expect(expectedLoss(truth, hazards[0]) - floor).toBeLessThan(0.02)
        expect(expectedLoss(truth, additive) - floor).toBeGreaterThan(0.1)
        expect(trace.epochs).toBeGreaterThan(0)

        // The same network learned the answers: mean distance of its expectation from the true one, by lead.
        for (const [index, lead] of [0, 90].entries()) {
          let distance = 0
          for (let row = 0; row < 2000; row++) {
            const said = answers[index].subarray(row * answerCount, (row + 1) * answerCount)
            distance += Math.abs(mean(said) - mean(trueAnswer(later.features, row, lead))) / 2000
          }
          expect(distance).toBeLessThan(0.25)
        }
      })

      it('says hazards within (0, 1) and answers that sum to 1, however strange the features', async () => {
        const { member } = await fitNetwork(world(300, 21), { seed: 1, settings: small, epochs: 5 })
        const strange = someFeatures(50, 4, chance(22))
        strange.values.forEach((value, i) => {
          strange.values[i] = value * 1000
        })
        const { hazards, answers } = member.predict(strange, leadsOf(50, 0, 45))
        expect(Math.min(...hazards[0])).toBeGreaterThan(0)
        expect(Math.max(...hazards[0])).toBeLessThan(1)
        for (const distributions of answers) {
          for (let row = 0; row < 50; row++) {
            const shares = distributions.subarray(row * answerCount, (row + 1) * answerCount)
            expect(Math.min(...shares)).toBeGreaterThan(0)
            expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5)
          }
        }
      })

      it('starts at the base rates', async () => {
        const learning = world(2000, 31)
        const { member } = await fitNetwork(learning, { seed: 1, settings: { ...small, rate: 0 }, epochs: 1 })
        const { hazards, answers } = member.predict(learning.features, leadsOf(2000, 0))
        const { known, happened } = learning.outcomes[0]
        let [events, chances, promised] = [0, 0, 0]
        for (let label = 0; label < known.length; label += 2) {
          events += happened[label]
          chances += 1
          promised += hazards[0][label]
        }
        expect(logit(promised / chances)).toBeCloseTo(logit(events / chances), 0)
        const tens = learning.answers!.score.filter((score) => score === 10).length / 2000
        const saidTens =
          answers[0].filter((_, i) => i % answerCount === 10).reduce((sum, p) => sum + p, 0) / 2000
        expect(Math.abs(saidTens - tens)).toBeLessThan(0.06)
      })
    })

    describe('the same inputs and seed', () => {
      it('give the same bytes, another seed others', async () => {
        const learning = world(400, 41)
        const validation = world(200, 42)
        const learn = (seed: number) =>
          fitNetwork(learning, { seed, settings: { ...small, maxEpochs: 4 }, validation })
        const [first, second, other] = [await learn(7), await learn(7), await learn(8)]
        expect(bytesOf(second.member)).toEqual(bytesOf(first.member))
        expect(second.trace).toEqual(first.trace)
        expect(bytesOf(other.member)).not.toEqual(bytesOf(first.member))
      })

      it('give the same predictions after store and restore', async () => {
        const learning = world(300, 43)
        const { member } = await fitNetwork(learning, { seed: 1, settings: small, epochs: 2 })
        const stored = member.store()
        const restored = restoreNetwork({
          ...stored,
          description: JSON.parse(JSON.stringify(stored.description)) as Record<string, unknown>,
        })
        const leads = leadsOf(300, 0, 30)
        expect(restored.predict(learning.features, leads)).toEqual(member.predict(learning.features, leads))
      })
    })

    describe('what is not known', () => {
      const plain = world(300, 51)
      const { happened, known, weight } = plain.outcomes[0]
      known.fill(0, 0, 60)
      const learn = async (learning: LearningSet) =>
        bytesOf((await fitNetwork(learning, { seed: 1, settings: small, epochs: 2 })).member)

      it('does not matter: other values behind known = 0 change no byte', async () => {
        const flipped = happened.map((value, label) => (known[label] === 1 ? value : 1 - value))
        const changed = { ...plain, outcomes: [{ ...plain.outcomes[0], happened: flipped }] }
        expect(await learn(changed)).toEqual(await learn(plain))
      })

      it('does not matter: rows without any label change no byte', async () => {
        const { features, answers, customer } = plain
        const padding = 40
        const longer: LearningSet = {
          features: {
            rows: 300 + padding,
            columns: 4,
            values: Float32Array.from([...features.values, ...new Array<number>(padding * 4).fill(5)]),
          },
          customer: Int32Array.from([...customer, ...new Array<number>(padding).fill(0)]),
          outcomes: [
            {
              ...plain.outcomes[0],
              happened: Uint8Array.from([...happened, ...new Array<number>(padding * 2).fill(1)]),
              known: Uint8Array.from([...known, ...new Array<number>(padding * 2).fill(0)]),
              weight: Float32Array.from([...weight, ...new Array<number>(padding).fill(1)]),
            },
          ],
          answers,
        }
        expect(await learn(longer)).toEqual(await learn(plain))
      })

      it('is an error where nothing at all is known', async () => {
        const blank = {
          ...plain,
          answers: null,
          outcomes: [{ ...plain.outcomes[0], known: new Uint8Array(600) }],
        }
        await expect(learn(blank)).rejects.toMatchObject({ code: 'network-no-labels', kind: 'usage' })
      })
    })

    describe('resources', () => {
      it('a backend starts once, says which it is, and leaves crashes of the process alone', async () => {
        const listeners = () => [
          process.listenerCount('uncaughtException'),
          process.listenerCount('unhandledRejection'),
        ]
        const before = listeners()
        expect(await Promise.all([startBackend(), startBackend(backend)])).toEqual([backend, backend])
        expect(listeners()).toEqual(before)
      })

      it('no tensor outlives a fit or a prediction', async () => {
        const learning = world(300, 61)
        const before = tf.memory().numTensors
        const { member } = await fitNetwork(learning, { seed: 1, settings: small, epochs: 2 })
        member.predict(learning.features, leadsOf(300, 0))
        expect(tf.memory().numTensors).toBe(before)
      })

      it('a fit stops when it is told to', async () => {
        const stop = new AbortController()
        const options = { seed: 1, settings: small, epochs: 50, signal: stop.signal }
        const running = fitNetwork(world(300, 62), {
          ...options,
          onEpoch: () => stop.abort(new Error('enough')),
        })
        await expect(running).rejects.toThrow('enough')
      })

      it('a network without surveys, or without outcomes, learns what there is', async () => {
        const outcomesOnly = world(300, 63, { columns: 5, answers: false })
        const answersOnly = { ...world(300, 64), outcomes: [] }
        const learn = (learning: LearningSet) => fitNetwork(learning, { seed: 1, settings: small, epochs: 1 })
        const first = (await learn(outcomesOnly)).member.predict(outcomesOnly.features, leadsOf(300, 0))
        expect([first.hazards.length, first.answers.length]).toEqual([1, 0])
        const second = (await learn(answersOnly)).member.predict(answersOnly.features, leadsOf(300, 0))
        expect([second.hazards.length, second.answers.length]).toEqual([0, 1])
      })
    })
  })
