// Has a running engine change its files, for `set` and `rollback`: shows the plan, asks where viewers would lose their
// stream, and applies it.
import { apiErrorSchema } from '../observe/status.js'
import { editReportSchema, reloadFailureSchema } from '../observe/reload-report.js'
import type { EditReport } from '../observe/reload-report.js'
import { printable } from '../observe/printable.js'
import { answerOf, askEngine, refused } from './ask-engine.js'
import type { CliStreams } from './cli-streams.js'
import { confirm } from './confirm.js'
import { EXIT } from './exit-codes.js'
import { exitCodeOfReload, printReload } from './print-reload.js'
import { renderJsonText } from './render-json-text.js'
import type { ApiReply } from './request-api.js'
import type { VerbContext } from './verb.js'

/** As for a reload: nodes open, and edges are cut over. */
const TIMEOUT_MS = 120_000
/** Conflict, another configuration, too many edits: the same may succeed later. */
const REFUSED_STATUS: readonly number[] = [409, 412, 429]

export interface EditOptions {
  readonly api?: string | undefined
  readonly json?: boolean
  /** Only show the plan. */
  readonly plan?: boolean
  /** Do not ask. */
  readonly yes?: boolean
}

export interface EditCall {
  readonly method: 'POST' | 'PATCH'
  readonly path: string
  readonly body?: unknown
}

/**
 * 0 applied or nothing to do, 1 refused for good, 2 viewers would lose their stream and nobody can be asked, 75 refused
 * now or rolled back, 78 mistakes, 69 not reachable.
 */
export async function carryOutEdit(
  context: Pick<VerbContext, 'streams' | 'folder' | 'input'>,
  call: EditCall,
  options: EditOptions,
): Promise<number> {
  const { streams, folder } = context
  const { api, json = false, plan = false, yes = false } = options
  const ask = async (query: string): Promise<EditReport | number> => {
    const { body } = call
    const request = { timeoutMs: TIMEOUT_MS, ...(body === undefined ? {} : { body }) }
    const reply = await askEngine(streams, { api, folder }, call.path + query, call.method, request)
    return typeof reply === 'number' ? reply : reportOf(streams, reply, json)
  }
  const planned = await ask('?plan=1')
  if (typeof planned === 'number') return planned
  if (!json) printReload(planned, planned.result !== 'unchanged', streams)
  if (plan || planned.result !== 'planned') return finish(streams, planned, json, 'would write')
  const refusal = yes ? undefined : await askFirst(context, planned.viewers?.lost ?? 0)
  if (refusal !== undefined) return refusal
  // The engine applies only the plan that was shown.
  const report = await ask(planned.id === undefined ? '' : `?expect=${planned.id}`)
  if (typeof report === 'number') return report
  if (!json) printReload(report, false, streams)
  return finish(streams, report, json, 'wrote')
}

function finish(streams: CliStreams, report: EditReport, json: boolean, verb: string): number {
  if (json) streams.out.write(renderJsonText(report))
  else printFiles(streams, report, verb)
  return exitCodeOfReload(report)
}

/** The exit code if it is not to be done. */
async function askFirst(
  { streams: { err }, input }: Pick<VerbContext, 'streams' | 'input'>,
  lost: number,
): Promise<number | undefined> {
  if (lost === 0) return undefined
  const what = `${lost === 1 ? '1 viewer' : `${lost} viewers`} would lose the stream`
  const answer = await confirm(input(), err, `${what}. Apply it?`)
  if (answer === true) return undefined
  err.write(answer === false ? 'nothing has changed\n' : `error: ${what}: add --yes\n`)
  return answer === false ? EXIT.failed : EXIT.usage
}

/** The report, or the exit code after telling why there is none. */
function reportOf(streams: CliStreams, reply: ApiReply, json: boolean): EditReport | number {
  const failure = reloadFailureSchema.safeParse(reply.json)
  if (failure.success) {
    const { reload } = failure.data
    if (json) streams.out.write(renderJsonText(reload))
    else {
      printReload(reload, false, streams)
      const isKept = reload.restored === false
      streams.err.write(isKept ? 'the files were not put back: look at the log\n' : 'the files are as before\n')
    }
    return exitCodeOfReload(reload)
  }
  if (reply.reached) return answerOf(streams, reply, editReportSchema)
  const isKnown = apiErrorSchema.safeParse(reply.json).success
  return refused(streams, reply, isKnown && REFUSED_STATUS.includes(reply.status ?? 0) ? EXIT.refused : EXIT.failed)
}

function printFiles({ err }: CliStreams, { files }: EditReport, verb: string): void {
  for (const { file, line } of files) err.write(printable(`${verb} ${file}${line === undefined ? '' : `:${line}`}\n`))
}
