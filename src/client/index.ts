/** The client of the API: `import { createClient } from 'loyalcast/client'`. It needs `fetch` alone, so it runs in browsers too. */
export { type ClientOptions, createClient, type LoyalcastClient, pages, result } from './client.ts'
export type { components, operations, paths, webhooks } from './openapi.ts'
export { type Prediction, predictionRows, type RowsWanted } from './prediction-rows.ts'
export { ApiProblem, NoAnswer, type ProblemDocument } from './problem.ts'
