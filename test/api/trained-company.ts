import { createHash } from 'node:crypto'
import { silentReporter } from '../../src/domain/progress.ts'
import { predictDay } from '../../src/jobs/daily.ts'
import { ingest } from '../../src/jobs/ingest.ts'
import { train } from '../../training/train.ts'
import { madeOnce } from '../made-once.ts'
import { makeLastingProgram } from '../programs.ts'
import { smallCompany } from '../small-company.ts'

/** The small company with a trained version and predictions of some days, the last of them the latest. */
export type TrainedCompany = Awaited<ReturnType<typeof makeTrainedCompany>>

export const trainedDays = ['2025-01-25', '2025-02-10', '2025-02-20']

/** Takes as long as a small training, once a test run. Call `remove` in the end. @param change of the program file */
export async function makeTrainedCompany(change = (yaml: string) => yaml) {
  const { yaml: usual, files } = smallCompany()
  const yaml = change(usual)
  const made = await makeLastingProgram({ files, yaml })
  const digest = createHash('sha256').update(yaml).digest('hex')
  await madeOnce(made, `trained-${digest}`, async (folders) => {
    const settings = { ...folders, now: '2025-03-01T00:00:00Z', seed: 1, reporter: silentReporter }
    await ingest(made.program, settings)
    await train(made.program, { ...settings, maxRows: 3000, asOf: '2025-01-20' })
    for (const date of trainedDays) await predictDay(made.program, { ...settings, date })
  })
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
