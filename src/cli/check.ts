import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { type Prepared, prepare } from '../../training/train.ts'
import type { Program } from '../domain/program.ts'
import { type IngestReport, ingest } from '../jobs/ingest.ts'
import { lastDayWithData } from '../outcomes/known-until.ts'
import { contextOf, printResult } from './context.ts'
import { describeIngest } from './ingest.ts'

/** `loyalcast check PROGRAM`: what is there, what is wrong, what can be predicted. Changes nothing. */
export function checkCommand(): Command {
  return new Command('check')
    .description('reads config and sources and says what can and cannot be predicted; changes nothing')
    .argument('<program>', 'path of a program file')
    .action(async (path: string, _: unknown, command: Command) => {
      const context = contextOf(command)
      const program = await context.readProgram(path)
      const dataFolder = await mkdtemp(join(tmpdir(), 'loyalcast-check-'))
      try {
        const report = await ingest(program, { ...context, dataFolder })
        const prepared = await prepare(program, { ...context, dataFolder, maxRows: 100_000 })
        const checked = describeProgram(program, report, prepared)
        printResult(context, checked, inWords(checked))
        if (checked.predictable.length === 0) process.exitCode = 3
      } finally {
        await rm(dataFolder, { recursive: true, force: true })
      }
    })
}

type Checked = ReturnType<typeof describeProgram>

function describeProgram(
  program: Program,
  report: IngestReport,
  { lake, tasks, leaks, dataset, asOf }: Prepared,
) {
  const types = [...lake.state.sources.values()].flatMap(({ key, spans }) =>
    Object.entries(spans).map(([part, span]) => ({ source: key, part, ...span })),
  )
  return {
    program: program.name,
    sources: report.sources,
    parts: types,
    lastDayWithData: lastDayWithData(program, lake.state),
    asOf,
    rowsToLearnFrom: dataset.cutoff.length,
    predictable: [
      ...(tasks.hasAnswers ? ['nps'] : []),
      ...tasks.outcomes.flatMap(({ outcome, intervals }) =>
        program.horizonsDays.slice(0, intervals).map((days) => `${outcome.name}_${days}`),
      ),
    ],
    notPredictable: tasks.skipped,
    leaks,
    problems: typeProblems(program, new Set(types.map(({ part }) => part))),
  }
}

/** Event types that the program file names and no source supplies. */
function typeProblems(program: Program, known: ReadonlySet<string>): string[] {
  const named = [
    ...program.outcomes.flatMap(({ name, eventTypes }) =>
      eventTypes.map((type) => ({ place: `outcomes.${name}`, type })),
    ),
  ]
  for (const [meaning, types] of Object.entries(program.meaning)) {
    for (const type of types) named.push({ place: `meaning.${meaning}`, type })
  }
  return named
    .filter(({ type }) => !known.has(type))
    .map(
      ({ place, type }) =>
        `${place} names ${type}, which no source supplies. Found: ${[...known].sort().slice(0, 20).join(', ')}.`,
    )
}

function inWords(checked: Checked): string {
  return [
    describeIngest({ program: checked.program, commit: 0, sources: checked.sources }).replace(
      /^.*\n/,
      `Checked ${checked.program}; nothing was changed.\n`,
    ),
    ...checked.parts.map(
      ({ source, part, rows, firstDay, lastDay }) =>
        `${source} ${part}: ${rows} rows, ${firstDay} to ${lastDay}`,
    ),
    `Learning as of ${checked.asOf}: ${checked.rowsToLearnFrom} rows.`,
    `Can be predicted: ${checked.predictable.join(', ') || 'nothing'}.`,
    ...Object.entries(checked.notPredictable).map(
      ([task, { words }]) => `Cannot be predicted: ${task}. ${words}`,
    ),
    ...checked.problems.map((problem) => `Problem: ${problem}`),
  ].join('\n')
}
