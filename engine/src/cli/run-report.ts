// What `engine run` says beside its log, on stderr: mistakes, what is running, why it does not start. Text for people, or
// a line of JSON each, with the keys of the log, so that stderr as a whole can be parsed.
import type { Diagnostic } from '../config/report/diagnostic.js'
import { renderText } from '../config/report/render-diagnostics.js'
import { isEngineError, messageOf } from '../errors.js'
import type { Graph } from '../graph/graph.js'
import { readEngineVersion } from '../observe/engine-version.js'
import type { CliStreams } from './cli-streams.js'
import { renderFailure } from './render-failure.js'
import { drawPipeline, type LabelledUrl, renderStartup } from './render-startup.js'
import { type LogFormat, renderRecord } from './stderr-format.js'
import { styleFor } from './terminal-style.js'

/** Levels of the log that include `info`. */
const INFO: ReadonlySet<string> = new Set(['info', 'debug', 'trace'])

export class RunReport {
  readonly #streams: Pick<CliStreams, 'err' | 'env'>
  readonly #isJson: boolean

  constructor(streams: Pick<CliStreams, 'err' | 'env'>, format: LogFormat) {
    this.#streams = streams
    this.#isJson = format === 'json'
  }

  diagnostics(found: readonly Diagnostic[]): void {
    if (!this.#isJson) return this.#write(renderText(found))
    for (const { severity, code, message, file, line, column, help, note } of found) {
      const more = note === undefined ? {} : { note }
      const text = `${severity}[${code}]: ${file}:${line}:${column}: ${message}`
      this.#record(severity === 'error' ? 'error' : 'warn', { code, file, line, column, help, ...more }, text)
    }
  }

  say(level: 'info' | 'warn' | 'error', text: string): void {
    if (this.#isJson) this.#record(level, {}, text)
    else this.#write(level === 'info' ? `${text}\n` : `${level === 'warn' ? 'warning' : 'error'}: ${text}\n`)
  }

  /** A record of the level `info`, which the log may leave out. */
  running(graph: Graph, urls: readonly LabelledUrl[]): void {
    const version = readEngineVersion()
    if (!this.#isJson) {
      return this.#write(renderStartup(graph, urls, version, styleFor(this.#streams.err, this.#streams.env)))
    }
    if (!INFO.has(graph.engine.log.level)) return
    const pipelines = Object.fromEntries(graph.pipelines.map((pipeline) => [pipeline.name, drawPipeline(pipeline)]))
    const data = { version, files: graph.files, pipelines, urls: urls.map(({ label, url }) => ({ label, url })) }
    this.#record('info', data, `Millrace ${version} is running ${graph.files.join(', ')}`)
  }

  /** Why the engine does not start, secrets masked. */
  failure(error: unknown, { secrets }: Pick<Graph, 'secrets'>): void {
    if (!this.#isJson) return this.#write(secrets.mask(renderFailure(error)))
    const known = isEngineError(error) && error.row.reaction !== 'bug'
    const data = known
      ? { code: error.code, help: error.row.hint, ...(error.at === undefined ? {} : { at: error.at }) }
      : {}
    const text = known ? `error[${error.code}]: ${messageOf(error)}` : renderFailure(error).trimEnd()
    this.#record('fatal', data, secrets.mask(text))
  }

  #record(level: Parameters<typeof renderRecord>[0], data: object, msg: string): void {
    this.#write(renderRecord(level, data, msg))
  }

  #write(text: string): void {
    if (text !== '') this.#streams.err.write(text)
  }
}
