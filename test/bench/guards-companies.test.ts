import { describe, expect, it } from 'vitest'
import { dayAt, type MadeCompany, type Row } from '../../bench/guards-company.ts'
import { makePlanted, type Plant } from '../../bench/guards-planted.ts'
import { plants } from '../../bench/guards-plants.ts'
import { makeSignalless } from '../../bench/guards-signalless.ts'

const ofType = (events: readonly Row[], type: string) => events.filter((event) => event.type === type)
const dayOf = ({ at }: Row) => String(at).slice(0, 10)

describe('a company without a signal', () => {
  const companies = Array.from({ length: 10 }, (_, index) => makeSignalless(index + 1))

  it('is the same for the same seed', () => {
    expect(makeSignalless(8)).toEqual(companies[7])
  })

  it('differs from the others: snapshots and histories, leaving and silence, answers or none', () => {
    const isMixed = (is: (company: MadeCompany) => boolean) => new Set(companies.map(is)).size === 2
    expect(isMixed(({ words }) => words.startsWith('snapshot'))).toBe(true)
    expect(isMixed(({ yaml }) => yaml.includes('absence_of'))).toBe(true)
    expect(isMixed(({ yaml }) => yaml.includes('leave'))).toBe(true)
    expect(isMixed(({ tables }) => tables.responses.length > 0)).toBe(true)
  })

  it('has no activity after leaving', () => {
    for (const { tables } of companies) {
      const left = new Map(ofType(tables.events, 'leave').map((event) => [event.customer_id, dayOf(event)]))
      const later = tables.events.filter((event) => dayOf(event) > (left.get(event.customer_id) ?? '9999'))
      expect(later).toEqual([])
    }
  })

  it('has purchases that earlier purchases do not foretell', () => {
    const differences = companies
      .filter(({ yaml }) => yaml.includes('absence_of') && !yaml.includes('leave'))
      .map(({ tables }) => {
        const buyersWithin = (from: number, until: number) => {
          const isWithin = (event: Row) => dayOf(event) >= dayAt(from) && dayOf(event) < dayAt(until)
          return new Set(
            ofType(tables.events, 'purchase')
              .filter(isWithin)
              .map((event) => event.customer_id),
          )
        }
        const [before, after] = [buyersWithin(60, 90), buyersWithin(90, 120)]
        const members = tables.customers
          .filter((row) => row.joined_at === dayAt(0))
          .map((row) => row.customer_id)
        const shareOf = (ids: readonly Row[string][]) => ids.filter((id) => after.has(id)).length / ids.length
        return (
          shareOf(members.filter((id) => before.has(id))) - shareOf(members.filter((id) => !before.has(id)))
        )
      })
    expect(differences.length).toBeGreaterThan(2)
    const mean = differences.reduce((sum, own) => sum + own, 0) / differences.length
    expect(Math.abs(mean)).toBeLessThan(0.08)
  })
})

describe('a company with something planted', () => {
  const kinds = new Map(plants.map((plant) => [plant.kind, plant]))
  const worlds = [...kinds.values()].map((plant): [Plant, MadeCompany] => [plant, makePlanted(plant, 1)])

  it('has customers leaving and staying, whatever is planted', () => {
    for (const [{ words }, { tables }] of worlds) {
      const customers = new Set(tables.customers.map((row) => row.customer_id)).size
      const share = ofType(tables.events, 'leave').length / customers
      expect(share, words).toBeGreaterThan(0.1)
      expect(share, words).toBeLessThan(0.6)
    }
  })

  it('holds what is planted', () => {
    for (const [{ words, origin }, { tables }] of worlds) {
      const isRecorded = tables.customers.some((row) => (row[origin] ?? null) !== null)
      expect(isRecorded || ofType(tables.events, origin).length > 0, words).toBe(true)
    }
  })
})
