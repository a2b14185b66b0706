import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { key, type Served, serveMade } from '../api/served.ts'
import { makeTrainedCompany, type TrainedCompany, trainedDays } from '../api/trained-company.ts'
import { makeLastingProgram } from '../programs.ts'
import { launchBrowser, openPage, type WatchedPage } from './browser.ts'

// biome-ignore lint/suspicious/noExplicitAny: answers of the API
type Any = any

let browser: Browser
let made: TrainedCompany
let served: Served
beforeAll(async () => {
  browser = await launchBrowser()
  made = await makeTrainedCompany()
  served = await serveMade(made)
})
afterAll(async () => {
  await browser?.close()
  await served?.close()
  await made?.remove()
})

/** Opens a page, uses it, and holds that nothing was amiss: no complaints, nothing asked of anybody else. */
async function withPage(
  path: string,
  use: (page: Page, watched: WatchedPage) => Promise<void>,
  {
    server = served,
    ...options
  }: { server?: Served; viewport?: { width: number; height: number } } & Record<string, unknown> = {},
): Promise<void> {
  const watched = await openPage(browser, `${server.url}${path}`, options)
  try {
    await use(watched.page, watched)
    expect(watched.complaints).toEqual([])
    expect(watched.elsewhere).toEqual([])
  } finally {
    await watched.close()
  }
}

const withKey = `/#key=${key}`
const shown = (page: Page) => page.getByRole('heading', { level: 2, name: 'Net promoter score' }).waitFor()
const number = (value: number, options: Intl.NumberFormatOptions = {}) =>
  value.toLocaleString('en-GB', options)
const euros = (value: number) => {
  const digits = value < 1000 ? 2 : 0
  const options = { minimumFractionDigits: digits, maximumFractionDigits: digits }
  return number(value, { style: 'currency', currency: 'EUR', ...options })
}
const percent = (value: number) =>
  number(value, { style: 'percent', minimumFractionDigits: 1, maximumFractionDigits: 1 })
const signed = (value: number) =>
  Math.round(Math.abs(value)) === 0
    ? '0'
    : `${value < 0 ? '−' : '+'}${number(Math.abs(value), { maximumFractionDigits: 0 })}`

describe('the page of a trained company', () => {
  it('shows the figures of the API', async () => {
    const summary = await served.read('/v1/programs/small-company/summary')
    await withPage(withKey, async (page) => {
      await shown(page)
      expect(await page.getByRole('heading', { level: 1 }).textContent()).toBe('small-company')
      expect(await page.getByText(/Forecast of 20 February 2025 for/).textContent()).toContain(
        `${summary.customers} customers`,
      )
      const { value, ci95 } = summary.nps['0']
      expect(await page.locator('#nps-now').textContent()).toBe(signed(value))
      expect(await page.locator('#nps-now-interval').textContent()).toContain(
        `${signed(ci95[0])} to ${signed(ci95[1])}`,
      )
      const ahead = await page.locator('#nps dl').textContent()
      for (const days of [30, 60, 90])
        expect(ahead).toContain(`in ${days} days${signed(summary.nps[days].value)}`)
      expect(await page.locator('#value-at-risk').textContent()).toContain(euros(summary.value_at_risk))
      expect(await page.locator('#expected-gain').textContent()).toContain(euros(summary.expected_gain))
      const yearly = await page.locator('#expected-value').textContent()
      expect(yearly).toContain(euros(summary.expected_value_12m))
      const churn = await page.locator('#outcomes').getByRole('row', { name: /Churn/ }).textContent()
      for (const days of [30, 60, 90]) {
        const { rate, ci95: range } = summary.outcomes[`churn_${days}`]
        expect(churn).toContain(`(${percent(rate)})`)
        expect(churn).toContain(`(${percent(range[0])} to ${percent(range[1])})`)
      }
      expect(await page.locator('#segments tbody tr').count()).toBe(summary.segments.length)
      expect(await page.locator('#model').textContent()).toContain('2025-01-20-1')
    })
  })

  it('lists the ten customers with most value at risk, and what drives it', async () => {
    const { predictions } = await served.read(
      '/v1/programs/small-company/predictions?sort=-value_at_risk&limit=10',
    )
    await withPage(withKey, async (page) => {
      await shown(page)
      const lines = await page.locator('#customers tbody tr').allTextContents()
      expect(lines.length).toBe(10)
      for (const [place, line] of lines.entries()) {
        const { customer_id, value_at_risk, churn_90, top_drivers } = predictions[place]
        expect(line).toContain(customer_id)
        expect(line).toContain(euros(value_at_risk))
        expect(line).toContain(percent(churn_90))
        const raising = top_drivers.find(({ outcome, effect }: Any) => outcome === 'churn' && effect > 0)
        if (raising) expect(line).toContain(raising.words)
      }
    })
  })

  it('draws the history, and has its figures for who cannot see it', async () => {
    const { history } = await served.read('/v1/programs/small-company/summary')
    await withPage(withKey, async (page) => {
      await shown(page)
      const chart = page.getByRole('img', { name: /^Net promoter score from 25 January 2025/ })
      const drawn = await chart.locator('canvas').evaluate((canvas: Any) => {
        const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height)
        return new Set(new Uint32Array(data.buffer)).size
      })
      expect(drawn).toBeGreaterThan(20)
      await page.getByText('The figures of the chart').click()
      expect(await page.locator('#nps tbody tr').count()).toBe(history.length)
    })
  })

  it('goes to another day, and says so in the address', async () => {
    const earlier = await served.read(`/v1/programs/small-company/summary?date=${trainedDays[0]}`)
    await withPage(withKey, async (page) => {
      await shown(page)
      await page.locator('#day').selectOption(trainedDays[0])
      await page.getByText(/Forecast of 25 January 2025/).waitFor()
      expect(await page.locator('#nps-now').textContent()).toBe(signed(earlier.nps['0'].value))
      expect(new URL(page.url()).searchParams.get('date')).toBe(trainedDays[0])
    })
  })

  it('leads from a day without predictions to the latest', async () => {
    await withPage(`/?date=2020-01-01${withKey.slice(1)}`, async (page, { complaints }) => {
      await page.getByText('has no predictions of 2020-01-01').waitFor()
      expect(complaints.splice(0)).toEqual([expect.stringMatching(/404/)])
      await page.getByRole('button', { name: 'Try again' }).click()
      await page.getByText(/Forecast of 20 February 2025/).waitFor()
    })
  })

  it('takes the key out of the address, keeps it for the tab, and forgets it when told', async () => {
    await withPage(withKey, async (page) => {
      await shown(page)
      expect(page.url()).not.toContain(key)
      await page.reload()
      await shown(page)
      await page.getByRole('button', { name: 'Forget key' }).click()
      await page.getByLabel('API key').waitFor()
      await page.reload()
      await page.getByLabel('API key').waitFor()
    })
  })

  it('asks for the key, says when it is wrong, and opens with the right one', async () => {
    await withPage('/', async (page, { complaints }) => {
      const field = page.getByLabel('API key')
      await field.fill('not-the-key-of-this-one')
      await page.keyboard.press('Enter')
      await page.getByText('This key is not known to the server.').waitFor()
      expect(await page.locator('#forecast').isVisible()).toBe(false)
      await field.fill(key)
      await page.getByRole('button', { name: 'Show the forecast' }).click()
      await shown(page)
      expect(complaints.splice(0)).toEqual([expect.stringMatching(/401/)])
    })
  })

  it.each([
    [380, 'light', 'rgb(246, 246, 243)'],
    [380, 'dark', 'rgb(17, 20, 22)'],
    [820, 'light', 'rgb(246, 246, 243)'],
    [1400, 'dark', 'rgb(17, 20, 22)'],
  ] as const)('fits %i pixels in %s colours', async (width, colorScheme, ground) => {
    const options = { viewport: { width, height: 800 }, colorScheme }
    await withPage(
      withKey,
      async (page) => {
        await shown(page)
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width)
        const outside = await page.evaluate(
          `[...document.querySelectorAll('main *')].filter((one) => one.getBoundingClientRect().right > ${width}).length`,
        )
        expect(outside).toBe(0)
        expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe(ground)
      },
      options,
    )
  })

  it('can be used with the keyboard, and has landmarks and one main heading', async () => {
    await withPage(withKey, async (page) => {
      await shown(page)
      for (const landmark of ['banner', 'main', 'contentinfo'] as const)
        expect(await page.getByRole(landmark).count()).toBe(1)
      expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1)
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the forecast')
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.id')).toBe('day')
      const bare = page.locator('table th:not([scope])')
      expect(await bare.count()).toBe(0)
    })
  })

  it('shows the documentation of the API without help from elsewhere', async () => {
    await withPage('/docs', async (page) => {
      await page.getByText('The predictions of a day, page by page').first().click()
      await page.getByText('Follow').first().waitFor()
    })
  })
})

