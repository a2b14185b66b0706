import type { Environment } from '../domain/environment.ts'
import { LoyalcastError } from '../domain/errors.ts'
import { nearest } from '../domain/program-problems.ts'
import { readSetting, type Setting, type SettingName, settings } from './settings.ts'

/** A setting as it holds, and why. */
export interface FoundSetting {
  /** Of the variable. */
  readonly name: string
  /** As text; null: not set, and there is no default. Never what is secret. */
  readonly value: string | null
  readonly origin: 'option' | 'environment' | 'default'
  readonly words: string
  /** What is wrong with it. */
  readonly problem: string | null
}

const prefix = 'LOYALCAST_'
const names = Object.keys(settings) as SettingName[]

/** @param options settings that the command line gives, by name. */
export function findSettings(
  environment: Environment,
  options: Partial<Record<SettingName, string>>,
): FoundSetting[] {
  return names.map((name) => {
    const { preset, presetText, words, wrongSecret } = settings[name] as Setting<unknown>
    const text = environment[prefix + name] || undefined
    const given = options[name] ?? text
    const origin = options[name] !== undefined ? 'option' : text !== undefined ? 'environment' : 'default'
    const shown =
      wrongSecret && given !== undefined ? 'set, not shown' : (given ?? presetText ?? textOf(preset))
    return { name: prefix + name, value: shown, origin, words, problem: problemOf(environment, name) }
  })
}

function textOf(preset: unknown): string | null {
  if (preset === null || (Array.isArray(preset) && preset.length === 0)) return null
  return typeof preset === 'boolean' ? String(Number(preset)) : String(preset)
}

function problemOf(environment: Environment, name: SettingName): string | null {
  try {
    readSetting(environment, name)
    return null
  } catch (error) {
    if (error instanceof LoyalcastError) return error.message
    throw error
  }
}

/** Variables that look like a setting and are none. */
export function misspelled(environment: Environment): string[] {
  const known = names.map((name) => prefix + name)
  return Object.keys(environment)
    .filter((name) => name.startsWith(prefix) && !known.includes(name))
    .flatMap((name) => {
      const meant = nearest(name.slice(prefix.length), names)
      return meant === null ? [] : [`${name} is no setting and does nothing. Did you mean ${prefix}${meant}?`]
    })
}
