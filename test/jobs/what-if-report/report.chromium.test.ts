import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { silentReporter } from '../../../src/domain/progress.ts'
import { askQuestion, type QuestionReport } from '../../../src/jobs/what-if.ts'
import type { ReportInputs } from '../../../src/jobs/what-if-report/inputs.ts'
import { renderReport } from '../../../src/jobs/what-if-report/report.ts'
import { parseQuestion, scenariosOf } from '../../../src/simulation/question-forms.ts'
import { makeTrainedCompany, type TrainedCompany } from '../../api/trained-company.ts'
import { loyalcastHere } from '../../cli/commands.ts'
import { launchBrowser, openPage } from '../../web/browser.ts'

// biome-ignore lint/suspicious/noExplicitAny: elements of the page, which types of Node do not know
type Any = any

let browser: Browser
let company: TrainedCompany
beforeAll(async () => {
  browser = await launchBrowser()
  company = await makeTrainedCompany()
})
afterAll(async () => {
  await browser?.close()
  await company?.remove()
})

async function inputsOf(asked: unknown): Promise<ReportInputs> {
  const question = parseQuestion(asked)
  const options = { ...company, isFull: true, seed: 1, reporter: silentReporter, question }
  const answer = await askQuestion(company.program, options)
  const { program } = company
  return { answer, scenarios: scenariosOf(question), asked, program, seed: 1, isFull: true }
}

/** Opens a report from the disk, and holds that it asks nobody for anything and complains of nothing. */
async function withReport<T>(html: string, use: (page: Page) => Promise<T>, width = 900): Promise<T> {
  const file = join(company.folder, 'report.html')
  await writeFile(file, html)
  const watched = await openPage(browser, pathToFileURL(file).href, { viewport: { width, height: 1000 } })
  try {
    const found = await use(watched.page)
    expect(watched.complaints).toEqual([])
    expect(watched.elsewhere.filter((url) => url !== pathToFileURL(file).href)).toEqual([])
    return found
  } finally {
    await watched.close()
  }
}

const textOf = (page: Page, place: string) => page.locator(place).innerText()
const headings = (page: Page) => page.locator('h2').allInnerTexts()
const row = (page: Page, name: string | RegExp) => page.getByRole('row', { name }).first().innerText()

/** What of the charts lies outside its drawing or over another text, and whether the page is wider than its window. */
function flaws(page: Page): Promise<string[]> {
  return page.locator('html').evaluate((root: Any) => {
    const found: string[] = []
    if (root.scrollWidth > root.clientWidth) found.push('the page is too wide')
    for (const svg of root.querySelectorAll('svg')) {
      const frame = svg.getBoundingClientRect()
      const texts = [...svg.querySelectorAll('text')].map((text: Any) => ({
        words: text.textContent,
        box: text.getBoundingClientRect(),
      }))
      for (const { words, box } of texts)
        if (
          box.left < frame.left ||
          box.right > frame.right ||
          box.top < frame.top ||
          box.bottom > frame.bottom
        )
          found.push(`${words} is cut off`)
      for (const [place, { words, box }] of texts.entries())
        for (const other of texts.slice(place + 1))
          if (
            box.left < other.box.right &&
            other.box.left < box.right &&
            box.top + 2 < other.box.bottom &&
            other.box.top + 2 < box.bottom
          )
            found.push(`${words} lies over ${other.words}`)
    }
    return found
  })
}

const tickets = {
  name: 'Half the tickets',
  changes: [{ events: ['ticket'], remove: 0.5 }],
  cost: { fixed: 100, per_customer: 0.5 },
}
/** An amount, which days are not compared for. */
const shorter = [{ events: ['login'], property: 'minutes', scale: 0.9 }]
const minutes = { ...tickets, name: 'Shorter visits', changes: shorter }
const allTickets = { name: 'No tickets', changes: [{ events: ['ticket'], remove: 1 }] }
const tooMany = { name: 'Sixty tickets more', changes: [{ events: ['ticket'], add: 60 }] }
const forms: Readonly<Record<string, unknown>> = {
  scenario: tickets,
  refused: tooMany,
  nothing: { name: 'Nothing', changes: [] },
  compare: {
    compare: [tickets, { ...allTickets, name: 'No tickets at all, a name that is rather long' }, tooMany],
  },
  sweep: { sweep: { scenario: tickets, steps: 4 } },
  goal: { goal: { scenario: allTickets, figure: 'churn_90', target: 0.1 } },
}

