import type { PredictionColumn } from '../domain/prediction.ts'
import type { Program } from '../domain/program.ts'
import { quoteName, quoteText } from '../lake/database.ts'
import { columnOrNull, type PredictionFile, rowsOf } from '../lake/read-predictions.ts'

/** How many times the usual change one must be to count. */
const timesUsual = 3
/** The least change that counts, whatever is usual. */
const leastChange = { points: 0.1, probability: 0.01 }
/** Makes a median of absolute values a standard deviation, were they normal. */
const perMedian = 1.4826

/** A figure whose changes are looked at. */
interface ShiftFigure {
  readonly name: string
  readonly unit: 'points' | 'probability'
}

/** Today's expected answer, and every outcome at the longest horizon. */
function shiftFigures({ outcomes, horizonsDays }: Program): ShiftFigure[] {
  const longest = horizonsDays[horizonsDays.length - 1]
  return [
    { name: 'nps_score', unit: 'points' },
    ...outcomes.map(({ name }) => ({ name: `${name}_${longest}`, unit: 'probability' as const })),
  ]
}

/** What must be known of a day by another version to tell why figures changed. */
export function shiftColumns(program: Program): PredictionColumn[] {
  return shiftFigures(program).map(({ name }) => ({ name, type: 'double' }))
}

/** A day on which another version took over: what it says, and what the one before says of the same customers. */
export interface ChangeOfVersion {
  readonly after: PredictionFile
  readonly before: PredictionFile
}

export interface ShiftQuestion {
  readonly program: Program
  readonly since: PredictionFile
  readonly day: PredictionFile
  /** Every change of version in between; null: one is not known, so that no cause can be told. */
  readonly versions: readonly ChangeOfVersion[] | null
}

/**
 * What changed between two days of predictions, as a select in the order of customers: who is new, who is gone, and
 * whose figures moved beyond what is usual.
 *
 * **Usual** is what customers move anyway between these days for what they did: 3 × 1.4826 × the median absolute change
 * (of log odds for probabilities), and at least 0.01 of a probability or 0.1 of an answer.
 *
 * **Cause** Where another version took over, both versions forecast that day: the difference between them is the
 * model's part of the change, and the rest is behaviour's. The larger part is named.
 */
export function selectShifts({ program, since, day, versions }: ShiftQuestion): string {
  const figures = shiftFigures(program)
  const model = (name: string) => (versions === null ? 'null::double' : `coalesce(${quoteName(name)}, 0)`)
  const changes = figures.map(({ name, unit }, place) => {
    const part = model(`model_${place}`)
    const total = `${scaled(`day.${quoteName(name)}`, unit)} - ${scaled(`since.${quoteName(name)}`, unit)}`
    return `
      since.${quoteName(name)} as before_${place},
      day.${quoteName(name)} as after_${place},
      ${part} as of_model_${place},
      ${total} as moved_${place},
      ${total} - coalesce(${scaledPart(part, `day.${quoteName(name)}`, unit)}, 0) as behaved_${place}`
  })
  const noises = figures.map(
    (_, place) => `${timesUsual * perMedian} * median(abs(behaved_${place})) as usual_${place}`,
  )
  const moves = figures.map(({ name, unit }, place) => {
    const change = `after_${place} - before_${place}`
    return `case when abs(moved_${place}) > usual_${place} and abs(${change}) >= ${leastChange[unit]} then struct_pack(
        figure := ${quoteText(name)}, unit := ${quoteText(unit)},
        "before" := before_${place}, "after" := after_${place}, change := round(${change}, 6),
        behaviour := round(${change} - of_model_${place}, 6), model := round(of_model_${place}, 6),
        cause := case when of_model_${place} is null then null when abs(of_model_${place}) > abs(${change} - of_model_${place}) then 'model' else 'behaviour' end,
        times_usual := round(abs(moved_${place}) / greatest(usual_${place} / ${timesUsual}, 1e-9), 2)
      ) end`
  })
  return `
    with since as (${selectFigures(since, figures)}),
    day as (${selectFigures(day, figures)}),
    ${selectVersions(figures, versions ?? [])}
    compared as (
      select
        coalesce(day.customer_id, since.customer_id) as customer_id,
        case when since.customer_id is null then 'new' when day.customer_id is null then 'gone' else 'moved' end as change,
        since.segment as segment_before,
        day.segment as segment_after,
        ${changes.join(',')}
      from since
      full join day on day.customer_id = since.customer_id
      left join versions on versions.customer_id = day.customer_id
    ),
    usual as (select ${noises.join(', ')} from compared where change = 'moved'),
    listed as (
      select *, list_filter([${moves.join(', ')}], lambda one: one is not null) as moves
      from compared, usual
    )
    select
      customer_id,
      change,
      moves[largest].figure as figure,
      moves[largest].before as "before",
      moves[largest].after as "after",
      moves[largest].cause as cause,
      segment_before,
      segment_after,
      case when change = 'moved' then to_json(moves)::varchar else '[]' end as moved
    from (select *, list_position(list_transform(moves, lambda one: one.times_usual), list_max(list_transform(moves, lambda one: one.times_usual))) as largest from listed)
    where change <> 'moved' or len(moves) > 0
    order by customer_id`
}

function selectFigures(file: PredictionFile, figures: readonly ShiftFigure[]): string {
  const columns = figures.map(({ name }) => `${columnOrNull(file, name, 'double')} as ${quoteName(name)}`)
  return `select customer_id, ${columnOrNull(file, 'segment', 'varchar')} as segment, ${columns.join(', ')} from ${rowsOf(file)}`
}

/** What changes of version did to each customer's figures, added up. */
function selectVersions(figures: readonly ShiftFigure[], versions: readonly ChangeOfVersion[]): string {
  const sums = figures.map((_, place) => `sum(model_${place}) as model_${place}`)
  const parts = versions.map(({ after, before }) => {
    const differences = figures.map(
      ({ name }, place) => `later.${quoteName(name)} - earlier.${quoteName(name)} as model_${place}`,
    )
    return `select later.customer_id, ${differences.join(', ')} from (${selectFigures(after, figures)}) as later join (${selectFigures(before, figures)}) as earlier on earlier.customer_id = later.customer_id`
  })
  const none = `select null::varchar as customer_id, ${figures.map((_, place) => `null::double as model_${place}`).join(', ')} where false`
  return `versions as (select customer_id, ${sums.join(', ')} from (${[none, ...parts].join(' union all ')}) group by customer_id),`
}

/** Probabilities are compared by their log odds. */
function scaled(value: string, unit: ShiftFigure['unit']): string {
  return unit === 'points' ? value : `(${logOdds(value)})`
}

/** What a part of a change is on that scale, at the later figure. */
function scaledPart(part: string, after: string, unit: ShiftFigure['unit']): string {
  return unit === 'points' ? part : `(${logOdds(after)}) - (${logOdds(`(${after} - ${part})`)})`
}

/** Of nothing there are none: `least` and `greatest` would pass over what is missing. */
function logOdds(probability: string): string {
  const kept = `greatest(least(${probability}, 1 - 1e-6), 1e-6)`
  return `case when ${probability} is not null then ln(${kept} / (1 - ${kept})) end`
}
