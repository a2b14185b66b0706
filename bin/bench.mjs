#!/usr/bin/env node
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildIfNeeded, root } from './build.mjs'

buildIfNeeded()
const [name, ...rest] = process.argv.slice(2)
const { main } = await import(pathToFileURL(join(root, 'dist', 'bench', `${name}.js`)).href)
await main(rest)
