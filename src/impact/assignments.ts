import type { Day } from '../domain/days.ts'
import { usageError } from '../domain/errors.ts'
import type { Program } from '../domain/program.ts'
import { nearest } from '../domain/program-problems.ts'
import { partsBegin } from '../features/data-begins.ts'
import { type BehaviourRelations, makeSpine } from '../features/features.ts'
import { selectAtRisk, selectJoinings } from '../features/population.ts'
import { validOrder } from '../features/relations.ts'
import type { Database } from '../lake/database.ts'
import type { Lake } from '../lake/lake.ts'

/** Who was put into which arm of an initiative, and when. **Shape** all [customers], in the order of the spine. */
export interface Assignments {
  readonly customerId: readonly string[]
  readonly arm: readonly string[]
  /** Day of assignment, in days since 1970-01-01: the cutoff is the end of the day before. */
  readonly day: Int32Array
  /** Customers of one account share a number where whole accounts were assigned, else everybody has an own one. */
  readonly cluster: Int32Array
  readonly isByAccount: boolean
  /** All that the initiative's rows cost; null where none says. */
  readonly cost: number | null
  /** What a customer of each arm cost on average; null where no row says. */
  readonly costByArm: Readonly<Record<string, number | null>>
  /** Customers who were later put into another arm, too: the first one counts. */
  readonly switched: number
  /** Customers who had left before they were put into an arm, or were no longer observed. */
  readonly gone: number
}

export interface AssignmentRequest {
  readonly program: Program
  readonly lake: Lake
  readonly relations: BehaviourRelations
  readonly initiative: string
  /** Later assignments are not looked at. */
  readonly asOf: Day
}

/**
 * Reads who was assigned and makes the table `spine` (row, customer_id, cutoff, joined) of them.
 *
 * Intention to treat: the first arm of a customer counts, whatever happened later. **Errors** `unknown-initiative`.
 */
export async function readAssignments(database: Database, request: AssignmentRequest): Promise<Assignments> {
  const { relations, initiative, asOf } = request
  refuseUnknown(request)
  await database.run(
    `
    create or replace temp table assigned as
    select
      customer_id,
      min(day) as day,
      arg_min(arm, epoch_us("at")::hugeint * 18446744073709551616 + row_id) as arm,
      count(distinct arm) > 1 as is_switched,
      sum(cost::decimal(18, 4))::double as cost
    from ${relations.interventions}
    where initiative = $initiative and day <= $asOf::date
    group by customer_id`,
    { initiative, asOf },
  )
  await makeSpine(database, 'spine', selectMembers(request))
  const found = await database.columns(`
    with accounts as (
      select row, arg_max(account_id, ${validOrder}) as account
      from spine
      join ${relations.customers} as customers using (customer_id)
      where account_id is not null
      group by row
    )
    select customer_id, arm, day - date '1970-01-01' as day, account
    from spine
    join assigned using (customer_id)
    left join accounts using (row)
    order by row`)
  const arm = found.arm as string[]
  const accounts = found.account as (string | null)[]
  const isByAccount = wereAccountsAssigned(accounts, arm)
  const totals = await database.row<{ cost: number | null; switched: number; assigned: number }>(
    'select sum(cost) as cost, count(*) filter (where is_switched) as switched, count(*) as assigned from assigned',
  )
  const costs = await database.rows<{ arm: string; cost: number | null }>(
    'select arm, sum(cost) / count(*) as cost from assigned join spine using (customer_id) group by arm order by arm',
  )
  return {
    customerId: found.customer_id as string[],
    costByArm: Object.fromEntries(costs.map(({ arm, cost }) => [arm, cost])),
    arm,
    day: Int32Array.from(found.day as Float64Array),
    cluster: isByAccount ? numbered(accounts) : Int32Array.from(arm.keys()),
    isByAccount,
    cost: totals.cost,
    switched: totals.switched,
    gone: totals.assigned - arm.length,
  }
}

function refuseUnknown({ lake, initiative, program }: AssignmentRequest): void {
  const known = [...partsBegin(lake.state, 'interventions').keys()].sort()
  if (known.includes(initiative)) return
  const near = nearest(initiative, known)
  const found =
    known.length === 0
      ? `${program.name} has no interventions: add sources.interventions (customer_id, at, initiative, arm)`
      : `${near === null ? '' : `did you mean ${near}? `}Known: ${known.join(', ')}`
  throw usageError('unknown-initiative', `There is no initiative ${initiative}: ${found}.`)
}

/** Those still there on the evening before, and those who joined on the day itself. */
function selectMembers({ program, relations }: AssignmentRequest): string {
  const candidates = 'select customer_id, (day - 1)::date as cutoff from assigned'
  const everybody = { ...program, activeWithinDays: null }
  return `
    with at_risk as (${selectAtRisk({ program: everybody, relations, candidates })})
    select customer_id, cutoff, joined from at_risk
    union all
    select assigned.customer_id, (assigned.day - 1)::date as cutoff, assigned.day as joined
    from assigned
    join (select distinct customer_id, day from (${selectJoinings(program, relations)})) as joinings
      on joinings.customer_id = assigned.customer_id and joinings.day = assigned.day
    where assigned.customer_id not in (select customer_id from at_risk)`
}

const fewestSharedAccounts = 10

/** True where no account is in two arms although many could be. */
function wereAccountsAssigned(accounts: readonly (string | null)[], arm: readonly string[]): boolean {
  const members = new Map<string, string[]>()
  for (const [row, account] of accounts.entries())
    if (account !== null) members.set(account, [...(members.get(account) ?? []), arm[row]])
  const shared = [...members.values()].filter((arms) => arms.length > 1)
  return shared.length >= fewestSharedAccounts && shared.every((arms) => new Set(arms).size === 1)
}

/** A number an account; customers without one get their own. */
function numbered(accounts: readonly (string | null)[]): Int32Array {
  const numbers = new Map<string, number>()
  return Int32Array.from(accounts, (account, row) => {
    if (account === null) return row
    const known = numbers.get(account) ?? row
    numbers.set(account, known)
    return known
  })
}