describe('the page of a program with little to show', () => {
  it('says that there are no predictions yet, and shows the first ones when asked again', async () => {
    const empty = await makeLastingProgram({ yaml: madeYaml })
    const server = await serveMade(empty)
    await withPage(
      withKey,
      async (page, { complaints }) => {
        await page.getByRole('heading', { name: 'There are no predictions' }).waitFor()
        expect(await page.locator('#failure').textContent()).toContain('Run loyalcast daily')
        expect(complaints.splice(0)).toEqual([expect.stringMatching(/404/)])
        const odd = '<img src=x onerror=alert(1)>'
        await publishDay(empty, '2026-10-01', [madeRow(odd, { churn_90: 0.5, segment: odd })])
        await page.getByRole('button', { name: 'Try again' }).click()
        await page.getByText('Forecast of 1 October 2026 for 1 customer').waitFor()
        expect(await page.locator('#customers tbody th').textContent()).toContain(odd)
        expect(await page.locator('#customers img').count()).toBe(0)
        expect(await page.locator('#nps').textContent()).toContain('is not predicted')
        expect(await page.locator('#value-at-risk').count()).toBe(0)
      },
      { server },
    )
    await server.close()
    await empty.remove()
  })

  it('lets one choose between programs', async () => {
    const one = await makeLastingProgram({ yaml: madeYaml })
    const two = await makeLastingProgram({ yaml: `program: two\n${madeYaml}` })
    await publishDay(one, '2026-10-01', [madeRow('a', { p_promoter: 1, p_detractor: 0 })])
    await publishDay({ ...two, dataFolder: one.dataFolder }, '2026-10-02', [
      madeRow('b', { p_promoter: 0.25, p_detractor: 0.75 }),
    ])
    const server = await serveMade(one, [two.program])
    await withPage(
      withKey,
      async (page) => {
        await page.getByRole('heading', { level: 1, name: 'test' }).waitFor()
        expect(await page.locator('#nps-now').textContent()).toBe('+100')
        await page.getByLabel('Program').selectOption('two')
        await page.getByRole('heading', { level: 1, name: 'two' }).waitFor()
        expect(await page.locator('#nps-now').textContent()).toBe('−50')
      },
      { server },
    )
    await server.close()
    await one.remove()
    await two.remove()
  })
})
