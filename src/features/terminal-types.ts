import type { Program } from '../domain/program.ts'

/** Event types after which a customer is gone. */
export function terminalTypes({ outcomes }: Pick<Program, 'outcomes'>): string[] {
  return outcomes.filter(({ isTerminal }) => isTerminal).flatMap(({ eventTypes }) => eventTypes)
}