describe('a report of every form', () => {
  it.each(Object.entries(forms))('%s shows itself without help, whole, and on paper', async (_, asked) => {
    const inputs = await inputsOf(asked)
    const html = renderReport(inputs)
    expect(renderReport(inputs)).toBe(html)
    expect(html).not.toMatch(
      /<script|<link|<img|https?:(?!\/\/www\.w3\.org\/)|NaN|undefined|Infinity|−0(\.0+)?\b(?!\.)/,
    )
    await withReport(html, async (page) => {
      expect(await flaws(page)).toEqual([])
      expect(await page.locator('h1').count()).toBe(1)
      expect(await headings(page)).toContain('Where the numbers come from')
      const origin = await textOf(page, '#origin')
      for (const part of ['small-company', '2025-02-20', '2025-01-20-1', '--seed 1 --full'])
        expect(origin).toContain(part)
      await page.emulateMedia({ media: 'print' })
      await page.setViewportSize({ width: 680, height: 1000 })
      expect(await flaws(page)).toEqual([])
      // A4 between its margins, in pixels: what may not break fits on a page.
      const tallest = await page
        .locator('figure')
        .evaluateAll((all) => Math.max(0, ...all.map((one) => one.clientHeight)))
      expect(tallest).toBeLessThan(980)
    })
    await withReport(
      html,
      async (page) => expect(await flaws(page)).not.toContain('the page is too wide'),
      390,
    )
  })
})

function scenarioOf({ answer }: ReportInputs) {
  if (answer.kind !== 'scenario') throw new Error('not a scenario')
  return answer.report
}

describe('a report of a scenario', () => {
  it('has the figures of the answer, and its money under its caveat', async () => {
    const inputs = await inputsOf(minutes)
    const { difference, baseline, if_causal, most_moved, evidence_reason } = scenarioOf(inputs)
    const fixed = (value: number, digits: number) => Math.abs(value).toFixed(digits)
    await withReport(renderReport(inputs), async (page) => {
      expect(await textOf(page, 'h1')).toBe('Shorter visits')
      expect(await textOf(page, '.badge')).toBe('Associational')
      expect(await textOf(page, '.evidence')).toContain(evidence_reason.slice(1))
      expect(await textOf(page, '#headline')).toMatch(/^If the change is the cause: NPS in 90 days goes from/)
      const nps = await row(page, /^NPS in 90 days/)
      expect(nps).toContain(fixed(baseline?.nps['90'].value as number, 1))
      for (const value of [
        difference?.nps['90'].value,
        ...(difference?.nps['90'].ci80 ?? []),
        ...(difference?.nps['90'].ci95 ?? []),
      ])
        expect(nps).toContain(fixed(value as number, 2))
      const churn = await row(page, /^Churn within 90 days less is better/)
      expect(churn).toContain(`−${fixed(100 * (difference?.outcomes.churn_90.rate as number), 2)}`)
      expect(churn).toContain(`−${fixed(difference?.outcomes.churn_90.customers as number, 1)} customers`)
      const money = await textOf(page, '#money')
      expect(money).toContain('Only if the change is the cause.')
      const net = Math.round(if_causal?.net as number)
      expect(await row(page, /^Net/)).toContain(
        `${net < 0 ? '−' : ''}€${Math.abs(net).toLocaleString('en-GB')}`,
      )
      expect(await row(page, /^Probability that it pays/)).toContain('not known')
      expect(await page.locator('#most-moved tbody tr').count()).toBe(most_moved.length)
      expect(await page.locator('#segments tbody tr').count()).toBeGreaterThan(1)
      expect(await page.locator('figure svg').count()).toBe(3)
      expect(await textOf(page, '#scenario')).toContain('inutes of login events times 0.9')
    })
  })
  it('that is refused says so large and why, and shows no figure', async () => {
    const inputs = await inputsOf(tooMany)
    await withReport(renderReport(inputs), async (page) => {
      expect(await textOf(page, '.refused')).toContain(scenarioOf(inputs).support.reason)
      const size = await page
        .locator('.refused strong')
        .evaluate((own: Any) =>
          Number.parseFloat(own.ownerDocument.defaultView.getComputedStyle(own).fontSize),
        )
      expect(size).toBeGreaterThan(24)
      expect(await page.locator('svg, table').count()).toBe(0)
    })
  })
  it('with other evidence has its probability, and no caveat', async () => {
    const inputs = await inputsOf(minutes)
    const { if_causal, ...report } = scenarioOf(inputs)
    const money = {
      ...(if_causal as NonNullable<typeof if_causal>),
      p_net_positive: 0.875,
      p_net_positive_reason: 'a prior',
    }
    const answer: QuestionReport = { kind: 'scenario', report: { ...report, evidence: 'experiment', money } }
    await withReport(renderReport({ ...inputs, answer }), async (page) => {
      expect(await textOf(page, '.badge')).toBe('Experiment')
      expect(await row(page, /^Probability that it pays/)).toContain('88%')
      expect(await page.locator('.caveat').count()).toBe(0)
    })
  })
  it('that was adjusted shows beside it what the forecasts alone say', async () => {
    const inputs = await inputsOf(tickets)
    const alone = scenarioOf(inputs).associational?.difference.outcomes.churn_90.rate as number
    await withReport(renderReport(inputs), async (page) => {
      expect(await textOf(page, '.badge')).toBe('Adjusted comparison')
      expect(await textOf(page, '#associational-table')).toContain(Math.abs(100 * alone).toFixed(2))
    })
  })
})

