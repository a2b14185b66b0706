#!/usr/bin/env node
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { buildIfNeeded, root } from './build.mjs'

buildIfNeeded()
const { main } = await import(pathToFileURL(join(root, 'dist', 'src', 'cli', 'main.js')).href)
await main(process.argv)
