import { join } from 'node:path'
import { quoteText } from '../src/lake/database.ts'
import { satisfactionLaw, shocks, ticketLaw } from '../training/synthetic/laws.ts'

/** Points of satisfaction that a kind of experience must have moved, and times the next kind, to be a cause. */
const leastPoints = 0.5
const leastLead = 1.5

/**
 * SQL: for each row of the table `spine`, in its order, the behaviours that show the experience which moved the
 * customer's satisfaction most, apart by a blank; null where nothing stands out.
 *
 * Computed from what was met and the laws of the simulation, as if initiatives had not been.
 */
export function causesSql(company: string, day: string): string {
  const files = (name: string) => quoteText(join(company, name))
  const faded = `pow(${satisfactionLaw.experienceKept}, date ${quoteText(day)} - at::date)`
  const { slowFrom, fastUpTo } = ticketLaw
  return `
    with met as (
      select customer_id, 'ticket ticket_reopened' as cause, ${faded} * case type
          when 'ticket_reopened' then ${shocks.ticketReopened}
          else ${shocks.ticketOpened} + case
            when resolution_hours >= ${slowFrom} then ${shocks.ticketSlow}
            when resolution_hours <= ${fastUpTo} then ${shocks.ticketFast} else 0 end
        end as points
      from read_parquet(${files('events/*.parquet')}) where type in ('ticket', 'ticket_reopened')
      union all
      select customer_id, 'delivery', ${faded} * if(delay_days > 0, greatest(${shocks.delayMost}, delay_days * ${shocks.delayDay}), ${shocks.deliveryOnTime})
      from read_parquet(${files('events/*.parquet')}) where type = 'delivery'
      union all
      select customer_id, 'outage', ${faded} * ${shocks.outage}
      from read_parquet(${files('events/*.parquet')}) where type = 'outage'
    ),
    moved as (select customer_id, cause, sum(points) as points from met group by all),
    ranked as (
      select
        customer_id, cause, abs(points) as points,
        row_number() over ranking as place,
        lead(abs(points)) over ranking as next
      from moved
      window ranking as (partition by customer_id order by abs(points) desc)
    )
    select cause as causes
    from spine
    left join ranked on ranked.customer_id = spine.customer_id
      and place = 1 and points >= ${leastPoints} and points >= ${leastLead} * coalesce(next, 0)
    order by row`
}
