import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { train } from '../../training/train.ts'
import { makeLastingProgram } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

/** The small company with a trained version and predictions of some days, the last of them the latest. */
export type TrainedCompany = Awaited<ReturnType<typeof makeTrainedCompany>>

export const trainedDays = ['2025-01-25', '2025-02-10', '2025-02-20']

/** Takes as long as a small training. Call `remove` in the end. @param change of the program file */
export async function makeTrainedCompany(change = (yaml: string) => yaml) {
  const { yaml, files } = smallCompany()
  const made = await makeLastingProgram({ files, yaml: change(yaml) })
  const settings = { ...made, now: '2025-03-01T00:00:00Z', seed: 1, maxRows: 3000, reporter: silentReporter }
  await ingest(made.program, settings)
  await train(made.program, { ...settings, asOf: '2025-01-20' })
  for (const date of trainedDays) await predictDay(made.program, { ...settings, date })
  return made
}

const mapping = `
inbound:
  survey:
    table: responses
    columns: { customer_id: /contact/external_id, at: /answer/at, score: /answer/score, response_id: /answer/id }
    constants: { metric: nps }
`

/** The trained company under the name of the examples, with the mapping that they post to. */
export function makeExampleCompany(): Promise<TrainedCompany> {
  return makeTrainedCompany((yaml) => `${yaml.replace('small-company', 'my-shop')}${mapping}`)
}
