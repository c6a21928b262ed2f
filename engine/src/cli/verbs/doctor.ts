// `engine doctor [FILE...]`: checks that this machine can run the engine and the files; each line says what to do.
import type { Command } from 'commander'
import type { LoadOptions } from '../../config/load-config.js'
import { renderText } from '../../config/report/render-diagnostics.js'
import type { Finding, Level, Machine } from '../../doctor/finding.js'
import { printable } from '../../observe/printable.js'
import type { CliStreams } from '../cli-streams.js'
import { addConfigOptions, addNoEnvOption, FILES_HELP, loadOptionsOf } from '../config-options.js'
import type { ConfigOptions, NoEnvOption } from '../config-options.js'
import { EXIT } from '../exit-codes.js'
import { addJsonOption } from '../json-option.js'
import type { JsonOption } from '../json-option.js'
import { renderJsonText } from '../render-json-text.js'
import { renderTable } from '../render-table.js'
import { styleFor } from '../terminal-style.js'
import type { Paint, TerminalStyle } from '../terminal-style.js'
import type { Verb, VerbContext } from '../verb.js'

export const doctorVerb = {
  declare(program: Command): Command {
    const command = addConfigOptions(program.command('doctor'))
      .description('check that this machine can run the engine, and the files if any are named; exit 1 if not')
      .argument('[file...]', FILES_HELP)
    return addJsonOption(addNoEnvOption(command))
  },
  async run(
    { streams, folder }: VerbContext,
    files: readonly string[],
    options: ConfigOptions & NoEnvOption & JsonOption,
  ) {
    const load = { env: streams.env, ...loadOptionsOf(options), noEnv: !options.env }
    return runDoctor(files, streams, { ...load, json: options.json, folder })
  },
} satisfies Verb

export interface DoctorOptions extends LoadOptions {
  readonly json?: boolean | undefined
  /** The working folder. */
  readonly folder: string
  /** By default the one that this process runs on. */
  readonly machine?: Machine
}

/** Resolves with the exit code: 0, 1 if a check fails, 78 if the files have mistakes. */
export async function runDoctor(
  files: readonly string[],
  streams: CliStreams,
  options: DoctorOptions,
): Promise<number> {
  const { loadConfig } = await import('../../config/load-config.js')
  const { demandOf, examineMachine, thisMachine } = await import('../examine-machine.js')
  const loaded = files.length === 0 ? undefined : await loadConfig(files, { ...options, ignoresMissingPrograms: true })
  const { out, err, env } = streams
  err.write(renderText(loaded?.diagnostics ?? []))
  if (loaded !== undefined && loaded.graph === undefined) return EXIT.config
  const findings = await examineMachine(options.machine ?? thisMachine(), demandOf(loaded?.graph, options.folder))
  out.write(options.json === true ? renderJsonText(findings) : render(findings, styleFor(out, env)))
  return findings.some(({ level }) => level === 'fail') ? EXIT.failed : EXIT.ok
}

function render(findings: readonly Finding[], style: TerminalStyle): string {
  const paints: Readonly<Record<Level, Paint>> = { ok: style.green, warn: style.yellow, fail: style.red }
  const rows = findings.map(({ level, check, found, advice }) => [
    { text: level, paint: paints[level] },
    { text: printable(check) },
    { text: printable(advice === '' ? found : `${found}; ${advice}`) },
  ])
  return `${renderTable(rows).join('\n')}\n`
}
