import { Presets, SingleBar } from 'cli-progress'
import type { ProgressStep, Reporter } from '../domain/progress.ts'

/** Progress as a bar on a terminal, as a line a phase elsewhere; everything goes to stderr. */
export function terminalReporter(): Reporter & { end(): void } {
  const isTerminal = process.stderr.isTTY === true
  let bar: SingleBar | null = null
  let phase = ''
  const end = () => {
    bar?.stop()
    bar = null
    phase = ''
  }
  const start = (step: ProgressStep) => {
    end()
    phase = step.phase
    if (!isTerminal) {
      process.stderr.write(`${phase} …\n`)
      return
    }
    const format = `{phase} {bar} {percentage}% · {eta_formatted} left · {note}`
    bar = new SingleBar(
      { format, stream: process.stderr, hideCursor: true, etaBuffer: 20 },
      Presets.shades_classic,
    )
    bar.start(step.total, step.done, { phase: phase.padEnd(12), note: '' })
  }
  return {
    progress(step) {
      if (step.phase !== phase) start(step)
      bar?.setTotal(step.total)
      bar?.update(step.done, { note: step.note ?? '' })
    },
    warn(sentence) {
      if (bar) process.stderr.write('\n')
      process.stderr.write(`Note: ${sentence}\n`)
    },
    end,
  }
}
