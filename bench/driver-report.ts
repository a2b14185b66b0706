import type { ComparedDrivers } from './driver-explanations.ts'
import {
  type Cause,
  causes,
  clearMovement,
  type TrueMovements,
  type TrueTask,
  trueDriver,
  trueTasks,
} from './true-causes.ts'

/** Drivers that a reader looks at. */
const shown = 3
/** What is to be reached. */
const claimed = { named: 0.9, agreed: 0.85 }

const definition = `A customer has a true driver of a figure where one cause in the laws of the simulation moved the true figure
by at least ${clearMovement.churn} (a probability within 90 days) or ${clearMovement.nps} points (the expected answer today), and by at least as much
as all other causes together, feelings that nobody sees included. How far a cause moved it: the true figure, less
what it would be on average, all luck the same, were that cause as others at risk have it.
It is named where one of its behaviours is among the first ${shown} drivers:
${Object.entries(causes)
  .filter(([, behaviours]) => behaviours.length > 0)
  .map(([cause, behaviours]) => `  ${cause}: ${behaviours.join(', ')}`)
  .join('\n')}
`

interface Found {
  readonly task: TrueTask
  readonly cause: Cause
  readonly inAdditive: boolean
  readonly inExact: boolean
}

/** What was found, in words and figures. @param movements, explanations one entry a customer, in the same order */
export function driverReport({
  movements,
  explanations,
}: {
  movements: readonly TrueMovements[]
  explanations: readonly (readonly ComparedDrivers[])[]
}): string {
  const found = explanations.flatMap((compared, customer) => trueDriversOf(movements[customer], compared))
  const kinds = trueTasks.flatMap((task) =>
    (Object.keys(causes) as Cause[]).map((cause) => ({
      name: `  ${task} by ${cause}`,
      found: found.filter((one) => one.task === task && one.cause === cause),
    })),
  )
  const tasks = [...new Set(explanations.flat().map(({ task }) => task))]
  const agreement = tasks.map((name) => {
    const same = explanations.flat().filter(({ task }) => task === name)
    return `  ${name.padEnd(28)} ${percent(same.filter(isAgreed).length, same.length)}`
  })
  const all = explanations.flat()
  const named = found.filter(({ inAdditive }) => inAdditive).length
  return `${definition}
${'True drivers among the first three'.padEnd(30)} ${'have one'.padStart(9)} ${'additive'.padStart(9)} ${'exact'.padStart(9)}
${[...kinds.filter((kind) => kind.found.length > 0), { name: `  of ${explanations.length} customers`, found }].map(namedLine).join('\n')}

First additive driver is the first exact one
${agreement.join('\n')}
  ${'all'.padEnd(28)} ${percent(all.filter(isAgreed).length, all.length)}

${claim('The true driver is among the first three additive ones', named / found.length, claimed.named)}
${claim('Additive and exact drivers agree on the first', all.filter(isAgreed).length / all.length, claimed.agreed)}
`
}

function trueDriversOf(movements: TrueMovements, compared: readonly ComparedDrivers[]): Found[] {
  return trueTasks.flatMap((task) => {
    const cause = trueDriver(movements[task], task)
    const explained = compared.find((one) => one.task === task)
    if (cause === null || explained === undefined) return []
    const names: readonly string[] = causes[cause]
    const isNamedBy = (drivers: readonly string[]) =>
      drivers.slice(0, shown).some((name) => names.includes(name))
    return [{ task, cause, inAdditive: isNamedBy(explained.additive), inExact: isNamedBy(explained.exact) }]
  })
}

function isAgreed({ additive, exact }: ComparedDrivers): boolean {
  return additive[0] === exact[0]
}

function namedLine({ name, found }: { name: string; found: readonly Found[] }): string {
  const share = (isNamed: (one: Found) => boolean) => percent(found.filter(isNamed).length, found.length)
  return `${name.padEnd(30)} ${String(found.length).padStart(9)} ${share(({ inAdditive }) => inAdditive)} ${share(({ inExact }) => inExact)}`
}

function percent(part: number, whole: number): string {
  return (whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)}%`).padStart(9)
}

function claim(words: string, share: number, wanted: number): string {
  return `${share >= wanted ? 'HELD' : 'NOT HELD'}: ${words}: ${(100 * share).toFixed(1)}%, wanted ${100 * wanted}%.`
}
