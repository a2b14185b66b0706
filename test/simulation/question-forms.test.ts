import { describe, expect, it } from 'vitest'
import { parseQuestion } from '../../src/simulation/question-forms.ts'

const allTickets = { changes: [{ events: ['ticket'], remove: 1 }] }

describe('a question of another form', () => {
  const wrong: readonly [string, unknown, RegExp][] = [
    ['two forms', { compare: [{}, {}], sweep: { scenario: {} } }, /Keep one of compare, sweep, goal/],
    ['one scenario alone', { compare: [{}] }, /compare: found .*; allowed: two to eight scenarios/],
    ['no changes', { sweep: { scenario: {} } }, /sweep.scenario.changes: there is no such change/],
    ['a lever that is not there', { sweep: { scenario: allTickets, lever: 3 } }, /lever from 0 to 0/],
    [
      'what has no strength',
      { sweep: { scenario: { changes: [{ attribute: 'plan', set: 'gold' }] } } },
      /an attribute has no strength between nothing and all/,
    ],
  ]
  it.each(wrong)('cannot have %s', (_, data, words) => {
    expect(() => parseQuestion(data)).toThrow(words)
  })
})
