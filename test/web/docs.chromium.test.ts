import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { madeRow, madeYaml, publishDay } from '../api/made-predictions.ts'
import { key, type Served, serveMade } from '../api/served.ts'
import { makeLastingProgram } from '../programs.ts'
import { launchBrowser, openPage } from './browser.ts'

let made: Awaited<ReturnType<typeof makeLastingProgram>>
let served: Served
let browser: Browser
beforeAll(async () => {
  made = await makeLastingProgram({ yaml: madeYaml })
  await publishDay(made, '2026-10-01', [madeRow('a')])
  served = await serveMade(made)
  browser = await launchBrowser()
})
afterAll(async () => {
  await browser?.close()
  await served?.close()
  await made.remove()
})

it('the interactive documents show every operation with its example and try it, from this server alone', async () => {
  const { paths, webhooks } = (await served.ask('/openapi.json', { key: null })).body
  const operations = [...Object.values(paths), ...Object.values(webhooks)].flatMap((methods) =>
    Object.keys(methods as object),
  )
  const { page, complaints, elsewhere, close } = await openPage(browser, `${served.url}/docs/`)
  await page.locator('.opblock').first().waitFor()
  expect(await page.locator('.opblock').count()).toBe(operations.length)
  await page.locator('button.authorize').first().click()
  await page.locator('.auth-container input').fill(key)
  await page.locator('.auth-container button[type=submit]').click()
  await page.locator('.btn-done').click()
  const summary = page.locator('#operations-summary-readSummary')
  await summary.locator('.opblock-summary-control').click()
  await summary.locator('.example').first().waitFor()
  expect(await summary.locator('.example').first().innerText()).toContain('"my-shop"')
  await summary.locator('.try-out__btn').click()
  await summary.getByPlaceholder('program').fill('test')
  await summary.locator('.execute').click()
  const answer = summary.locator('.live-responses-table .response-col_description')
  await answer.getByText('"2026-10-01"').first().waitFor()
  expect([complaints, elsewhere]).toEqual([[], []])
  await close()
})