describe('a report of several answers', () => {
  it('compares scenarios in a table and in forests, one row for each', async () => {
    await withReport(renderReport(await inputsOf(forms.compare)), async (page) => {
      expect(await page.locator('#compare-table tbody tr').count()).toBe(3)
      expect(await row(page, /Sixty tickets more/)).toContain('Refused')
      expect(await page.locator('figure').count()).toBe(5)
      expect(await textOf(page, '#scenarios')).toMatch(
        /Half the tickets[\s\S]*No tickets at all[\s\S]*Sixty tickets more/,
      )
    })
  })
  it('sweeps with a curve of NPS, of the first outcome and of money, and a row for each strength', async () => {
    const inputs = await inputsOf(forms.sweep)
    await withReport(renderReport(inputs), async (page) => {
      expect(await page.locator('figure svg').count()).toBe(3)
      expect(await page.locator('#sweep-table tbody th').allInnerTexts()).toEqual(
        ['0%', '25%', '50%', '75%', '100%'].map((strength) => expect.stringContaining(strength)),
      )
      expect(await textOf(page, '.badge')).toBe('Adjusted comparison')
      expect(await row(page, /^50%/)).toMatch(/By the forecasts alone [+−]\d/)
      expect(await textOf(page, '#headline')).toMatch(/^At 100% of it: NPS in 90 days/)
    })
  })
  it('says of a goal what it takes, with its statement and the target', async () => {
    const inputs = await inputsOf(forms.goal)
    const { answer } = inputs
    await withReport(renderReport(inputs), async (page) => {
      expect(await textOf(page, '#statement')).toMatch(
        /^(Reached|Out of reach)\. Churn within 90 days goes from/,
      )
      expect(await page.getByText(answer.kind === 'goal' ? answer.goal.statement : '').count()).toBe(1)
      expect(await textOf(page, '#goal')).toContain('target 10.00%')
    })
  })
})

describe('names and ids', () => {
  it('are texts, whatever they hold', async () => {
    const wicked = `<img src=x onerror="document.title='owned'">&amp;'"]]>\u0007{b|x}</script></svg><script>document.title='owned'</script>`
    const inputs = await inputsOf({
      compare: [
        { ...tickets, name: wicked },
        { ...allTickets, name: wicked },
      ],
    })
    const one = await inputsOf({ ...tickets, name: wicked })
    const report = scenarioOf(one)
    const moved = report.most_moved.map((customer) => ({ ...customer, customer_id: wicked, segment: wicked }))
    const answer: QuestionReport = { kind: 'scenario', report: { ...report, most_moved: moved } }
    for (const html of [renderReport(inputs), renderReport({ ...one, answer })])
      await withReport(html, async (page) => {
        expect(await page.title()).not.toBe('owned')
        expect(await page.locator('img, script').count()).toBe(0)
        expect(await flaws(page)).toEqual([])
        expect(await page.locator('main').textContent()).toContain('<img src=x')
      })
    await withReport(renderReport({ ...one, answer }), async (page) =>
      expect(await page.locator('#most-moved bdi').first().textContent()).toBe(wicked),
    )
  })
})

describe('loyalcast what-if --out', () => {
  it('writes the report whole, beside the same words and JSON', async () => {
    const scenario = join(company.folder, 'scenario.json')
    await writeFile(scenario, JSON.stringify(tickets))
    const folders = ['--data', company.dataFolder, '--models', company.modelsFolder]
    const ask = ['what-if', company.path, scenario, '--full', ...folders]
    const out = join(company.folder, 'what-if.html')
    await writeFile(out, 'an older one')
    const [plain, written, json] = [
      await loyalcastHere(ask),
      await loyalcastHere([...ask, '--out', out]),
      await loyalcastHere([...ask, '--json', '--out', out]),
    ]
    expect(written.code).toBe(0)
    expect(written.stderr).toBe(`${plain.stderr}Report written to ${out}.\n`)
    expect(JSON.parse(json.stdout)).toEqual(scenarioOf(await inputsOf(tickets)))
    expect(await readFile(out, 'utf8')).toBe(renderReport(await inputsOf(tickets)))
  })
})
