// A request to a running engine, for the verbs that need one: finds the address and the token, and reports what fails.
import type { z } from 'zod'
import { printable } from '../observe/printable.js'
import type { CliStreams } from './cli-streams.js'
import { EXIT } from './exit-codes.js'
import { apiUrl, askApi, findToken, findWritingToken } from './request-api.js'
import type { ApiReply, ApiRequest, ApiTarget } from './request-api.js'

export interface EngineAddress {
  readonly api?: string | undefined
  /** The folder that contains the state folder. */
  readonly folder: string
}

/** The reply, or the exit code if the request could not be sent or got no reply, which is then reported. */
export async function askEngine(
  streams: CliStreams,
  address: EngineAddress,
  path: string,
  method: 'GET' | 'POST' | 'PATCH' | 'DELETE',
  request: ApiRequest = {},
): Promise<ApiReply | number> {
  const target = await findEngine(streams, address, method !== 'GET')
  if (typeof target === 'number') return target
  const reply = await askApi(target, path, method, request)
  if (reply.reached || reply.status !== undefined) return reply
  streams.err.write(printable(`error: ${reply.why}\n`))
  return EXIT.unreachable
}

/** For requests that this file does not send; or the exit code, after reporting a wrong URL. */
export async function findEngine(
  { err, env }: CliStreams,
  { api, folder }: EngineAddress,
  needsToken = false,
): Promise<ApiTarget | number> {
  const url = apiUrl(api, env)
  if (url === undefined) {
    err.write(wrongUrl(api ?? env['ENGINE_API'] ?? ''))
    return EXIT.usage
  }
  return { url, token: await (needsToken ? findWritingToken : findToken)(url, env, folder) }
}

/** Why the text is not the URL of a control API, as a line. */
export function wrongUrl(text: string): string {
  const port = Number(/^(?:\w+:\/\/)?[^/]*:(\d+)(?:\/|$)/.exec(text)?.[1] ?? 0)
  if (port > 65_535) return `error: the port of the control API must be at most 65535, and is ${port}\n`
  return 'error: the control API must be an http or https URL, such as http://127.0.0.1:9990\n'
}

/** The body of the reply, or the exit code after reporting a refusal or a body that does not fit the schema. */
export function answerOf<T>({ err }: CliStreams, reply: ApiReply, schema: z.ZodType<T>): T | number {
  const parsed = schema.safeParse(reply.json)
  if (parsed.success) return parsed.data
  if (!reply.reached) return refused({ err }, reply)
  err.write('error: the reply does not come from a control API of this version\n')
  return EXIT.unreachable
}

/** Reports the refusal, and returns the exit code. */
export function refused(
  { err }: Pick<CliStreams, 'err'>,
  reply: Extract<ApiReply, { readonly reached: false }>,
  code: number = EXIT.failed,
): number {
  err.write(printable(`error: ${reply.why}\n`))
  return code
}
